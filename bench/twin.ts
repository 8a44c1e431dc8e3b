import {
  MARKER_LOW,
  type Pass,
  PRESENT,
  protectMixed,
  protectPresent,
  SPECIAL,
  UFFD_WP,
  unprotectMixed,
  unprotectPresent,
  WORDS_PER_TABLE,
  WRITABLE,
} from "./twin-passes.js";
import type { Twin } from "./twin-model.js";
import { type Faults, NO_FAULTS } from "./faults.js";

const PAGE_LOW = 0x67;
const ZERO_PAGE_LOW = 0x225;
const NO_EXECUTE_HIGH = 0x80000000 | 0;
const MARKER = 0xfffffffffffffc00n;
const ENTRIES = 512;
const WRITTEN_WORDS = 16;
/** Permissions of a page: it may be read; it may be written and holds the value that replay stores. */
const MAY_READ = 1;
const MAY_WRITE = 2;

/**
 * The engine's work in plain JavaScript, as somebody who knows typed arrays would write it for speed: real 4-level tables with 64-bit
 * entries as pairs of 32-bit words in one Int32Array, no BigInt and no objects in the loops, and the engine's structures: counts that tell
 * what a table holds, a bitmap of written pages, and a permission for each page that replay looks at first. One range in one address space;
 * tables are numbered from 1, and an upper entry holds the number of a table, or 0.
 */
export class TwinSpace implements Twin {
  readonly #firstPage: number;
  readonly #pages: number;
  readonly #words: Int32Array;
  readonly #longs: BigUint64Array;
  readonly #occupied: Uint16Array;
  readonly #markers: Uint16Array;
  readonly #swapped: Uint16Array;
  readonly #written: Int32Array;
  readonly #permissions: Uint8Array;
  readonly #hasPermissions: Uint8Array;
  #contents = new Float64Array(0);
  readonly #armed = new Float64Array(3);
  readonly #disarmed = new Float64Array(3);
  readonly #pgd: number;
  #tables = 1;
  #frames = 1;
  #value = NaN;
  faults: Faults = { ...NO_FAULTS };

  constructor(firstPage: number, pages: number) {
    const tables = Math.ceil(pages / ENTRIES) + Math.ceil(pages / ENTRIES ** 2) + 8;
    this.#firstPage = firstPage;
    this.#pages = pages;
    this.#words = new Int32Array(tables * WORDS_PER_TABLE);
    this.#longs = new BigUint64Array(this.#words.buffer);
    this.#occupied = new Uint16Array(tables);
    this.#markers = new Uint16Array(tables);
    this.#swapped = new Uint16Array(tables);
    this.#written = new Int32Array(tables * WRITTEN_WORDS);
    this.#permissions = new Uint8Array(pages);
    this.#hasPermissions = new Uint8Array(tables);
    this.#pgd = this.#tables++;
  }

  protect(): void {
    for (let page = this.#firstPage; page < this.#firstPage + this.#pages; page += ENTRIES) {
      const table = this.#table(page);
      if (this.#markers[table] === ENTRIES) continue;
      const before = this.#armed[0] as number;
      if (this.#occupied[table] === 0) {
        this.#longs.fill(MARKER, table * ENTRIES, (table + 1) * ENTRIES);
        this.#armed[0] = before + ENTRIES;
      } else {
        this.#pass(this.#isAllPresent(table) ? protectPresent : protectMixed, table, this.#armed);
      }
      this.#adjust(table, (this.#armed[0] as number) - before);
      this.#written.fill(0, table * WRITTEN_WORDS, (table + 1) * WRITTEN_WORDS);
      this.#forgetPermissions(table, page);
    }
  }

  unprotect(): void {
    for (let page = this.#firstPage; page < this.#firstPage + this.#pages; page += ENTRIES) {
      const table = this.#table(page);
      if (this.#occupied[table] === 0) continue;
      const before = this.#disarmed[0] as number;
      if (this.#markers[table] === ENTRIES) {
        this.#longs.fill(0n, table * ENTRIES, (table + 1) * ENTRIES);
        this.#disarmed[0] = before + ENTRIES;
      } else {
        this.#pass(this.#isAllPresent(table) ? unprotectPresent : unprotectMixed, table, this.#disarmed);
      }
      this.#adjust(table, before - (this.#disarmed[0] as number));
      this.#written.fill(-1, table * WRITTEN_WORDS, (table + 1) * WRITTEN_WORDS);
      this.#forgetPermissions(table, page);
    }
  }

  mark(index: number): void {
    const table = this.#table(this.#firstPage + index);
    this.#longs[table * ENTRIES + (index % ENTRIES)] = MARKER;
    this.#adjust(table, 1);
    this.#armed[0] = (this.#armed[0] as number) + 1;
    const word = table * WRITTEN_WORDS + ((index % ENTRIES) >>> 5);
    this.#written[word] = (this.#written[word] as number) & ~(1 << index);
  }

  swapOut(index: number): void {
    const table = this.#table(this.#firstPage + index);
    this.#longs[table * ENTRIES + (index % ENTRIES)] = (~BigInt(index + 1) & ((1n << 50n) - 1n)) << 9n;
    this.#occupied[table] = (this.#occupied[table] as number) + 1;
    this.#swapped[table] = (this.#swapped[table] as number) + 1;
  }

  get protectedPages(): number {
    const sum = (changes: Float64Array): number => changes.reduce((total, count) => total + count, 0);
    return sum(this.#armed) - sum(this.#disarmed);
  }

  /** Reads the bitmaps; a bit of `edges` is set where written and not written meet. */
  scan(): number[] {
    const edges: number[] = [];
    let isOpen = 0;
    for (let index = 0; index < this.#pages; index += ENTRIES) {
      const first = this.#table(this.#firstPage + index) * WRITTEN_WORDS;
      for (let word = 0; word < WRITTEN_WORDS; word++) {
        const written = this.#written[first + word] as number;
        let bits = written ^ ((written << 1) | isOpen);
        for (; bits !== 0; bits &= bits - 1) {
          edges.push(index + word * 32 + 31 - Math.clz32(bits & -bits));
          isOpen ^= 1;
        }
      }
    }
    if (isOpen !== 0) edges.push(this.#pages);
    return edges;
  }

  replay(records: Uint32Array, value: number): void {
    if (value !== this.#value) this.#setValue(value);
    const permissions = this.#permissions;
    const firstPage = this.#firstPage;
    for (let i = 0; i < records.length; i += 2) {
      const high = records[i + 1] as number;
      const index = (records[i] as number) + (high & 7) * 2 ** 32 - firstPage;
      const isWrite = high >>> 31;
      if (((permissions[index] as number) & (1 << isWrite)) === 0) this.#access(index, isWrite);
    }
  }

  #access(index: number, isWrite: number): void {
    const table = this.#table(this.#firstPage + index);
    const slot = table * WORDS_PER_TABLE + (index % ENTRIES) * 2;
    const low = this.#words[slot] as number;
    this.#hasPermissions[table] = 1;
    this.#permissions[index] = (this.#permissions[index] as number) | MAY_READ | (isWrite * MAY_WRITE);
    if (isWrite === 0) {
      if ((low & PRESENT) === 0) this.#mapZeroPage(table, slot, low & UFFD_WP);
      return;
    }
    if ((low & PRESENT) === 0) this.#arrive(table, low);
    else if ((low & SPECIAL) !== 0) this.faults.copy++;
    if ((low & UFFD_WP) !== 0) this.#answer(low);
    const hasPage = (low & (PRESENT | SPECIAL)) === PRESENT;
    const frame = hasPage ? this.#frameAt(slot) : this.#frames++;
    if ((low & WRITABLE) === 0 || !hasPage) this.#store(slot, PAGE_LOW, frame);
    const word = table * WRITTEN_WORDS + ((index % ENTRIES) >>> 5);
    this.#written[word] = (this.#written[word] as number) | (1 << index);
    this.#contents[frame] = this.#value;
  }

  #mapZeroPage(table: number, slot: number, uffdWp: number): void {
    this.faults.zeroPage++;
    if (uffdWp !== 0) this.#markers[table] = (this.#markers[table] as number) - 1;
    else this.#occupied[table] = (this.#occupied[table] as number) + 1;
    this.#store(slot, ZERO_PAGE_LOW | uffdWp, 0);
  }

  /** A page comes where there was none. */
  #arrive(table: number, low: number): void {
    this.faults.allocate++;
    if (low === MARKER_LOW) this.#markers[table] = (this.#markers[table] as number) - 1;
    else this.#occupied[table] = (this.#occupied[table] as number) + 1;
  }

  /** A write-protect fault is answered by unprotecting the page. */
  #answer(low: number): void {
    this.faults.wp++;
    const what = (low & (PRESENT | SPECIAL)) === (PRESENT | SPECIAL) ? 2 : 1;
    this.#disarmed[what] = (this.#disarmed[what] as number) + 1;
  }

  /** A page that holds another value has to be stored to once more. Contents take memory when there are some. */
  #setValue(value: number): void {
    this.#value = value;
    if (this.#contents.length === 0) this.#contents = new Float64Array(this.#pages + 1);
    for (let i = 0; i < this.#pages; i++) this.#permissions[i] = (this.#permissions[i] as number) & MAY_READ;
  }

  #pass(pass: Pass, table: number, changes: Float64Array): void {
    pass(this.#words, table * WORDS_PER_TABLE, changes);
  }

  #isAllPresent(table: number): boolean {
    return this.#occupied[table] === ENTRIES && this.#markers[table] === 0 && this.#swapped[table] === 0;
  }

  #adjust(table: number, markers: number): void {
    this.#occupied[table] = (this.#occupied[table] as number) + markers;
    this.#markers[table] = (this.#markers[table] as number) + markers;
  }

  #forgetPermissions(table: number, page: number): void {
    if (this.#hasPermissions[table] === 0) return;
    this.#permissions.fill(0, page - this.#firstPage, page - this.#firstPage + ENTRIES);
    this.#hasPermissions[table] = 0;
  }

  #store(slot: number, flags: number, frame: number): void {
    this.#words[slot] = flags | (frame << 12);
    this.#words[slot + 1] = (frame >>> 20) | NO_EXECUTE_HIGH;
  }

  #frameAt(slot: number): number {
    return ((this.#words[slot] as number) >>> 12) | (((this.#words[slot + 1] as number) & 0xfff) << 20);
  }

  #table(page: number): number {
    const low = page % 2 ** 27;
    const pud = this.#child(this.#pgd * WORDS_PER_TABLE + Math.floor(page / 2 ** 27) * 2);
    const pmd = this.#child(pud * WORDS_PER_TABLE + (low >>> 18) * 2);
    return this.#child(pmd * WORDS_PER_TABLE + ((low >>> 9) & 511) * 2);
  }

  #child(slot: number): number {
    const table = this.#words[slot] as number;
    if (table !== 0) return table;
    const fresh = this.#tables++;
    this.#words[slot] = fresh;
    return fresh;
  }
}
