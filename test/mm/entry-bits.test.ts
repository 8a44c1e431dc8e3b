import { describe, expect, it } from "vitest";
import { type BitField, decodeEntry, decodePagemap, vmFlags, walkPage } from "../../ts/node.js";
import { MARKER, PAGE, setUp } from "../support/setup.js";

/** Encodings as published, with the PFN left out where there is one. */
const ENTRIES = [
  [0n, "none", "Nothing is mapped here: an access takes a page fault."],
  [0x60n, "none", "Nothing is mapped here: an access takes a page fault."],
  [0x8000000000000067n, "page", "Maps a page: writable, dirty."],
  [0x8400000000000425n, "page", "Maps a page: read-only, dirty, write-protected by userfaultfd."],
  [0x8400000000000025n, "page", "Maps a page: read-only, dirty."],
  [0x8000000000000225n, "zero page", "Maps a zero page: read-only."],
  [0x8000000000000625n, "zero page", "Maps a zero page: read-only, write-protected by userfaultfd."],
  [0x0400000000000520n, "page", "Maps a page: no access (PROT_NONE), dirty, write-protected by userfaultfd."],
  [MARKER, "marker", "PTE_MARKER_UFFD_WP: there is no page, and its first write will be reported."],
  [0xfffffffffffffa00n, "marker", "PTE_MARKER_POISONED: an access ends in SIGBUS."],
  [0xfffffffffffff600n, "marker", "PTE_MARKER_GUARD: an access ends in SIGSEGV."],
  [0xfffffffffffff604n, "marker", "PTE_MARKER_GUARD: an access ends in SIGSEGV."],
  [0x07ffffffffff9c00n, "swap entry", "The page is in slot 49 of swap area 0."],
  [
    0x07ffffffffff9c0cn,
    "swap entry",
    "The page is in slot 49 of swap area 0, and write-protected by userfaultfd when it comes back.",
  ],
] as const;

const HUGE_ENTRIES = [
  [0x80000000000000e7n, "huge page", "Maps a huge page: writable, dirty."],
  [0x84000000000004a5n, "huge page", "Maps a huge page: read-only, dirty, write-protected by userfaultfd."],
  [0x80000000000002a5n, "huge zero page", "Maps a huge zero page: read-only."],
  [0x1067n, "table", "Points to the table of the next level."],
  [MARKER, "marker", "PTE_MARKER_UFFD_WP: there is no page, and its first write will be reported."],
] as const;

const PAGEMAP = [
  [0x420000000000003fn, ["swapped", "uffd-wp", "swap offset", "swap type"]],
  [0x400000000000005fn, ["swapped", "swap offset", "swap type"]],
  [0x440000000000009fn, ["swapped", "guard", "swap offset", "swap type"]],
  [0x4000000000000620n, ["swapped", "swap offset"]],
  [0x8300000000100001n, ["present", "uffd-wp", "exclusive", "PFN"]],
  [0n, []],
] as const;

function coverAllBits(fields: readonly BitField[]): void {
  expect(fields[0]?.high).toBe(63);
  fields.forEach((field, i) => expect((fields[i + 1]?.high ?? -1) + 1).toBe(field.low));
}

/** Puts the fields of a word together again. */
function joined(fields: readonly BitField[]): bigint {
  return fields.reduce((word, { value, low }) => word | (value << BigInt(low)), 0n);
}

function fieldsThatAreSet(fields: readonly BitField[]): string[] {
  return fields.filter(({ value }) => value !== 0n).map(({ name }) => name);
}

describe("an entry, taken apart", () => {
  it.each(ENTRIES)("0x%x of a last-level table", (entry, kind, summary) => {
    const decoded = decodeEntry(entry, "pte");
    expect([decoded.kind, decoded.summary]).toEqual([kind, summary]);
    coverAllBits(decoded.fields);
    expect(joined(decoded.fields)).toBe(entry);
  });

  it.each(HUGE_ENTRIES)("0x%x of a PMD table", (entry, kind, summary) => {
    const decoded = decodeEntry(entry, "pmd");
    expect([decoded.kind, decoded.summary]).toEqual([kind, summary]);
    coverAllBits(decoded.fields);
    expect(joined(decoded.fields)).toBe(entry);
  });

  it("names each bit as Linux does", () => {
    expect(fieldsThatAreSet(decodeEntry(0x8400000000100425n, "pte").fields)).toEqual([
      "_PAGE_BIT_NX",
      "_PAGE_BIT_SAVED_DIRTY (SOFTW5)",
      "PFN",
      "_PAGE_BIT_UFFD_WP (SOFTW2)",
      "_PAGE_BIT_ACCESSED",
      "_PAGE_BIT_USER",
      "_PAGE_BIT_PRESENT",
    ]);
    const swapped = decodeEntry(0x07ffffffffff9c0cn, "pte").fields;
    expect(fieldsThatAreSet(swapped)).toEqual(["swap offset", "_PAGE_SWP_EXCLUSIVE", "_PAGE_SWP_UFFD_WP"]);
  });

  it("says what values mean: frames, inverted ones too, offsets, markers", () => {
    const meaning = (entry: bigint, level: "pte" | "pmd", name: string): string | undefined =>
      decodeEntry(entry, level).fields.find((field) => field.name === name)?.meaning;
    expect(meaning(0x8000000100001067n, "pte", "PFN")).toBe("0x100001");
    expect(meaning(0x000ffffeffffe120n, "pte", "PFN")).toBe("0x100001, stored inverted");
    expect(meaning(0x80000001002000e7n, "pmd", "PFN >> 9")).toBe("frames from 0x100200");
    expect(meaning(0x3067n, "pmd", "PFN")).toBe("table at 0x3000");
    expect(meaning(MARKER, "pte", "swap offset")).toBe("PTE_MARKER_UFFD_WP, stored inverted");
    expect(meaning(MARKER, "pte", "swap type")).toBe("SWP_PTE_MARKER");
  });
});

describe("a pagemap word, taken apart", () => {
  it.each(PAGEMAP)("0x%x", (word, names) => {
    const fields = decodePagemap(word);
    coverAllBits(fields);
    expect(joined(fields)).toBe(word);
    expect(fieldsThatAreSet(fields)).toEqual(names);
  });
});

describe("the walk to a page", () => {
  it("goes through real and shared tables to the entry that readEntries has", async () => {
    const { space, uffd, at } = await setUp({ pages: 2 ** 18, features: ["wp-async"] });
    expect(walkPage(space.engine, space.handle, at / PAGE).map(({ level }) => level)).toEqual(["pgd"]);
    uffd.writeProtect(at, 2 ** 18 * PAGE);
    const shared = walkPage(space.engine, space.handle, at / PAGE + 7);
    expect(shared.map(({ level, isShared, index }) => [level, isShared, index])).toEqual([
      ["pgd", false, 32],
      ["pud", false, 0],
      ["pmd", true, 0],
      ["pte", true, 7],
    ]);
    space.write(at, 1);
    const real = walkPage(space.engine, space.handle, at / PAGE);
    expect(real.map(({ isShared }) => isShared)).toEqual([false, false, false, false]);
    expect(real[3]?.entry).toBe(space.engine.readEntries(space.handle, at / PAGE, 1)[0]);
  });

  it("ends at a hole and at a huge page", async () => {
    const { space, at } = await setUp({ pages: 1024, modes: [] });
    expect(walkPage(space.engine, space.handle, at / PAGE)).toHaveLength(1);
    space.write(at, 1);
    expect(walkPage(space.engine, space.handle, at / PAGE + 512).map(({ level }) => level)).toEqual([
      "pgd",
      "pud",
      "pmd",
    ]);
  });
});

describe("VmFlags", () => {
  it("are those of /proc/PID/smaps", async () => {
    const { space } = await setUp({ modes: ["missing", "wp"] });
    const at = space.mmap({ length: PAGE, kind: "shmem", sharing: "shared", protection: "r" });
    const names = space.vmas.map((vma) =>
      vmFlags(vma)
        .map(({ name }) => name)
        .join(" "),
    );
    expect(names).toEqual(["rd wr mr mw me um uw", "rd sh mr mw me ms"]);
    space.munmap(at, PAGE);
  });
});
