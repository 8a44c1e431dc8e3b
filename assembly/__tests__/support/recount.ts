import "./heap";
import {
  COUNTER_ANON_PAGES,
  COUNTER_FILE_PAGES,
  COUNTER_PMD_TABLES,
  COUNTER_PTE_TABLES,
  COUNTER_PTE_TABLES_ALLOCATED,
  COUNTER_PTE_TABLES_FREED,
  COUNTER_PUD_TABLES,
  COUNTER_SHMEM_PAGES,
  COUNTER_SWAP_ENTRIES,
  SPACE_PGD,
} from "../../abi";
import { FRAME_CACHED, FRAME_HUGETLB, FRAME_SHMEM, wordOf } from "../../frames";
import { counterOf } from "../../stats";
import { markers, occupied, TABLE_OTHERS, TABLE_WRITTEN_KNOWN, TABLE_ZERO_PAGES, tableFlags } from "../../table";
import { writtenBitmap } from "../../written";

/**
 * Counts everything in an address space again, entry by entry, with nothing of the engine's own arithmetic, and compares it with what
 * the engine keeps: the two counts of every table, the numbers of tables with those in reserve, the resident pages of each kind, the swap
 * entries. No frame of a mapping's own may be mapped twice in a space.
 */

const FRAMES_SEEN: u64 = 1 << 18;
const FIRST_HUGE_FRAME: u64 = 1 << 28;
const FRAMES_OF_HUGE: u64 = 512;
const seen = new StaticArray<u8>(1 << 18);
const seenHuge = new StaticArray<u8>(1 << 18);

let mistakes: string = "";
/** Tables found, by level: 1 PUD, 2 PMD, 3 PTE. */
const tablesFound = new StaticArray<u64>(4);
/** Pages found, by kind: 0 anonymous, 1 of files, 2 of shared memory. */
const pagesFound = new StaticArray<u64>(3);
let swapFound: u64 = 0;

/** Expects that all counts of `space` are right. */
export function expectConsistent(space: usize): void {
  expect<string>(recount(space)).toBe("", "a recount finds what the engine has counted");
}

/** Returns what is wrong with the counts of `space`, or an empty string. */
export function recount(space: usize): string {
  mistakes = "";
  pagesFound.fill(0);
  swapFound = 0;
  tablesFound.fill(0);
  seen.fill(0);
  seenHuge.fill(0);
  recountTable(<usize>load<u32>(space, SPACE_PGD), 0);
  compare("PUD tables", counterOf(space, COUNTER_PUD_TABLES), tablesFound[1]);
  compare("PMD tables", counterOf(space, COUNTER_PMD_TABLES), tablesFound[2]);
  compare("PTE tables", counterOf(space, COUNTER_PTE_TABLES), tablesFound[3]);
  const allocated = counterOf(space, COUNTER_PTE_TABLES_ALLOCATED);
  compare("PTE tables allocated - freed", allocated - counterOf(space, COUNTER_PTE_TABLES_FREED), tablesFound[3]);
  compare("resident pages", counterOf(space, COUNTER_ANON_PAGES), pagesFound[0]);
  compare("pages of files", counterOf(space, COUNTER_FILE_PAGES), pagesFound[1]);
  compare("pages of shared memory", counterOf(space, COUNTER_SHMEM_PAGES), pagesFound[2]);
  compare("swap entries", counterOf(space, COUNTER_SWAP_ENTRIES), swapFound);
  return mistakes;
}

/** The PGD (level 0) has no counts; the tables below it have. */
function recountTable(table: usize, level: i32): void {
  if (level == 3) {
    recountLeaves(table);
    return;
  }
  let used: u64 = 0;
  for (let slot = table; slot < table + 4096; slot += 8) {
    const entry = load<u64>(slot);
    if (entry == 0) continue;
    used++;
    if (level == 2 && (entry & 0x81) != 1) {
      recountHuge(entry);
      continue;
    }
    if ((entry & 0xfff0000000000fff) != 0x67) mistakes += `entry ${entry} of a level-${level} table; `;
    tablesFound[level + 1] += 1;
    recountTable(<usize>(entry & 0xfffffffffffff000), level + 1);
  }
  if (level == 0) return;
  compare(`entries of a level-${level} table`, occupied(table), used);
  compare(`markers of a level-${level} table`, markers(table), 0);
}

/** An entry of a PMD table that is no table: a huge page, with a table in reserve unless an object has it, or a marker of hugetlb. */
function recountHuge(entry: u64): void {
  if ((entry & 0x101) == 0) {
    if (entry != 0xfffffffffffffc00 && !isOtherMarker(entry)) mistakes += `huge entry ${entry}; `;
    return;
  }
  const frame = ((((entry & 1) != 0 ? entry : ~entry) & 0xfffffffe00000) >> 12) - 0x100000;
  if (frame < FIRST_HUGE_FRAME || frame % FRAMES_OF_HUGE != 0) mistakes += `first frame ${frame}; `;
  const isZero = (entry & 0x200) != 0;
  const word = wordOf(<u32>frame);
  if ((word & FRAME_HUGETLB) != 0) return;
  if (isZero || (word & FRAME_CACHED) == 0) tablesFound[3] += 1;
  if (isZero) return;
  for (let i: u64 = 0; i < FRAMES_OF_HUGE; i++) noteFrame(frame + i);
}

function recountLeaves(table: usize): void {
  let used: u64 = 0;
  let marked: u64 = 0;
  for (let slot = table; slot < table + 4096; slot += 8) {
    const entry = load<u64>(slot);
    if ((entry & 0xffffffffffffff9f) == 0) continue;
    used++;
    if (entry == 0xfffffffffffffc00) marked++;
    else if (!isOtherMarker(entry)) recountPage(entry);
  }
  compare("entries of a PTE table", occupied(table), used);
  compare("markers of a PTE table", markers(table), marked);
  recountKinds(table);
}

/** What the flags of a table promise, and the bits of its written entries where they are known. */
function recountKinds(table: usize): void {
  const flags = tableFlags(table);
  const bitmap = (flags & TABLE_WRITTEN_KNOWN) != 0 ? writtenBitmap(table) : 0;
  for (let i: usize = 0; i < 512; i++) {
    const entry = load<u64>(table + i * 8);
    const isNone = (entry & 0xffffffffffffff9f) == 0;
    const isProtected = (entry & 0x101) != 0 ? (entry & 0x400) != 0 : entry == 0xfffffffffffffc00 || (entry & 4) != 0;
    if ((entry & 0x201) == 0x201 && (flags & TABLE_ZERO_PAGES) == 0) mistakes += `zero page ${i} without a flag; `;
    const isOther = !isNone && (entry & 1) == 0 && entry != 0xfffffffffffffc00;
    if (isOther && (flags & TABLE_OTHERS) == 0) mistakes += `entry ${entry} without a flag; `;
    if (bitmap == 0) continue;
    const bit = (load<u8>(bitmap + (i >> 3)) >> (<u8>(i & 7))) & 1;
    if (bit != u8(!isProtected)) mistakes += `bit ${i} of the written entries is ${bit}; `;
  }
}

/** Poison and guards, also with the bit that a scan leaves on them. */
function isOtherMarker(entry: u64): bool {
  const plain = entry & ~(<u64>4);
  return plain == 0xfffffffffffffa00 || plain == 0xfffffffffffff600;
}

function recountPage(entry: u64): void {
  if ((entry & 0x101) == 0 && entry >> 59 == 0) {
    swapFound++;
    return;
  }
  if ((entry & 0x101) == 0) mistakes += `entry ${entry} is neither none, marker nor present; `;
  const address = ((entry & 1) != 0 ? entry : ~entry) & 0xffffffffff000;
  const frame = (address >> 12) - 0x100000;
  if ((entry & 0x200) != 0) {
    compare("frame of the zero page", frame, 0);
    return;
  }
  noteFrame(frame);
}

function noteFrame(frame: u64): void {
  const isPart = frame >= FIRST_HUGE_FRAME;
  const index = isPart ? frame - FIRST_HUGE_FRAME : frame;
  if (frame == 0 || index >= FRAMES_SEEN) {
    mistakes += `frame ${frame} is out of range; `;
    return;
  }
  const word = wordOf(<u32>frame);
  const isCached = (word & FRAME_CACHED) != 0;
  pagesFound[!isCached ? 0 : (word & FRAME_SHMEM) != 0 ? 2 : 1] += 1;
  const found = isPart ? seenHuge : seen;
  if (!isCached && found[<i32>index] != 0) mistakes += `frame ${frame} is mapped twice; `;
  found[<i32>index] = 1;
}

function compare(what: string, kept: u64, found: u64): void {
  if (kept != found) mistakes += `${what}: ${kept} kept, ${found} found; `;
}
