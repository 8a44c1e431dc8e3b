import {
  CELL_FLAGS_SHIFT,
  CELL_HUGE,
  CELL_NOTABLE_SHIFT,
  CELL_PMD_REAL,
  CELL_PMD_SHARED,
  CELL_PTE_MISSING,
  CELL_PTE_REAL,
  CELL_PTE_SHARED,
  CELL_PUD_REAL,
  CELL_PUD_SHARED,
  CELL_SHARE_SHIFT,
  OK,
  PAGE_LIMIT_BITS,
  STATE_CLEAN,
  STATE_COUNT,
  STATE_DIRTY,
  STATE_GUARD,
  STATE_HUGE_CLEAN,
  STATE_HUGE_DIRTY,
  STATE_HUGE_WP,
  STATE_MARKER,
  STATE_NONE,
  STATE_POISON,
  STATE_SWAP,
  STATE_SWAP_WP,
  STATE_WP,
  STATE_ZERO,
  STATE_ZERO_WP,
  TILE_CELLS,
} from "./abi";
import { reserve } from "./arena";
import {
  isDirty,
  isGuard,
  isNone,
  isPoison,
  isPresent,
  isZeroPage,
  PFN_MASK,
  SWAP_UFFD_WP,
  UFFD_WP,
  UFFD_WP_MARKER,
} from "./entry";
import { ENTRIES_PER_TABLE, ENTRY_BYTES, PMD_SHIFT, PUD_SHIFT } from "./geometry";
import { columnOf, pageAt, rowOf } from "./plane";
import { markers, occupied, placeShift, placeSlot } from "./table";
import { entryOfKind } from "./uniform";
import { slotIn, slotsEnd, walk } from "./walk";

/**
 * An address space as a picture, and the same in numbers: which states the entries of a range have, and which tables they are in. What is
 * below a template is done at one go. The pages of a cell that holds whole tables are a run, so the walk comes to them one after the other
 * and their states are counted until the cell is complete.
 */

/** From this zoom on, a cell holds whole last-level tables. */
const ZOOM_OF_TABLES: u32 = 5;
const COLUMNS: u32 = 32;
const ROWS: u32 = 16;
const FULL_SHARE: u32 = 255;

/** Pages by state of what is counted now, and a bit for each state that is not 0. */
const counts: usize = reserve(STATE_COUNT * 8);
let seen: u32 = 0;
/** CELL_ flags of it. */
let flags: u32 = 0;

/** The tile that is being drawn: where its cells go, its zoom and its first page. */
let cells: usize = 0;
let zoom: u32 = 0;
let origin: u64 = 0;

/** Draws the tile at a column and a row of tiles of `tileZoom` to `target`: TILE_CELLS × TILE_CELLS cells. */
export function drawTile(space: usize, tileZoom: u32, tileColumn: u32, tileRow: u32, target: usize): void {
  cells = target;
  zoom = tileZoom;
  const side = (<u32>TILE_CELLS) << zoom;
  origin = pageAt(tileColumn * side, tileRow * side);
  const limit = (<u64>1) << PAGE_LIMIT_BITS;
  const end = min(limit, origin + <u64>side * side);
  if (end - origin < <u64>side * side) memory.fill(cells, 0, TILE_CELLS * TILE_CELLS * 4);
  clear();
  if (origin < limit) walk<Draw>(space, origin, end - origin);
}

/** Writes to `target` how many pages of a range are in each state: STATE_COUNT u64. */
export function countStates(space: usize, firstPage: u64, pageCount: u64, target: usize): void {
  clear();
  walk<Count>(space, firstPage, pageCount);
  memory.copy(target, counts, STATE_COUNT * 8);
}

/** Returns the state of a last-level entry. */
export function stateOf(entry: u64): u32 {
  if (isPresent(entry)) {
    const isProtected = (entry & UFFD_WP) != 0;
    if (isZeroPage(entry)) return isProtected ? STATE_ZERO_WP : STATE_ZERO;
    if (isProtected) return STATE_WP;
    return isDirty(entry) ? STATE_DIRTY : STATE_CLEAN;
  }
  if (isNone(entry)) return STATE_NONE;
  if ((entry & ~SWAP_UFFD_WP) == UFFD_WP_MARKER) return STATE_MARKER;
  if (isPoison(entry)) return STATE_POISON;
  if (isGuard(entry)) return STATE_GUARD;
  return (entry & SWAP_UFFD_WP) != 0 ? STATE_SWAP_WP : STATE_SWAP;
}

/** Returns the state of a PMD entry that is no table: it maps a huge page, or is a marker of hugetlb. */
function stateOfHuge(entry: u64): u32 {
  const state = stateOf(entry);
  if (state == STATE_CLEAN) return STATE_HUGE_CLEAN;
  if (state == STATE_WP) return STATE_HUGE_WP;
  return state == STATE_DIRTY ? STATE_HUGE_DIRTY : state;
}


@unmanaged
@final
class Draw {
  slice(space: usize, table: usize, page: u64, pageCount: u32): i32 {
    const inTable = CELL_PUD_REAL | CELL_PMD_REAL | CELL_PTE_REAL;
    const state = stateOfTable(table);
    if (state != STATE_COUNT) {
      addRun(page, pageCount, state, inTable);
    } else if (zoom < ZOOM_OF_TABLES) {
      drawTable(table, page, inTable);
    } else {
      countEntries(table, page, pageCount);
      endRun(page, pageCount, inTable);
    }
    return OK;
  }

  huge(space: usize, slot: usize, page: u64, pageCount: u32): i32 {
    addRun(page, pageCount, stateOfHuge(load<u64>(slot)), CELL_PUD_REAL | CELL_PMD_REAL | CELL_HUGE);
    return OK;
  }

  hole(space: usize, page: u64, pageCount: u64, shift: u32): i32 {
    addRun(page, pageCount, STATE_NONE, tablesAbove() | CELL_PTE_MISSING);
    return OK;
  }

  uniform(space: usize, kind: u32, page: u64, pageCount: u64): i32 {
    addRun(page, pageCount, stateOf(entryOfKind(kind)), tablesAbove() | CELL_PTE_SHARED);
    return OK;
  }
}


@unmanaged
@final
class Count {
  slice(space: usize, table: usize, page: u64, pageCount: u32): i32 {
    const state = stateOfTable(table);
    if (state != STATE_COUNT) count(state, pageCount);
    else countEntries(table, page, pageCount);
    return OK;
  }

  huge(space: usize, slot: usize, page: u64, pageCount: u32): i32 {
    count(stateOfHuge(load<u64>(slot)), pageCount);
    return OK;
  }

  hole(space: usize, page: u64, pageCount: u64, shift: u32): i32 {
    count(STATE_NONE, pageCount);
    return OK;
  }

  uniform(space: usize, kind: u32, page: u64, pageCount: u64): i32 {
    count(stateOf(entryOfKind(kind)), pageCount);
    return OK;
  }
}

/** Returns the CELL_ flags of the tables above what the walk hands out now, which hangs from the entry at `placeSlot`. */
function tablesAbove(): u32 {
  const isTemplate = load<u64>(placeSlot) != 0;
  if (placeShift == <u32>PMD_SHIFT) return CELL_PUD_REAL | CELL_PMD_REAL;
  if (placeShift == <u32>PUD_SHIFT) return CELL_PUD_REAL | (isTemplate ? CELL_PMD_SHARED : 0);
  return isTemplate ? CELL_PUD_SHARED | CELL_PMD_SHARED : 0;
}

/** Returns the state that the counts of a table say all its entries have, or STATE_COUNT where they do not tell. */
function stateOfTable(table: usize): u32 {
  if (occupied(table) == 0) return STATE_NONE;
  return markers(table) == ENTRIES_PER_TABLE ? STATE_MARKER : STATE_COUNT;
}

/** Draws a run of pages that are all alike: whole cells, or a part of one. */
function addRun(page: u64, pageCount: u64, state: u32, itsFlags: u32): void {
  if (zoom >= ZOOM_OF_TABLES && pageCount < (<u64>1) << (2 * zoom)) {
    count(state, pageCount);
    endRun(page, pageCount, itsFlags);
    return;
  }
  const columns = (columnOf(pageCount - 1) >> zoom) + 1;
  const rows = (rowOf(pageCount - 1) >> zoom) + 1;
  const word = cellWord(state, state, FULL_SHARE, itsFlags);
  let row = cellOf(page);
  for (let y: u32 = 0; y < rows; y++) {
    for (let x: u32 = 0; x < columns; x++) store<u32>(row + ((<usize>x) << 2), word);
    row += TILE_CELLS * 4;
  }
}

/** Notes the flags of pages that have been counted, and draws their cell if they are its last. */
function endRun(page: u64, pageCount: u64, itsFlags: u32): void {
  flags |= itsFlags;
  const pagesEach = (<u64>1) << (2 * zoom);
  if (((page + pageCount) & (pagesEach - 1)) == 0) drawCell(cellOf(page & ~(pagesEach - 1)), pagesEach);
}

/** Draws the cells of a last-level table. */
function drawTable(table: usize, page: u64, itsFlags: u32): void {
  const side = (<u32>1) << zoom;
  for (let y: u32 = 0; y < ROWS; y += side) {
    for (let x: u32 = 0; x < COLUMNS; x += side) {
      flags = itsFlags;
      countSquare(table + ((<usize>(y * COLUMNS + x)) << 3), side);
      drawCell(cellOf(page + (y * COLUMNS + x)), side * side);
    }
  }
}

/** Counts entries of a square of a table, the first of which is at `slot`. */
function countSquare(slot: usize, side: u32): void {
  for (let row: u32 = 0; row < side; row++) {
    countSlots(slot, slot + <usize>side * ENTRY_BYTES);
    slot += COLUMNS * ENTRY_BYTES;
  }
}

function countEntries(table: usize, page: u64, pageCount: u32): void {
  const slot = slotIn(table, page);
  countSlots(slot, slotsEnd(slot, pageCount));
}

/** Counts entries; neighbours that differ in the frame only are looked at once. */
function countSlots(slot: usize, end: usize): void {
  while (slot < end) {
    const entry = load<u64>(slot);
    const differs = isPresent(entry) ? ~PFN_MASK : ~(<u64>0);
    const first = slot;
    do {
      slot += ENTRY_BYTES;
    } while (slot < end && ((load<u64>(slot) ^ entry) & differs) == 0);
    count(stateOf(entry), (slot - first) >> 3);
  }
}

function count(state: u32, pages: u64): void {
  const slot = counts + ((<usize>state) << 3);
  store<u64>(slot, load<u64>(slot) + pages);
  seen |= 1 << state;
}

function clear(): void {
  memory.fill(counts, 0, STATE_COUNT * 8);
  seen = 0;
  flags = 0;
}

/** Draws a cell of what was counted, and clears the counts. */
function drawCell(cell: usize, pages: u64): void {
  const usual = usualState();
  const others = seen & ~(1 << usual);
  const notable = others == 0 ? usual : <u32>31 - clz<u32>(others);
  const share = (load<u64>(counts + ((<usize>notable) << 3)) * FULL_SHARE) / pages;
  store<u32>(cell, cellWord(usual, notable, max(<u32>share, 1), flags));
  clear();
}

/** Returns the state that most pages have; of two that are equal, the more notable one. */
function usualState(): u32 {
  let usual: u32 = 0;
  let most: u64 = 0;
  for (let left = seen; left != 0; left &= left - 1) {
    const state = ctz<u32>(left);
    const pages = load<u64>(counts + ((<usize>state) << 3));
    if (pages < most) continue;
    most = pages;
    usual = state;
  }
  return usual;
}

function cellWord(usual: u32, notable: u32, share: u32, itsFlags: u32): u32 {
  return usual | (notable << CELL_NOTABLE_SHIFT) | (share << CELL_SHARE_SHIFT) | (itsFlags << CELL_FLAGS_SHIFT);
}

/** Returns where the cell of a page is in the tile. */
function cellOf(page: u64): usize {
  const column = columnOf(page - origin) >> zoom;
  const row = rowOf(page - origin) >> zoom;
  return cells + ((<usize>(row * TILE_CELLS + column)) << 2);
}
