import { OK } from "./abi";
import {
  frameOf,
  hugeFrameOf,
  isGuard,
  isHuge,
  isNone,
  isPresent,
  isUffdWp,
  isZeroPage,
  pfnOf,
  swapOffset,
  swapType,
} from "./entry";
import { contentOf, FRAME_CACHED, FRAME_HUGETLB, FRAMES_PER_HUGE, headOf, mapCount, numberIn, wordOf } from "./frames";
import { partOfHuge } from "./huge";
import { entryOfKind } from "./uniform";
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
const PAGEMAP_FILE: u64 = 1 << 61;
const PAGEMAP_GUARD: u64 = 1 << 58;
const PAGEMAP_UFFD_WP: u64 = 1 << 57;
const PAGEMAP_EXCLUSIVE: u64 = 1 << 56;
const PAGEMAP_OFFSET_SHIFT: u64 = 5;

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

/**
 * Returns the pagemap word of the `index`-th page of a huge entry; the huge zero page counts as a file's, and a marker of hugetlb is no swap.
 * Whether it is exclusive is told of its first page, whichever is asked for (`pagemap_pmd_range` does not advance).
 */
export function hugePagemapWord(entry: u64, index: u32): u64 {
  if (!isHuge(entry)) return isUffdWp(entry) ? PAGEMAP_UFFD_WP : 0;
  const word = pagemapWord(partOfHuge(entry, index));
  if (isZeroPage(entry)) return word | PAGEMAP_FILE;
  return (word & ~PAGEMAP_EXCLUSIVE) | (pagemapWord(partOfHuge(entry, 0)) & PAGEMAP_EXCLUSIVE);
}

/** Returns the bits that say whose a frame is. */
function wordOfFrame(frame: u32): u64 {
  const word = wordOf(frame);
  const counted = (word & FRAME_HUGETLB) != 0 ? headOf(frame) : frame;
  const file = (wordOf(counted) & FRAME_CACHED) != 0 ? PAGEMAP_FILE : 0;
  return file | (mapCount(counted) == 1 ? PAGEMAP_EXCLUSIVE : 0);
}

/** Returns the pagemap word of an entry. */
export function pagemapWord(entry: u64): u64 {
  if (isNone(entry)) return 0;
  const uffdWp = isUffdWp(entry) ? PAGEMAP_UFFD_WP : 0;
  if (isPresent(entry)) {
    return PAGEMAP_PRESENT | uffdWp | (isZeroPage(entry) ? 0 : wordOfFrame(frameOf(entry))) | pfnOf(entry);
  }
  const offset = swapOffset(entry);
  return (
    PAGEMAP_SWAPPED | uffdWp | (isGuard(entry) ? PAGEMAP_GUARD : 0) | (offset << PAGEMAP_OFFSET_SHIFT) | swapType(entry)
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

  huge(space: usize, slot: usize, page: u64, pageCount: u32): i32 {
    const index = <u32>(page & (FRAMES_PER_HUGE - 1));
    for (let i: u32 = 0; i < pageCount; i++) writeWord(hugePagemapWord(load<u64>(slot), index + i));
    return OK;
  }

  hole(space: usize, page: u64, pageCount: u64, shift: u32): i32 {
    return writeZeros(pageCount);
  }

  uniform(space: usize, kind: u32, page: u64, pageCount: u64): i32 {
    return writeEqual(changetype<PagemapWords>(0).word(entryOfKind(kind)), pageCount);
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

  huge(space: usize, slot: usize, page: u64, pageCount: u32): i32 {
    const index = <u32>(page & (FRAMES_PER_HUGE - 1));
    for (let i: u32 = 0; i < pageCount; i++)
      writeWord(isHuge(load<u64>(slot)) ? partOfHuge(load<u64>(slot), index + i) : load<u64>(slot));
    return OK;
  }

  hole(space: usize, page: u64, pageCount: u64, shift: u32): i32 {
    return writeZeros(pageCount);
  }

  uniform(space: usize, kind: u32, page: u64, pageCount: u64): i32 {
    return writeEqual(changetype<RawEntries>(0).word(entryOfKind(kind)), pageCount);
  }
}


@unmanaged
@final
class Contents {
  word(entry: u64): u64 {
    return isPresent(entry) ? numberIn(contentOf(frameOf(entry))) : 0;
  }

  slice(space: usize, table: usize, page: u64, pageCount: u32): i32 {
    return writeWords<Contents>(slotIn(table, page), pageCount);
  }

  huge(space: usize, slot: usize, page: u64, pageCount: u32): i32 {
    const index = <u32>(page & (FRAMES_PER_HUGE - 1));
    for (let i: u32 = 0; i < pageCount; i++)
      writeWord(isHuge(load<u64>(slot)) ? numberIn(contentOf(hugeFrameOf(load<u64>(slot)) + index + i)) : 0);
    return OK;
  }

  hole(space: usize, page: u64, pageCount: u64, shift: u32): i32 {
    return writeZeros(pageCount);
  }

  uniform(space: usize, kind: u32, page: u64, pageCount: u64): i32 {
    return writeEqual(changetype<Contents>(0).word(entryOfKind(kind)), pageCount);
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

function writeWord(word: u64): void {
  store<u64>(out, word);
  out += 8;
}

function writeEqual(word: u64, pageCount: u64): i32 {
  for (let i: u64 = 0; i < pageCount; i++) writeWord(word);
  return OK;
}

function writeZeros(pageCount: u64): i32 {
  const bytes = (<usize>pageCount) << 3;
  memory.fill(out, 0, bytes);
  out += bytes;
  return OK;
}
