/**
 * Passes over one table in plain JavaScript: 512 entries of two words from `first`. Mixed tables are done without a branch on what an entry
 * is, since it cannot be predicted. Each pass adds what it has changed to `changes`: none or markers, pages, zero pages.
 */
export const PRESENT = 1;
export const WRITABLE = 2;
export const DIRTY = 0x40;
export const SPECIAL = 0x200;
export const UFFD_WP = 0x400;
export const SAVED_DIRTY_HIGH: number = 1 << 26; // bit 58
export const MARKER_LOW: number = 0xfffffc00 | 0;
export const WORDS_PER_TABLE = 1024;
const MARKER_HIGH = -1;
const MARKER_TYPE = 31;
const SWAP_TYPE_SHIFT_HIGH = 27;
const SWAP_UFFD_WP = 4;
const DIRTY_TO_SAVED_HIGH = 20;

/** Entries changed so far: [none or markers, pages, zero pages]. */
export type Changes = Float64Array;

export type Pass = (words: Int32Array, first: number, changes: Changes) => void;

/** Every entry maps a page. */
export const protectPresent: Pass = (words, first, changes) => {
  let changed = 0;
  let zero = 0;
  for (let slot = first; slot < first + WORDS_PER_TABLE; slot += 2) {
    const low = words[slot] as number;
    const isNew = (~low >>> 10) & 1;
    words[slot] = (low & ~(WRITABLE | DIRTY)) | UFFD_WP;
    words[slot + 1] = (words[slot + 1] as number) | ((low & DIRTY) << DIRTY_TO_SAVED_HIGH);
    changed += isNew;
    zero += (low >>> 9) & isNew;
  }
  changes[1] = (changes[1] as number) + changed - zero;
  changes[2] = (changes[2] as number) + zero;
};

export const unprotectPresent: Pass = (words, first, changes) => {
  let changed = 0;
  let zero = 0;
  for (let slot = first; slot < first + WORDS_PER_TABLE; slot += 2) {
    const low = words[slot] as number;
    const high = words[slot + 1] as number;
    const isProtected = (low >>> 10) & 1;
    const isZero = (low >>> 9) & 1;
    const saved = high & SAVED_DIRTY_HIGH & (isZero - 1);
    words[slot] = (low & ~UFFD_WP) | (WRITABLE & (isZero - 1)) | (saved >>> DIRTY_TO_SAVED_HIGH);
    words[slot + 1] = high ^ saved;
    changed += isProtected;
    zero += isZero & isProtected;
  }
  changes[1] = (changes[1] as number) + changed - zero;
  changes[2] = (changes[2] as number) + zero;
};

export const protectMixed: Pass = (words, first, changes) => {
  let marked = 0;
  let changed = 0;
  let zero = 0;
  for (let slot = first; slot < first + WORDS_PER_TABLE; slot += 2) {
    const low = words[slot] as number;
    const high = words[slot + 1] as number;
    const present = -((low | (low >>> 8)) & 1);
    const some = (low & ~0x60) | high;
    const none = ~((some | -some) >> 31);
    const rest = ~(present | none);
    const swapped = rest & (((high >>> SWAP_TYPE_SHIFT_HIGH) - MARKER_TYPE) >> 31);
    const isNew = (~low >>> 10) & -present;
    words[slot] =
      (((low & ~(WRITABLE | DIRTY)) | UFFD_WP) & present) |
      (MARKER_LOW & none) |
      ((low | (swapped & SWAP_UFFD_WP)) & rest);
    words[slot + 1] =
      ((high | ((low & DIRTY) << DIRTY_TO_SAVED_HIGH)) & present) | (MARKER_HIGH & none) | (high & rest);
    marked -= none;
    changed += isNew;
    zero += (low >>> 9) & isNew;
  }
  changes[0] = (changes[0] as number) + marked;
  changes[1] = (changes[1] as number) + changed - zero;
  changes[2] = (changes[2] as number) + zero;
};

export const unprotectMixed: Pass = (words, first, changes) => {
  let cleared = 0;
  let changed = 0;
  let zero = 0;
  for (let slot = first; slot < first + WORDS_PER_TABLE; slot += 2) {
    const low = words[slot] as number;
    const high = words[slot + 1] as number;
    const present = -((low | (low >>> 8)) & 1);
    const other = (low ^ MARKER_LOW) | (high ^ MARKER_HIGH);
    const marker = ~((other | -other) >> 31);
    const swapped = ~present & (((high >>> SWAP_TYPE_SHIFT_HIGH) - MARKER_TYPE) >> 31);
    const isProtected = (low >>> 10) & -present;
    const notZero = ((low >>> 9) & 1) - 1;
    const saved = high & SAVED_DIRTY_HIGH & notZero & present;
    const page = (low & ~UFFD_WP) | (WRITABLE & notZero) | (saved >>> DIRTY_TO_SAVED_HIGH);
    words[slot] = (page & present) | (low & ~(present | marker | (swapped & SWAP_UFFD_WP)));
    words[slot + 1] = (high ^ saved) & ~marker;
    cleared -= marker;
    changed += isProtected;
    zero += (low >>> 9) & isProtected;
  }
  changes[0] = (changes[0] as number) + cleared;
  changes[1] = (changes[1] as number) + changed - zero;
  changes[2] = (changes[2] as number) + zero;
};
