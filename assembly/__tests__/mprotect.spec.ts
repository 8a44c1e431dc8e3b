import "./support/heap";
import {
  COUNTER_ANON_PAGES,
  COUNTER_PUD_TABLES,
  OK,
  PROTECTION_NONE,
  UPGRADE_NOT_UFFD_WP,
  UPGRADE_WRITABLE,
} from "../abi";
import { changeProtection } from "../mprotect";
import { createSpace } from "../space";
import { counterOf } from "../stats";
import { expectConsistent } from "./support/recount";
import {
  entryAt,
  expectEvents,
  flagsAt,
  frameAt,
  LAST_OF_SLOT,
  MARKER,
  place,
  SLOT,
  WRITTEN,
  WRITTEN_READ_ONLY,
  WRITTEN_WP,
  ZERO,
  ZERO_WP,
} from "./support/spaces";

const WRITTEN_NONE: u64 = 0x0400000000000120;
const WRITTEN_NONE_WP: u64 = 0x0400000000000520;
const ZERO_NONE: u64 = 0x0000000000000320;
const ZERO_NONE_WP: u64 = 0x0000000000000720;
/** A page with a bit that a registration left behind. */
const WRITTEN_STALE: u64 = 0x8000000000000467;

const STATES: u64[] = [0, MARKER, WRITTEN, WRITTEN_READ_ONLY, WRITTEN_WP, ZERO, ZERO_WP];

let space: usize = 0;
const frames = new StaticArray<u64>(7);

function expectStates(expected: u64[]): void {
  for (let i = 0; i < expected.length; i++) {
    expect(flagsAt(space, SLOT + i)).toBe(expected[i], `state ${i}`);
    if (i >= 2) expect(frameAt(space, SLOT + i)).toBe(frames[i], `frame of state ${i}`);
  }
  expect(counterOf(space, COUNTER_ANON_PAGES)).toBe(3);
  expectConsistent(space);
}

describe("changeProtection", () => {
  beforeEach(() => {
    space = createSpace();
    for (let i = 0; i < STATES.length; i++) {
      if (STATES[i] != 0) place(space, SLOT + i, STATES[i]);
      if (i >= 2) frames[i] = frameAt(space, SLOT + i);
    }
  });

  it("takes write permission away for PROT_READ and keeps markers, the uffd-wp bit and dirtiness", () => {
    expect(changeProtection(space, SLOT, 7, 0)).toBe(OK);
    expectStates([0, MARKER, WRITTEN_READ_ONLY, WRITTEN_READ_ONLY, WRITTEN_WP, ZERO, ZERO_WP]);
  });

  it("lets no access through for PROT_NONE, with the PFN inverted", () => {
    expect(changeProtection(space, SLOT, 7, PROTECTION_NONE)).toBe(OK);
    expectStates([0, MARKER, WRITTEN_NONE, WRITTEN_NONE, WRITTEN_NONE_WP, ZERO_NONE, ZERO_NONE_WP]);
    expect(entryAt(space, SLOT + 2) & 0x000ffffffffff000).toBe(~((frames[2] + 0x100000) << 12) & 0x000ffffffffff000);
  });

  it("gives pages back to PROT_READ | PROT_WRITE, protected ones still protected", () => {
    changeProtection(space, SLOT, 7, PROTECTION_NONE);
    changeProtection(space, SLOT, 7, UPGRADE_WRITABLE | UPGRADE_NOT_UFFD_WP);
    expectStates([0, MARKER, WRITTEN, WRITTEN, WRITTEN_WP, ZERO, ZERO_WP]);
  });

  it("gives pages back to PROT_READ without the write bit", () => {
    changeProtection(space, SLOT, 7, PROTECTION_NONE);
    changeProtection(space, SLOT, 7, 0);
    expectStates([0, MARKER, WRITTEN_READ_ONLY, WRITTEN_READ_ONLY, WRITTEN_WP, ZERO, ZERO_WP]);
  });

  it("makes a page with a stale bit writable in a region that is no longer registered, bit and all", () => {
    changeProtection(space, SLOT, 7, UPGRADE_WRITABLE);
    expectStates([0, MARKER, WRITTEN, WRITTEN, WRITTEN_STALE, ZERO, ZERO_WP]);
  });

  it("changes nothing when it is done twice", () => {
    changeProtection(space, SLOT, 7, PROTECTION_NONE);
    changeProtection(space, SLOT, 7, PROTECTION_NONE);
    expectStates([0, MARKER, WRITTEN_NONE, WRITTEN_NONE, WRITTEN_NONE_WP, ZERO_NONE, ZERO_NONE_WP]);
  });

  it("keeps to its range and crosses tables", () => {
    place(space, LAST_OF_SLOT, WRITTEN);
    place(space, LAST_OF_SLOT - 1, WRITTEN);
    place(space, SLOT + 7, WRITTEN);
    changeProtection(space, LAST_OF_SLOT, 4, 0);
    expect(flagsAt(space, LAST_OF_SLOT - 1)).toBe(WRITTEN);
    expect(flagsAt(space, LAST_OF_SLOT)).toBe(WRITTEN_READ_ONLY);
    expect(flagsAt(space, SLOT + 2)).toBe(WRITTEN_READ_ONLY);
    expect(flagsAt(space, SLOT + 7)).toBe(WRITTEN);
    changeProtection(space, SLOT + 7, 0, 0);
    expect(flagsAt(space, SLOT + 7)).toBe(WRITTEN);
    expectConsistent(space);
  });

  it("allocates nothing and counts nothing", () => {
    const other = createSpace();
    expect(changeProtection(other, SLOT, 1 << 20, PROTECTION_NONE)).toBe(OK);
    expect(counterOf(other, COUNTER_PUD_TABLES)).toBe(0);
    changeProtection(space, SLOT, 7, PROTECTION_NONE);
    expectEvents(space, []);
  });
});
