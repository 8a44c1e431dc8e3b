import { describe, expect, it } from "vitest";
import { MARKER_WORD, PAGE, setUp, word, WP_BIT } from "../support/setup.js";

/** The kernel's own test of WP_UNPOPULATED (tools/testing/selftests/mm/uffd-unit-tests.c: wp-unpopulated), step by step. */
describe("the kernel's wp-unpopulated test", () => {
  it("protects what does not exist, and every way of losing the protection works", async () => {
    const { space, uffd, at, bytes } = await setUp({ features: ["pagefault-flag-wp", "wp-unpopulated"] });

    uffd.writeProtect(at, bytes); // on entries that are none: markers
    expect(word(space, at)).toBe(MARKER_WORD);
    uffd.removeWriteProtection(at, bytes); // markers go
    expect(word(space, at)).toBe(0n);

    uffd.writeProtect(at, bytes);
    space.madvise(at, PAGE, "dontneed"); // drops the marker of anonymous memory
    expect(word(space, at)).toBe(0n);
    expect(space.write(at, 1).outcome).toBe("ok"); // so this is not trapped
    expect(word(space, at) & WP_BIT).toBe(0n);

    space.madvise(at, PAGE, "dontneed");
    uffd.writeProtect(at, bytes);
    const read = space.read(at); // the zero page, which does not hang
    expect([read.outcome, read.value]).toEqual(["ok", 0]);
    expect(word(space, at) & WP_BIT).toBe(WP_BIT);
    space.madvise(at, PAGE, "dontneed");
    expect(word(space, at)).toBe(0n);
  });

  it("costs table memory that stays until the mapping goes", async () => {
    const { space, uffd, at, bytes } = await setUp({ features: ["wp-unpopulated"], pages: 2048 });
    expect(space.status()).toEqual({ tableBytes: 0, anonPages: 0, filePages: 0, shmemPages: 0, swapPages: 0 });
    uffd.writeProtect(at, PAGE);
    expect(space.status().tableBytes).toBe(12 * 1024);
    uffd.writeProtect(at + 511 * PAGE, PAGE);
    expect(space.status().tableBytes).toBe(12 * 1024);
    uffd.writeProtect(at + 512 * PAGE, PAGE);
    expect(space.status().tableBytes).toBe(16 * 1024);
    uffd.writeProtect(at, bytes);
    expect(space.status().tableBytes).toBe(24 * 1024);
    uffd.removeWriteProtection(at, bytes);
    expect([...space.pagemap(at, 2048)].every((entry) => entry === 0n)).toBe(true);
    expect(space.status().tableBytes).toBe(24 * 1024);
    space.munmap(at, bytes);
    expect(space.status()).toEqual({ tableBytes: 0, anonPages: 0, filePages: 0, shmemPages: 0, swapPages: 0 });
  });

  it("does nothing to what does not exist without the feature", async () => {
    const { space, uffd, at, bytes } = await setUp({ pages: 512 });
    uffd.writeProtect(at, bytes);
    expect(space.status().tableBytes).toBe(0);
    const thread = space.write(at, 1);
    expect([thread.outcome, thread.minflt, uffd.pendingMessages]).toEqual(["ok", 1, 0]);
  });
});

describe("faults on protected memory", () => {
  it("a write to a marker takes two faults, and the page is there while the second waits", async () => {
    const { space, uffd, at } = await setUp({ features: ["wp-unpopulated"] });
    uffd.writeProtect(at, PAGE);
    const thread = space.write(at, 5);
    expect(thread.outcome).toBe("blocked");
    expect(word(space, at) >> 63n).toBe(1n);
    expect(word(space, at) & WP_BIT).toBe(WP_BIT);
    expect(uffd.read()).toEqual({ event: "pagefault", address: at, kind: "wp", access: "write" });
    uffd.removeWriteProtection(at, PAGE);
    expect([thread.outcome, thread.minflt, thread.majflt]).toEqual(["ok", 2, 0]);
    expect(space.read(at).value).toBe(5);
  });

  it("an exclusive page is writable as soon as its protection is removed, the zero page is not", async () => {
    const { space, uffd, at } = await setUp();
    space.write(at, 1);
    space.read(at + PAGE);
    uffd.writeProtect(at, 2 * PAGE);
    uffd.removeWriteProtection(at, 2 * PAGE);
    expect(space.write(at, 2).minflt).toBe(0);
    expect(space.write(at + PAGE, 2).minflt).toBe(1);
  });

  it("missing comes before the marker, and a copy that protects gives a second message and a major fault", async () => {
    const { space, uffd, at } = await setUp({ features: ["wp-unpopulated"], modes: ["missing", "wp"] });
    uffd.writeProtect(at, PAGE);
    const thread = space.write(at, 5);
    expect(uffd.read()).toMatchObject({ kind: "missing", access: "write" });
    uffd.copy(at, PAGE, { value: 3, writeProtect: true });
    expect(thread.outcome).toBe("blocked");
    expect(uffd.read()).toMatchObject({ kind: "wp", access: "write" });
    uffd.removeWriteProtection(at, PAGE);
    expect([thread.outcome, thread.minflt, thread.majflt]).toEqual(["ok", 0, 1]);
  });

  it("a copy without protection takes the marker's away", async () => {
    const { space, uffd, at } = await setUp({ features: ["wp-unpopulated"], modes: ["missing", "wp"] });
    uffd.writeProtect(at, PAGE);
    const thread = space.write(at, 5);
    uffd.copy(at, PAGE, { value: 3 });
    expect(thread.outcome).toBe("ok");
    expect(word(space, at) & WP_BIT).toBe(0n);
  });

  it("async: a marker costs two faults, a page one, and no message comes", async () => {
    const { space, uffd, at } = await setUp({ features: ["wp-async"] });
    space.write(at + PAGE, 1);
    uffd.writeProtect(at, 2 * PAGE);
    expect(word(space, at)).toBe(MARKER_WORD);
    expect(space.write(at, 2).minflt).toBe(2);
    expect(space.write(at + PAGE, 2).minflt).toBe(1);
    expect(uffd.pendingMessages).toBe(0);
    expect((word(space, at) | word(space, at + PAGE)) & WP_BIT).toBe(0n);
  });

  it("a bit that a registration left behind traps nothing and survives the write", async () => {
    const { space, uffd, at } = await setUp({ features: ["wp-unpopulated"] });
    space.write(at, 1);
    uffd.writeProtect(at, 2 * PAGE);
    uffd.register(at, 8 * PAGE, ["missing"]);
    expect(space.write(at, 2).minflt).toBe(1);
    expect(space.write(at, 3).minflt).toBe(0);
    expect(word(space, at) & WP_BIT).toBe(WP_BIT);
    const stale = space.write(at + PAGE, 4); // the marker beside it: cleared, then missing
    expect(uffd.read()).toMatchObject({ kind: "missing", access: "write" });
    expect([stale.outcome, word(space, at + PAGE)]).toEqual(["blocked", 0n]);
  });

  it("a bit that a registration left behind does not keep mprotect from allowing writes", async () => {
    const { space, uffd, at } = await setUp();
    space.write(at, 1);
    uffd.writeProtect(at, PAGE);
    uffd.register(at, 8 * PAGE, ["missing"]);
    space.mprotect(at, PAGE, "r");
    space.mprotect(at, PAGE, "rw");
    const entry = space.engine.readEntries(space.handle, at / PAGE, 1)[0] ?? 0n;
    expect(entry & ~0x000ffffffffff000n).toBe(0x8000000000000467n);
    expect(space.write(at, 2).minflt).toBe(0);
    uffd.register(at, 8 * PAGE, ["wp"]);
    expect([space.write(at, 3).outcome, word(space, at) & WP_BIT]).toEqual(["ok", WP_BIT]);
  });

  it("a protected page in a read-only mapping gives SIGSEGV and no message", async () => {
    const { space, uffd, at } = await setUp();
    space.write(at, 1);
    uffd.writeProtect(at, PAGE);
    space.mprotect(at, PAGE, "r");
    expect(space.write(at, 2).outcome).toBe("SIGSEGV");
    expect(uffd.pendingMessages).toBe(0);
    space.mprotect(at, PAGE, "rw");
    expect(space.write(at, 2).outcome).toBe("blocked");
  });

  it("with the feature sigbus a protected write gives SIGBUS and no message", async () => {
    const { space, uffd, at } = await setUp({ features: ["sigbus"] });
    space.write(at, 1);
    uffd.writeProtect(at, PAGE);
    expect(space.write(at, 2).outcome).toBe("SIGBUS");
    expect([uffd.pendingMessages, space.read(at).value]).toEqual([0, 1]);
  });

  it("with exact-address the message names the byte", async () => {
    const { space, uffd, at } = await setUp({ features: ["exact-address"] });
    space.write(at, 1);
    uffd.writeProtect(at, PAGE);
    space.write(at + 5, 2);
    expect(uffd.read()).toMatchObject({ address: at + 5 });
  });

  it("user-mode-only makes a populate fail with EFAULT, without a message", async () => {
    const { space, uffd, at } = await setUp({ features: ["wp-unpopulated"], userModeOnly: true });
    uffd.writeProtect(at, PAGE);
    expect(() => space.madvise(at, PAGE, "populate-write")).toThrow("EFAULT");
    expect([uffd.pendingMessages, space.counters().wpMessages]).toEqual([0, 0]);
  });
});
