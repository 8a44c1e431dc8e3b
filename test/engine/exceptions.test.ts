import { describe, expect, it } from "vitest";
import { PAGE, setUp } from "../support/setup.js";

/** Bit 0 of an x86 error code is the present bit of the entry, bit 1 is set for a write, bit 2 for user mode. */
describe("page-fault exceptions by error code", () => {
  const none = { readNotPresent: 0, writeNotPresent: 0, writeProtected: 0 };

  it("0x4: a read where nothing is mapped", async () => {
    const { space, at } = await setUp();
    space.read(at);
    expect(space.counters()).toMatchObject({ ...none, readNotPresent: 1 });
  });

  it("0x6: a write where nothing is mapped", async () => {
    const { space, at } = await setUp();
    space.write(at, 1);
    expect(space.counters()).toMatchObject({ ...none, writeNotPresent: 1 });
  });

  it("0x6, then 0x7: a write to a marker", async () => {
    const { space, uffd, at } = await setUp({ features: ["wp-unpopulated"] });
    uffd.writeProtect(at, PAGE);
    space.write(at, 1);
    expect(space.counters()).toMatchObject({ ...none, writeNotPresent: 1, writeProtected: 1 });
  });

  it("0x7: a write to the zero page", async () => {
    const { space, at } = await setUp();
    space.read(at);
    space.write(at, 1);
    expect(space.counters()).toMatchObject({ ...none, readNotPresent: 1, writeProtected: 1 });
  });

  it("0x4 and 0x6: accesses to a PROT_NONE page, whose entry has the present bit clear", async () => {
    const { space, at } = await setUp();
    space.write(at, 1);
    space.mprotect(at, PAGE, "none");
    expect([space.read(at).outcome, space.write(at, 2).outcome]).toEqual(["SIGSEGV", "SIGSEGV"]);
    expect(space.counters()).toMatchObject({ ...none, readNotPresent: 1, writeNotPresent: 2 });
  });

  it("none: an access that the entry permits, an access that populates, and a fault that goes on after it waited", async () => {
    const { space, uffd, at } = await setUp({ modes: ["missing"] });
    uffd.copy(at, PAGE, { value: 1 });
    space.write(at, 1);
    space.read(at);
    expect(space.counters()).toMatchObject(none);
    const thread = space.read(at + PAGE);
    uffd.copy(at + PAGE, PAGE, { value: 1 });
    expect(thread.outcome).toBe("ok");
    expect(space.counters()).toMatchObject({ ...none, readNotPresent: 1 });
  });
});
