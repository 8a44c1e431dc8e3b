import "./support/heap";
import { FIRST_FRAME_PFN } from "../abi";
import {
  frameOf,
  isGuard,
  isMarker,
  isNone,
  isPoison,
  isPresent,
  isTable,
  isUffdWp,
  isZeroPage,
  leafEntry,
  permitsRead,
  permitsWrite,
  pfnOf,
  PROTECTION_NO_ACCESS,
  PROTECTION_READ,
  tableEntry,
  tableOf,
  UFFD_WP_MARKER,
  withDirty,
  withoutUffdWp,
  withProtection,
  withUffdWp,
  withWrite,
  writeProtected,
  zeroPageEntry,
} from "../entry";

const ANON_WRITTEN: u64 = 0x8000000000000067;
const PFN_BITS: u64 = 0x000ffffffffff000;
const POISON_MARKER: u64 = 0xfffffffffffffa00;
const GUARD_MARKER: u64 = 0xfffffffffffff600;
const STRAY_GUARD_MARKER: u64 = 0xfffffffffffff604;
const STRAY_POISON_MARKER: u64 = 0xfffffffffffffa04;
const SWAP_ENTRY: u64 = 0x07ffffffffff9c00;
const SWAP_EXCLUSIVE_WP: u64 = 0x07ffffffffff9c0c;
const MIGRATION_ENTRY: u64 = 0xdfffe7fffdb97400;

/** Every bit that an entry of the model may have besides its PFN; `subset` picks from them. */
const FLAG_BITS: StaticArray<i32> = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 58, 63];
const SUBSETS: u32 = 1 << 14;
const SOME_PFN: u64 = 0x000a5a5a5a5a5000;

function subset(number: u32): u64 {
  let entry: u64 = 0;
  for (let i = 0; i < FLAG_BITS.length; i++) {
    if (((number >> i) & 1) != 0) entry |= (<u64>1) << FLAG_BITS[i];
  }
  return entry;
}

function bit(entry: u64, index: i32): u64 {
  return (entry >> index) & 1;
}

function withBit(entry: u64, index: i32, value: u64): u64 {
  return (entry & ~((<u64>1) << index)) | (value << index);
}

/** The helpers, said again bit by bit as the kernel's documentation says them. */
function naiveWriteProtected(entry: u64): u64 {
  let result = withBit(entry, 1, 0);
  if (bit(entry, 6) == 1) result = withBit(withBit(result, 6, 0), 58, 1);
  return result;
}

function naiveWithWrite(entry: u64): u64 {
  let result = withBit(entry, 1, 1);
  if (bit(entry, 58) == 1) result = withBit(withBit(result, 58, 0), 6, 1);
  return result;
}

function naiveWithDirty(entry: u64): u64 {
  return bit(entry, 1) == 1 ? withBit(entry, 6, 1) : withBit(entry, 58, 1);
}

function isKept(index: i32): bool {
  if (index >= 12 && index <= 51) return true; // PFN
  if (index == 3 || index == 4 || index == 7) return true; // PWT, PCD, PAT
  return index == 5 || index == 6 || index == 9 || index == 10 || index == 11 || index == 58;
}

function naiveWithProtection(entry: u64, protection: u64): u64 {
  const crosses = bit(entry, 0) != bit(protection, 0);
  let result: u64 = 0;
  for (let index = 0; index < 64; index++) {
    let value = bit(isKept(index) ? entry : protection, index);
    if (crosses && index >= 12 && index <= 51) value ^= 1;
    result = withBit(result, index, value);
  }
  if (bit(entry, 1) == 1 && bit(protection, 1) == 0 && bit(entry, 6) == 1) {
    result = withBit(withBit(result, 6, 0), 58, 1);
  }
  return result;
}

describe("published values", () => {
  it("builds a written anonymous page", () => {
    const entry = withWrite(withDirty(PROTECTION_READ));
    expect(entry).toBe(ANON_WRITTEN);
    expect(withDirty(withWrite(PROTECTION_READ))).toBe(ANON_WRITTEN);
  });

  it("protects it, and resolves it with and without giving the write bit back", () => {
    const wp = withUffdWp(ANON_WRITTEN);
    expect(wp).toBe(0x8400000000000425);
    expect(withoutUffdWp(wp)).toBe(0x8400000000000025);
    expect(withWrite(withoutUffdWp(wp))).toBe(ANON_WRITTEN);
  });

  it("builds the zero page plain and protected", () => {
    expect(zeroPageEntry(PROTECTION_READ) & ~PFN_BITS).toBe(0x8000000000000225);
    expect(withUffdWp(zeroPageEntry(PROTECTION_READ)) & ~PFN_BITS).toBe(0x8000000000000625);
  });

  it("keeps uffd-wp and the saved dirty bit under PROT_NONE, with the PFN inverted", () => {
    const wp = withUffdWp(leafEntry(0x12345, 0x8000000000000067));
    const none = withProtection(wp, PROTECTION_NO_ACCESS);
    expect(none & ~PFN_BITS).toBe(0x0400000000000520);
    expect(none & PFN_BITS).toBe(~((<u64>FIRST_FRAME_PFN + 0x12345) << 12) & PFN_BITS);
    expect(withProtection(none, PROTECTION_READ)).toBe(wp);
  });

  it("treats a 2 MiB leaf and the huge zero page as it does small ones", () => {
    expect(withUffdWp(0x80000000000000e7)).toBe(0x84000000000004a5);
    expect(withUffdWp(0x80000000000002a5)).toBe(0x80000000000006a5);
  });

  it("builds the protections of shared mappings as they are", () => {
    expect(leafEntry(0, 0x8000000000000027) & ~PFN_BITS).toBe(0x8000000000000027);
    expect(leafEntry(0, PROTECTION_READ) & ~PFN_BITS).toBe(0x8000000000000025);
    expect(PROTECTION_NO_ACCESS).toBe(0x120);
    expect(tableEntry(0x7000)).toBe(0x7067);
  });

  it("derives the marker from swap type 31 and the inverted offset 1", () => {
    const offset: u64 = ~(<u64>1) & (((<u64>1) << 50) - 1);
    expect(UFFD_WP_MARKER).toBe(((<u64>31) << 59) | (offset << 9));
    expect(UFFD_WP_MARKER).toBe(0xfffffffffffffc00);
  });
});

describe("states", () => {
  it("calls an entry none also with the accessed and dirty bits", () => {
    expect(isNone(0)).toBe(true);
    expect(isNone(0x20)).toBe(true);
    expect(isNone(0x40)).toBe(true);
    expect(isNone(0x60)).toBe(true);
    for (let index = 0; index < 64; index++) {
      if (index == 5 || index == 6) continue;
      expect(isNone(withBit(0x60, index, 1))).toBe(false, `bit ${index}`);
    }
  });

  it("knows every kind of marker, and the write-protect bit that a scan leaves on poison and guards", () => {
    expect(isMarker(UFFD_WP_MARKER)).toBe(true);
    expect(isUffdWp(UFFD_WP_MARKER)).toBe(true);
    const others: u64[] = [POISON_MARKER, GUARD_MARKER, STRAY_GUARD_MARKER, STRAY_POISON_MARKER];
    for (let i = 0; i < others.length; i++) {
      expect(isMarker(others[i])).toBe(true, `marker ${i}`);
      expect(isUffdWp(others[i])).toBe(i >= 2, `uffd-wp of marker ${i}`);
      expect(isPoison(others[i])).toBe(i == 0 || i == 3, `poison of marker ${i}`);
      expect(isGuard(others[i])).toBe(i == 1 || i == 2, `guard of marker ${i}`);
      expect(isNone(others[i])).toBe(false, `none of marker ${i}`);
      expect(isPresent(others[i])).toBe(false, `present of marker ${i}`);
    }
  });

  it("takes neither swap nor migration entries nor present ones for markers", () => {
    const notPresent: u64[] = [SWAP_ENTRY, SWAP_EXCLUSIVE_WP, MIGRATION_ENTRY, 0, 0x60];
    for (let i = 0; i < notPresent.length; i++) {
      expect(isMarker(notPresent[i])).toBe(false, `entry ${i}`);
      expect(isUffdWp(notPresent[i])).toBe(i == 1, `uffd-wp of entry ${i}`);
    }
    expect(isMarker(0xffffffffffffffff)).toBe(false);
    expect(isMarker(0xf800000000000100)).toBe(false);
  });

  it("calls an entry present by its present or its protnone bit", () => {
    expect(isPresent(1)).toBe(true);
    expect(isPresent(0x100)).toBe(true);
    expect(isPresent(0x120)).toBe(true);
    expect(isPresent(~(<u64>0x101))).toBe(false);
    expect(isTable(0x7067)).toBe(true);
    expect(isTable(0)).toBe(false);
  });

  it("permits what the processor permits", () => {
    for (let number: u32 = 0; number < 4; number++) {
      const entry: u64 = number | 0x8000000000000124;
      expect(permitsRead(entry)).toBe(bit(entry, 0) == 1, `read of ${number}`);
      expect(permitsWrite(entry)).toBe(bit(entry, 0) == 1 && bit(entry, 1) == 1, `write of ${number}`);
    }
    expect(permitsRead(UFFD_WP_MARKER)).toBe(false);
    expect(permitsWrite(UFFD_WP_MARKER)).toBe(false);
  });

  it("reads uffd-wp of a present entry from bit 10 alone", () => {
    let wrong = 0;
    for (let number: u32 = 0; number < SUBSETS; number++) {
      const entry = subset(number) | SOME_PFN;
      if (!isPresent(entry)) continue;
      if (isUffdWp(entry) != (bit(entry, 10) == 1)) wrong++;
      if (isMarker(entry) || isNone(entry)) wrong++;
      if (isZeroPage(entry) != (bit(entry, 9) == 1)) wrong++;
    }
    expect(wrong).toBe(0);
  });
});

describe("arithmetic", () => {
  it("agrees with the bit-by-bit statement for every set of flags", () => {
    let wrong = 0;
    for (let number: u32 = 0; number < SUBSETS; number++) {
      const entry = subset(number) | SOME_PFN;
      if (writeProtected(entry) != naiveWriteProtected(entry)) wrong++;
      if (withUffdWp(entry) != withBit(naiveWriteProtected(entry), 10, 1)) wrong++;
      if (withoutUffdWp(entry) != withBit(entry, 10, 0)) wrong++;
      if (withWrite(entry) != naiveWithWrite(entry)) wrong++;
      if (withDirty(entry) != naiveWithDirty(entry)) wrong++;
    }
    expect(wrong).toBe(0);
  });

  it("replaces the protection as the bit-by-bit statement does for every present set of flags", () => {
    let wrong = 0;
    for (let number: u32 = 0; number < SUBSETS; number++) {
      const entry = subset(number) | SOME_PFN;
      if (!isPresent(entry)) continue;
      if (withProtection(entry, PROTECTION_READ) != naiveWithProtection(entry, PROTECTION_READ)) wrong++;
      if (withProtection(entry, PROTECTION_NO_ACCESS) != naiveWithProtection(entry, PROTECTION_NO_ACCESS)) wrong++;
    }
    expect(wrong).toBe(0);
  });

  it("loses nothing of a page that is protected, resolved and made writable again", () => {
    let wrong = 0;
    for (let number: u32 = 0; number < SUBSETS; number++) {
      const entry = withBit(withBit(subset(number) | SOME_PFN, 1, 1), 58, 0);
      if (withWrite(withoutUffdWp(withUffdWp(entry))) != withBit(entry, 10, 0)) wrong++;
    }
    expect(wrong).toBe(0);
  });

  it("is done when it is done twice", () => {
    expect(withUffdWp(0x8400000000000425)).toBe(0x8400000000000425);
    expect(writeProtected(0x8400000000000025)).toBe(0x8400000000000025);
    expect(withWrite(ANON_WRITTEN)).toBe(ANON_WRITTEN);
    expect(withProtection(0x8000000000000025, PROTECTION_READ)).toBe(0x8000000000000025);
  });
});

describe("frame numbers", () => {
  it("survive both forms of an entry", () => {
    const frames: u32[] = [0, 1, 511, 512, 0x12345, (1 << 29) - 1];
    for (let i = 0; i < frames.length; i++) {
      const frame = frames[i];
      expect(frameOf(leafEntry(frame, PROTECTION_READ))).toBe(frame, `frame ${frame}`);
      expect(frameOf(leafEntry(frame, PROTECTION_NO_ACCESS))).toBe(frame, `frame ${frame} under PROT_NONE`);
      expect(pfnOf(leafEntry(frame, PROTECTION_NO_ACCESS))).toBe(<u64>frame + 0x100000);
      expect(frameOf(withUffdWp(withWrite(leafEntry(frame, PROTECTION_READ))))).toBe(frame);
    }
  });

  it("stand inverted in an entry that no access may use", () => {
    const entry = leafEntry(0x12345, PROTECTION_NO_ACCESS);
    expect(entry).toBe((~(<u64>0x112345000) & PFN_BITS) | 0x120);
    expect(zeroPageEntry(PROTECTION_NO_ACCESS)).toBe((~(<u64>0x100000000) & PFN_BITS) | 0x320);
    expect(frameOf(zeroPageEntry(PROTECTION_NO_ACCESS))).toBe(0);
  });

  it("do not mix with the offsets of tables", () => {
    expect(tableOf(tableEntry(0xfffff000))).toBe(0xfffff000);
    expect(tableOf(tableEntry(0x1000))).toBe(0x1000);
  });
});
