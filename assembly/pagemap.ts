import { OK } from "./abi";
import { frameOf, isGuard, isNone, isPresent, isUffdWp, isZeroPage, pfnOf } from "./entry";
import { contentOf } from "./frames";
import { slotIn, walk } from "./walk";

/**
 * Reading a range out, one u64 a page: the words of /proc/PID/pagemap as root sees them (`fs/proc/task_mmu.c:pte_to_pagemap_entry`), the
 * raw entries, or the contents of the pages.
 *
 *   63      62      61   60 59 58    57      56        55         54                    0
 *   ┌───────┬───────┬────┬─────┬─────┬───────┬─────────┬──────────┬──────────────────────┐
 *   │present│swapped│file│  0  │guard│uffd-wp│exclusive│soft-dirty│ PFN, or type+offset  │
 *   └───────┴───────┴────┴─────┴─────┴───────┴─────────┴──────────┴──────────────────────┘
 */

const PAGEMAP_PRESENT: u64 = 1 << 63;
const PAGEMAP_SWAPPED: u64 = 1 << 62;
const PAGEMAP_GUARD: u64 = 1 << 58;
const PAGEMAP_UFFD_WP: u64 = 1 << 57;
const PAGEMAP_EXCLUSIVE: u64 = 1 << 56;
const PAGEMAP_OFFSET_SHIFT: u64 = 5;
const SWAP_TYPE_SHIFT: u64 = 59;
/** A swap offset is stored inverted in bits 9 to 58. */
const SWAP_OFFSET_SHIFT: u64 = 9;
const SWAP_OFFSET_MASK: u64 = (1 << 50) - 1;

/** Where the word of the page that is walked next goes. */
let out: usize = 0;

/** Writes the pagemap word of each page to `target`. */
export function readPagemap(space: usize, firstPage: u64, pageCount: u32, target: usize): void {
  out = target;
  walk<PagemapWords>(space, firstPage, pageCount);
}

/** Writes the raw last-level entry of each page to `target`; 0 where there is no table. */
export function readEntries(space: usize, firstPage: u64, pageCount: u32, target: usize): void {
  out = target;
  walk<RawEntries>(space, firstPage, pageCount);
}

/** Writes the content of each page to `target`; 0 where nothing is mapped, as a read would find. */
export function readContents(space: usize, firstPage: u64, pageCount: u32, target: usize): void {
  out = target;
  walk<Contents>(space, firstPage, pageCount);
}

/** Returns the pagemap word of an entry. */
export function pagemapWord(entry: u64): u64 {
  if (isNone(entry)) return 0;
  const uffdWp = isUffdWp(entry) ? PAGEMAP_UFFD_WP : 0;
  if (isPresent(entry)) return PAGEMAP_PRESENT | uffdWp | (isZeroPage(entry) ? 0 : PAGEMAP_EXCLUSIVE) | pfnOf(entry);
  const offset = (~entry >> SWAP_OFFSET_SHIFT) & SWAP_OFFSET_MASK;
  return (
    PAGEMAP_SWAPPED |
    uffdWp |
    (isGuard(entry) ? PAGEMAP_GUARD : 0) |
    (offset << PAGEMAP_OFFSET_SHIFT) |
    (entry >> SWAP_TYPE_SHIFT)
  );
}


@unmanaged
@final
class PagemapWords {
  word(entry: u64): u64 {
    return pagemapWord(entry);
  }

  slice(space: usize, table: usize, page: u64, pageCount: u32): i32 {
    return writeWords<PagemapWords>(slotIn(table, page), pageCount);
  }

  hole(space: usize, page: u64, pageCount: u64): i32 {
    return writeZeros(pageCount);
  }
}


@unmanaged
@final
class RawEntries {
  word(entry: u64): u64 {
    return entry;
  }

  slice(space: usize, table: usize, page: u64, pageCount: u32): i32 {
    return writeWords<RawEntries>(slotIn(table, page), pageCount);
  }

  hole(space: usize, page: u64, pageCount: u64): i32 {
    return writeZeros(pageCount);
  }
}


@unmanaged
@final
class Contents {
  word(entry: u64): u64 {
    return isPresent(entry) ? contentOf(frameOf(entry)) : 0;
  }

  slice(space: usize, table: usize, page: u64, pageCount: u32): i32 {
    return writeWords<Contents>(slotIn(table, page), pageCount);
  }

  hole(space: usize, page: u64, pageCount: u64): i32 {
    return writeZeros(pageCount);
  }
}

function writeWords<Op>(start: usize, pageCount: u32): i32 {
  let target = out;
  for (let i: u32 = 0; i < pageCount; i++) {
    store<u64>(target, changetype<Op>(0).word(load<u64>(start + ((<usize>i) << 3))));
    target += 8;
  }
  out = target;
  return OK;
}

function writeZeros(pageCount: u64): i32 {
  const bytes = (<usize>pageCount) << 3;
  memory.fill(out, 0, bytes);
  out += bytes;
  return OK;
}
