import "./heap";
import {
  COUNTER_ANON_PAGES,
  COUNTER_PMD_TABLES,
  COUNTER_PTE_TABLES,
  COUNTER_PTE_TABLES_ALLOCATED,
  COUNTER_PTE_TABLES_FREED,
  COUNTER_PUD_TABLES,
  SPACE_PGD,
} from "../../abi";
import { counterOf } from "../../stats";
import { markers, occupied } from "../../table";

/**
 * Counts everything in an address space again, entry by entry, with nothing of the engine's own arithmetic, and compares it with what
 * the engine keeps: the two counts of every table, the numbers of tables, the resident pages. No frame may be mapped twice.
 */

const FRAMES_SEEN: u64 = 1 << 18;
const seen = new StaticArray<u8>(1 << 18);

let mistakes: string = "";
/** Tables found, by level: 1 PUD, 2 PMD, 3 PTE. */
const tablesFound = new StaticArray<u64>(4);
let pagesFound: u64 = 0;

/** Expects that all counts of `space` are right. */
export function expectConsistent(space: usize): void {
  expect<string>(recount(space)).toBe("", "a recount finds what the engine has counted");
}

/** Returns what is wrong with the counts of `space`, or an empty string. */
export function recount(space: usize): string {
  mistakes = "";
  pagesFound = 0;
  tablesFound.fill(0);
  seen.fill(0);
  recountTable(<usize>load<u32>(space, SPACE_PGD), 0);
  compare("PUD tables", counterOf(space, COUNTER_PUD_TABLES), tablesFound[1]);
  compare("PMD tables", counterOf(space, COUNTER_PMD_TABLES), tablesFound[2]);
  compare("PTE tables", counterOf(space, COUNTER_PTE_TABLES), tablesFound[3]);
  const allocated = counterOf(space, COUNTER_PTE_TABLES_ALLOCATED);
  compare("PTE tables allocated - freed", allocated - counterOf(space, COUNTER_PTE_TABLES_FREED), tablesFound[3]);
  compare("resident pages", counterOf(space, COUNTER_ANON_PAGES), pagesFound);
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
    if ((entry & 0xfff0000000000fff) != 0x67) mistakes += `entry ${entry} of a level-${level} table; `;
    tablesFound[level + 1] += 1;
    recountTable(<usize>(entry & 0xfffffffffffff000), level + 1);
  }
  if (level == 0) return;
  compare(`entries of a level-${level} table`, occupied(table), used);
  compare(`markers of a level-${level} table`, markers(table), 0);
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
}

/** Poison and guards, also with the bit that a scan leaves on them. */
function isOtherMarker(entry: u64): bool {
  const plain = entry & ~(<u64>4);
  return plain == 0xfffffffffffffa00 || plain == 0xfffffffffffff600;
}

function recountPage(entry: u64): void {
  if ((entry & 0x101) == 0) mistakes += `entry ${entry} is neither none, marker nor present; `;
  const address = ((entry & 1) != 0 ? entry : ~entry) & 0xffffffffff000;
  const frame = (address >> 12) - 0x100000;
  if ((entry & 0x200) != 0) {
    compare("frame of the zero page", frame, 0);
    return;
  }
  pagesFound++;
  if (frame == 0 || frame >= FRAMES_SEEN) {
    mistakes += `frame ${frame} is out of range; `;
    return;
  }
  if (seen[<i32>frame] != 0) mistakes += `frame ${frame} is mapped twice; `;
  seen[<i32>frame] = 1;
}

function compare(what: string, kept: u64, found: u64): void {
  if (kept != found) mistakes += `${what}: ${kept} kept, ${found} found; `;
}
