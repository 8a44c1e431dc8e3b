import { describe, expect, it } from "vitest";
import {
  AddressSpace,
  createEngine,
  flagsOf,
  type Message,
  type PagefaultMessage,
  Userfaultfd,
} from "../../ts/node.js";
import { engineUrl } from "../support/engine-url.js";
import { PAGE, setUp, type Setup, word } from "../support/setup.js";

async function withMissing(): Promise<Setup> {
  return setUp({ modes: ["missing"] });
}

describe("messages", () => {
  it("come in the order of the faults", async () => {
    const { space, uffd, at } = await withMissing();
    for (const page of [3, 1, 2]) space.read(at + page * PAGE);
    const addresses = [uffd.read(), uffd.read(), uffd.read()].map((message) => (message as PagefaultMessage).address);
    expect(addresses).toEqual([3, 1, 2].map((page) => at + page * PAGE));
    expect(uffd.read()).toBeUndefined();
  });

  it("carry the flags of the access", async () => {
    const { space, uffd, at } = await setUp({ modes: ["missing", "wp"] });
    space.read(at);
    space.write(at + PAGE, 1);
    uffd.copy(at + 2 * PAGE, PAGE, { value: 1, writeProtect: true });
    space.write(at + 2 * PAGE, 1);
    const flags = [uffd.read(), uffd.read(), uffd.read()].map((message) => flagsOf(message as PagefaultMessage));
    expect(flags).toEqual([[], ["write"], ["write", "wp"]]);
  });

  it("are one for each thread, and one call frees both", async () => {
    const { space, uffd, at } = await withMissing();
    const threads = [space.read(at), space.read(at)];
    expect(uffd.pendingMessages).toBe(2);
    uffd.copy(at, PAGE, { value: 3 });
    expect(threads.map((thread) => [thread.outcome, thread.value])).toEqual([
      ["ok", 3],
      ["ok", 3],
    ]);
  });

  it("vanish when the fault is resolved before they are read", async () => {
    const { space, uffd, at } = await withMissing();
    const thread = space.read(at);
    uffd.zeropage(at, PAGE);
    expect([thread.outcome, uffd.pendingMessages, uffd.read()]).toEqual(["ok", 0, undefined]);
  });

  it("come again after a wake that resolved nothing, and the fault is then a major one", async () => {
    const { space, uffd, at } = await withMissing();
    const thread = space.read(at);
    uffd.read();
    uffd.wake(at, PAGE);
    expect([thread.outcome, uffd.pendingMessages]).toEqual(["blocked", 1]);
    uffd.copy(at, PAGE, { value: 1 });
    expect([thread.outcome, thread.minflt, thread.majflt]).toEqual(["ok", 0, 1]);
  });

  it("of page faults come before older events", async () => {
    const { space, uffd, at } = await setUp({ modes: ["missing"], features: ["event-remove"] });
    space.madvise(at, PAGE, "dontneed");
    space.read(at);
    expect(uffd.read()).toMatchObject({ event: "pagefault" });
    expect(uffd.read()).toEqual({ event: "remove", start: at, end: at + PAGE });
  });
});

describe("waking", () => {
  it("can be left for later", async () => {
    const { space, uffd, at } = await setUp();
    space.write(at, 1);
    uffd.writeProtect(at, PAGE);
    const thread = space.write(at, 2);
    uffd.removeWriteProtection(at, PAGE, "later");
    expect([thread.outcome, word(space, at) & (1n << 57n)]).toEqual(["blocked", 0n]);
    uffd.wake(at, PAGE);
    expect([thread.outcome, thread.minflt]).toEqual(["ok", 1]);
  });

  it("reaches the threads in the range only", async () => {
    const { space, uffd, at } = await withMissing();
    const threads = [0, 1, 2].map((page) => space.read(at + page * PAGE));
    uffd.copy(at, 3 * PAGE, { value: 1, wake: "later" });
    uffd.wake(at + PAGE, PAGE);
    expect(threads.map((thread) => thread.outcome)).toEqual(["blocked", "ok", "blocked"]);
  });

  it("by another descriptor reaches nobody", async () => {
    const { space, uffd, at } = await withMissing();
    const other = Userfaultfd.open(space);
    const thread = space.read(at);
    other.copy(at, PAGE, { value: 2 });
    expect(thread.outcome).toBe("blocked");
    uffd.wake(at, PAGE);
    expect([thread.outcome, thread.value]).toEqual(["ok", 2]);
  });

  it("happens at unregister for missing pages, not for protected ones", async () => {
    const { space, uffd, at } = await setUp({ modes: ["wp"] });
    const missing = Userfaultfd.open(space);
    const second = space.mmap({ length: PAGE });
    missing.register(second, PAGE, ["missing"]);
    space.write(at, 1);
    uffd.writeProtect(at, PAGE);
    const [waitsForWp, waitsForPage] = [space.write(at, 2), space.write(second, 2)];
    uffd.unregister(at, PAGE);
    missing.unregister(second, PAGE);
    expect([waitsForWp.outcome, waitsForPage.outcome]).toEqual(["blocked", "ok"]);
    uffd.wake(at, PAGE);
    expect(waitsForWp.outcome).toBe("ok");
  });

  it("after an unmap ends in SIGSEGV", async () => {
    const { space, uffd, at } = await withMissing();
    const thread = space.read(at);
    space.munmap(at, PAGE);
    expect(thread.outcome).toBe("blocked");
    uffd.wake(at, PAGE);
    expect(thread.outcome).toBe("SIGSEGV");
  });

  it("waits for runWoken in an address space that queues", async () => {
    const engine = await createEngine({}, engineUrl);
    const space = new AddressSpace(engine, { wakes: "queued" });
    const uffd = Userfaultfd.open(space);
    const at = space.mmap({ length: PAGE });
    uffd.register(at, PAGE, ["missing"]);
    const thread = space.read(at);
    uffd.copy(at, PAGE, { value: 4 });
    expect(thread.outcome).toBe("blocked");
    expect([space.runWoken(), thread.outcome, space.runWoken()]).toEqual([true, "ok", false]);
  });

  it("lets a populate go on where it waited", async () => {
    const { space, uffd, at, bytes } = await setUp({ modes: ["missing"], pages: 4 });
    uffd.zeropage(at, PAGE);
    const call = space.madvise(at, bytes, "populate-read");
    expect([call?.isBlocked, uffd.read()]).toEqual([
      true,
      { event: "pagefault", address: at + PAGE, kind: "missing", access: "read" },
    ]);
    uffd.zeropage(at + PAGE, 3 * PAGE);
    expect([call?.isBlocked, call?.error]).toEqual([false, null]);
  });
});

describe("iterating over messages", () => {
  it("yields them as they come and ends when the descriptor is closed", async () => {
    const { space, uffd, at } = await withMissing();
    const seen: Message[] = [];
    const reader = (async (): Promise<void> => {
      for await (const message of uffd) {
        seen.push(message);
        if (message.event === "pagefault") uffd.copy(message.address, PAGE, { value: 7 });
      }
    })();
    const first = space.read(at);
    await turn();
    const second = space.read(at + PAGE);
    await turn();
    expect([first.value, second.value, seen.length]).toEqual([7, 7, 2]);
    uffd.close();
    await reader;
    expect(seen).toHaveLength(2);
  });

  it("ends a reader that waits when the descriptor is closed", async () => {
    const { uffd } = await withMissing();
    const next = uffd[Symbol.asyncIterator]().next();
    await turn();
    uffd.close();
    expect(await next).toEqual({ value: undefined, done: true });
  });

  it("gives each message to one of two readers", async () => {
    const { space, uffd, at } = await withMissing();
    const readers = [uffd[Symbol.asyncIterator](), uffd[Symbol.asyncIterator]()];
    const results = readers.map((reader) => reader.next());
    await turn();
    space.read(at);
    space.read(at + PAGE);
    const addresses = (await Promise.all(results)).map(({ value }) => (value as PagefaultMessage).address);
    expect(addresses.sort()).toEqual([at, at + PAGE]);
    await Promise.all(readers.map((reader) => reader.return(undefined)));
  });

  it("read after close gives EBADF, close after close too", async () => {
    const { uffd } = await withMissing();
    uffd.close();
    expect(() => uffd.read()).toThrow("EBADF");
    expect(() => {
      uffd.close();
    }).toThrow("EBADF");
    expect(uffd.isClosed).toBe(true);
  });
});

/** Lets everything run that waits for promises only. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
