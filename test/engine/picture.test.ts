import { describe, expect, it } from "vitest";
import * as abi from "../../assembly/abi.js";
import {
  AddressSpace,
  createEngine,
  EndlessCallError,
  type Engine,
  KernelError,
  Machine,
  Random,
  Userfaultfd,
} from "../../ts/node.js";
import { engineUrl } from "../support/engine-url.js";

const PAGE = 4096;
const ADDRESS = 0x000ffffffffff000n;
const GIB = 2 ** 18;
const SLOT = 2 ** 27;
const SIDE = 256;
const SEED = Number(process.env["PTE_FUZZ_SEED"] ?? 20240611);
const ZOOMS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

interface World {
  readonly engine: Engine;
  readonly space: AddressSpace;
  readonly sharesTables: boolean;
  /** Whether a table is one that several entries point to. */
  readonly isTemplate: (table: number) => boolean;
}

/** Mappings of every kind, near borders of tables. */
const WINDOWS = [
  { first: 3 * SLOT - GIB - 700, pages: GIB + 2000, kind: "anon", thp: false },
  { first: 5 * SLOT + 3 * GIB - 515, pages: 2 * GIB + 1040, kind: "anon", thp: false },
  { first: 5 * SLOT + 9 * GIB, pages: 4096, kind: "anon", thp: true },
  { first: 5 * SLOT + 10 * GIB - 512, pages: 2048, kind: "hugetlb", thp: false },
  { first: 9 * SLOT, pages: 4 * SLOT, kind: "anon", thp: false },
  { first: 255 * SLOT - 300, pages: 1000, kind: "shmem", thp: false },
] as const;

async function world(materialize: boolean): Promise<World> {
  const engine = await createEngine({ materialize }, engineUrl);
  const machine = new Machine(engine, { thp: "madvise", hugetlbPages: 12, swapPages: 5000 });
  const space = new AddressSpace(engine, { machine });
  if (materialize) return { engine, space, sharesTables: false, isTemplate: () => false };
  // docs/abi.md: 15 templates by level and kind; a slot that is armed at once points to the one of markers for PUD tables
  const probe = new AddressSpace(engine);
  const at = probe.mmap({ length: SLOT * PAGE });
  const uffd = Userfaultfd.open(probe, { features: ["wp-async"] });
  uffd.register(at, SLOT * PAGE, ["wp"]);
  uffd.writeProtect(at, SLOT * PAGE);
  const entry = engine.readTable(engine.pgdOf(probe.handle))[at / PAGE / SLOT] as bigint;
  const first = Number(entry & ADDRESS) - (2 * 5 + 2) * PAGE;
  probe.dispose();
  return { engine, space, sharesTables: true, isTemplate: (table) => table >= first && table < first + 15 * PAGE };
}

/** Does calls of all kinds to the windows; those that the kernel refuses do nothing. */
function stir(world: World, random: Random, calls: number): void {
  const { space } = world;
  const uffd = Userfaultfd.open(space, { features: ["wp-async", "missing-hugetlbfs", "missing-shmem", "poison"] });
  const windows = WINDOWS.filter(({ pages }) => pages < SLOT || world.sharesTables);
  for (const { first, pages, kind, thp } of windows) {
    space.mmap({ at: first * PAGE, length: pages * PAGE, kind });
    if (thp) space.madvise(first * PAGE, pages * PAGE, "hugepage");
    uffd.register(first * PAGE, pages * PAGE, ["wp"]);
  }
  for (let i = 0; i < calls; i++) {
    const window = windows[random.below(windows.length)] as (typeof windows)[number];
    const first = window.first + (random.below(random.below(2) === 0 ? 3000 : window.pages) % window.pages);
    const most = window.first + window.pages - first;
    const longest = [1, 7, 512, 1500, GIB, SLOT][random.below(6)] as number;
    const pages = Math.min(most, 1 + random.below(longest));
    try {
      call(space, uffd, random.below(14), first * PAGE, pages * PAGE);
    } catch (error) {
      if (!(error instanceof KernelError || error instanceof EndlessCallError)) throw error;
    }
  }
}

/** Leaves pages in states that chance seldom leaves them in behind the mappings that are stirred. */
function addRareStates({ space }: World): void {
  const uffd = Userfaultfd.open(space, { features: ["wp-async"] });
  const [at, bytes] = [5 * SLOT * PAGE + 12 * GIB * PAGE, 8 * 512 * PAGE];
  space.mmap({ at, length: bytes });
  space.madvise(at, bytes, "hugepage");
  uffd.register(at, bytes, ["wp"]);
  for (let i = 0; i < 3; i++) space.write(at + i * 512 * PAGE, 1);
  for (let i = 3; i < 6; i++) space.read(at + i * 512 * PAGE);
  for (const i of [1, 4]) uffd.writeProtect(at + i * 512 * PAGE, 512 * PAGE);
  space.read(space.mmap({ at: at + bytes, length: 512 * PAGE, kind: "hugetlb", protection: "r" }));
  const small = space.mmap({ at: at + 2 * bytes, length: 9 * PAGE, kind: "shmem", protection: "r" });
  space.read(small);
  const swapped = space.mmap({ at: small + 9 * PAGE, length: 9 * PAGE });
  space.start({ address: swapped, access: "write", count: 9, stride: 1, value: 1 });
  space.madvise(swapped, 9 * PAGE, "pageout");
}

function call(space: AddressSpace, uffd: Userfaultfd, kind: number, at: number, bytes: number): void {
  const few = Math.min(bytes, 700 * PAGE);
  if (kind < 2) uffd.writeProtect(at, bytes);
  else if (kind === 2) uffd.removeWriteProtection(at, bytes);
  else if (kind === 3) space.madvise(at, bytes, "populate-read");
  else if (kind === 4) space.madvise(at, bytes, "dontneed");
  else if (kind === 5) space.madvise(at, few, "guard-install");
  else if (kind === 6) uffd.poison(at, few);
  else if (kind === 7) space.madvise(at, few, "pageout");
  else if (kind === 8) space.madvise(at, few, "populate-write");
  else if (kind === 9) space.mprotect(at, few, "none");
  else if (kind === 10) space.mprotect(at, bytes, "rw");
  else if (kind === 11) uffd.writeProtect(at, few);
  else space.start({ address: at, access: "write", count: Math.ceil(few / PAGE / 3), stride: 3, value: 1 });
}

/** Pages of a run by state, and which tables they are in. */
interface Summary {
  readonly pages: Map<number, number>;
  flags: number;
}

const FLAGS = [
  [abi.CELL_PUD_REAL, abi.CELL_PUD_SHARED, 0],
  [abi.CELL_PMD_REAL, abi.CELL_PMD_SHARED, 0],
  [abi.CELL_PTE_REAL, abi.CELL_PTE_SHARED, abi.CELL_PTE_MISSING],
] as const;

/** Reads a space from its PGD down, entry by entry; what is below an entry that was met before is not read again. */
class NaiveReading {
  readonly #world: World;
  readonly #tables = new Map<number, BigUint64Array>();
  readonly #known = new Map<string, Summary>();

  constructor(world: World) {
    this.#world = world;
  }

  /** What is in a run of pages that is aligned to its length, a power of two. */
  run(first: number, count: number): Summary {
    let table = this.#world.engine.pgdOf(this.#world.space.handle);
    let flags = 0;
    for (let level = 0; ; level++) {
      const pagesEach = 512 ** (3 - level);
      const index = Math.floor(first / pagesEach) % 512;
      if (count >= pagesEach) return this.#entries(table, level, index, count / pagesEach, flags);
      const below = this.#below(this.#entry(table, index), level);
      if (below.table === 0) return { pages: new Map([[below.state, count]]), flags: flags | below.flags };
      flags |= below.flags;
      table = below.table;
    }
  }

  #entry(table: number, index: number): bigint {
    let entries = this.#tables.get(table);
    if (entries === undefined) this.#tables.set(table, (entries = this.#world.engine.readTable(table)));
    return entries[index] as bigint;
  }

  #entries(table: number, level: number, index: number, count: number, flags: number): Summary {
    if (level === 3 && count === 1) {
      return { pages: new Map([[stateOf(this.#entry(table, index), false), 1]]), flags };
    }
    const key = `${table} ${index} ${count}`;
    const known = this.#known.get(key);
    if (known !== undefined) return { pages: known.pages, flags: known.flags | flags };
    const sum: Summary = { pages: new Map(), flags: 0 };
    for (let i = index; i < index + count; i++) this.#add(sum, this.#entry(table, i), level);
    this.#known.set(key, sum);
    return { pages: sum.pages, flags: sum.flags | flags };
  }

  #add(sum: Summary, entry: bigint, level: number): void {
    const below = this.#below(entry, level);
    sum.flags |= below.flags;
    if (below.table === 0) {
      sum.pages.set(below.state, (sum.pages.get(below.state) ?? 0) + 512 ** (3 - level));
      return;
    }
    const inner = this.#entries(below.table, level + 1, 0, 512, 0);
    sum.flags |= inner.flags;
    for (const [state, pages] of inner.pages) sum.pages.set(state, (sum.pages.get(state) ?? 0) + pages);
  }

  /** The table that an entry points to, or the state of the pages that it stands for. */
  #below(entry: bigint, level: number): { table: number; state: number; flags: number } {
    if (level === 3) return { table: 0, state: stateOf(entry, false), flags: 0 };
    if (entry === 0n) return { table: 0, state: abi.STATE_NONE, flags: abi.CELL_PTE_MISSING };
    if ((entry & 0xfffn) !== 0x67n) return { table: 0, state: stateOf(entry, true), flags: abi.CELL_HUGE };
    const table = Number(entry & ADDRESS);
    const [real, shared] = FLAGS[level as 0 | 1 | 2];
    return { table, state: 0, flags: this.#world.isTemplate(table) ? shared : real };
  }
}

/** After the published encodings of x86-64. */
function stateOf(entry: bigint, isHuge: boolean): number {
  const bit = (n: bigint): boolean => ((entry >> n) & 1n) === 1n;
  if (bit(0n) || bit(8n)) {
    const isWp = bit(10n);
    if (bit(9n)) return isWp ? abi.STATE_ZERO_WP : abi.STATE_ZERO;
    if (isWp) return isHuge ? abi.STATE_HUGE_WP : abi.STATE_WP;
    if (bit(6n) || bit(58n)) return isHuge ? abi.STATE_HUGE_DIRTY : abi.STATE_DIRTY;
    return isHuge ? abi.STATE_HUGE_CLEAN : abi.STATE_CLEAN;
  }
  if (entry >> 59n === 31n) {
    const kind = (~entry >> 9n) & 7n;
    return kind === 1n ? abi.STATE_MARKER : kind === 2n ? abi.STATE_POISON : abi.STATE_GUARD;
  }
  if (entry === 0n) return abi.STATE_NONE;
  return bit(2n) ? abi.STATE_SWAP_WP : abi.STATE_SWAP;
}

/** The first page of a cell of the plane, bit by bit. */
function pageAt(x: number, y: number): number {
  const bitsOfX = [0, 1, 2, 3, 4, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34];
  const bitsOfY = [5, 6, 7, 8, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31, 33];
  const place = (value: number, bits: readonly number[]): number =>
    bits.reduce((page, bit, i) => page + (Math.floor(value / 2 ** i) % 2) * 2 ** bit, 0);
  return place(x, bitsOfX) + place(y, bitsOfY);
}

function placeOf(page: number): { x: number; y: number } {
  const at = { x: 0, y: 0 };
  [0, 1, 2, 3, 4, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34].forEach(
    (bit, i) => (at.x += (Math.floor(page / 2 ** bit) % 2) * 2 ** i),
  );
  [5, 6, 7, 8, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31, 33].forEach(
    (bit, i) => (at.y += (Math.floor(page / 2 ** bit) % 2) * 2 ** i),
  );
  return at;
}

function summaryOfCell(reading: NaiveReading, zoom: number, x: number, y: number): Summary {
  const side = 2 ** zoom;
  if (zoom >= 5) return reading.run(pageAt(x * side, y * side), side * side);
  const sum: Summary = { pages: new Map(), flags: 0 };
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const one = reading.run(pageAt(x * side + column, y * side + row), 1);
      sum.flags |= one.flags;
      for (const [state, pages] of one.pages) sum.pages.set(state, (sum.pages.get(state) ?? 0) + pages);
    }
  }
  return sum;
}

function wordOf({ pages, flags }: Summary): number {
  const [first = [0, 0], ...others] = [...pages].sort(([a, m], [b, n]) => n - m || b - a);
  const [notable, count] = others.sort(([a], [b]) => b - a)[0] ?? first;
  const total = [...pages.values()].reduce((sum, n) => sum + n, 0);
  const share = Math.max(1, Math.floor((count * 255) / total));
  return (first[0] | (notable << 8) | (share << 16) | (flags << 24)) >>> 0;
}

/** The cells of a tile that differ from a naive reading, as texts; of those that take long to read so, one in some. */
function differences(world: World, reading: NaiveReading, zoom: number, column: number, row: number): string[] {
  const tile = world.engine.readTile(world.space.handle, zoom, column, row);
  const found: string[] = [];
  const step = zoom < 5 ? Math.max(1, 4 ** zoom - 1) : 7; // odd, so that it comes to every column
  tile.forEach((word, i) => {
    if (i % step !== 0) return;
    const [x, y] = [column * SIDE + (i % SIDE), row * SIDE + Math.floor(i / SIDE)];
    const isOutside = x * 2 ** zoom >= 2 ** 18 || y * 2 ** zoom >= 2 ** 17;
    const expected = isOutside ? 0 : wordOf(summaryOfCell(reading, zoom, x, y));
    if (word !== expected) found.push(`zoom ${zoom} cell ${x},${y}: ${word.toString(16)} not ${expected.toString(16)}`);
  });
  return found;
}

describe(`a tile of the picture (seed ${SEED})`, () => {
  for (const [name, materialize] of [
    ["with shared tables", false],
    ["with tables that are all there", true],
  ] as const) {
    it(`is what its entries say, ${name}`, { timeout: 240_000 }, async () => {
      const made = await world(materialize);
      stir(made, new Random(SEED), 160);
      addRareStates(made);
      const reading = new NaiveReading(made);
      const seen = new Set<number>();
      for (const zoom of ZOOMS) {
        const tiles = new Set(
          [...WINDOWS, { first: 5 * SLOT + 12 * GIB, pages: 1 }].flatMap(({ first, pages }) =>
            (zoom > 0 && zoom < 5 ? [first + pages - 1] : [first, first + pages - 1]).map((page) => {
              const { x, y } = placeOf(page);
              return `${Math.floor(x / 2 ** zoom / SIDE)} ${Math.floor(y / 2 ** zoom / SIDE)}`;
            }),
          ),
        );
        for (const tile of tiles) {
          const [column = 0, row = 0] = tile.split(" ").map(Number);
          expect(differences(made, reading, zoom, column, row).slice(0, 5)).toEqual([]);
          made.engine.readTile(made.space.handle, zoom, column, row).forEach((word) => {
            seen.add(word & 0xff).add((word >>> 8) & 0xff);
          });
        }
      }
      expect([...seen].sort((a, b) => a - b)).toEqual(Array.from({ length: abi.STATE_COUNT }, (_, state) => state));
    });
  }

  it("shows one page that differs from 2^20 others", async () => {
    const { engine, space } = await world(false);
    const at = space.mmap({ at: 4 * SLOT * PAGE, length: 8 * GIB * PAGE });
    const uffd = Userfaultfd.open(space, { features: ["wp-async"] });
    uffd.register(at, 8 * GIB * PAGE, ["wp"]);
    uffd.writeProtect(at, 8 * GIB * PAGE);
    space.write(at + 12345 * PAGE, 1);
    const { x, y } = placeOf(at / PAGE);
    const cell = engine.readTile(space.handle, 10, 0, 0)[(y / 1024) * SIDE + x / 1024] as number;
    expect([cell & 0xff, (cell >>> 8) & 0xff, (cell >>> 16) & 0xff]).toEqual([abi.STATE_MARKER, abi.STATE_DIRTY, 1]);
  });

  it("is refused where there is none", async () => {
    const { engine, space } = await world(false);
    expect(() => engine.readTile(space.handle, 13, 0, 0)).toThrow(RangeError);
    expect(() => engine.readTile(space.handle, 0, 1024, 0)).toThrow(RangeError);
    expect(() => engine.readTile(space.handle, 0, 0, 512)).toThrow(RangeError);
    expect(() => engine.readTile(space.handle, 0.5, 0, 0)).toThrow(RangeError);
    expect(engine.readTile(space.handle, 12, 3, 3).every((cell) => cell === 0)).toBe(true);
  });
});

describe("pages by state", () => {
  it("are counted as a naive reading counts them", { timeout: 120_000 }, async () => {
    const made = await world(false);
    const random = new Random(SEED + 1);
    stir(made, random, 120);
    for (const { first, pages } of WINDOWS.filter((window) => window.pages < SLOT)) {
      for (const count of [pages, random.below(Math.min(pages, 5000)), 0]) {
        const start = first + random.below(pages - count + 1);
        const expected = new Array<number>(abi.STATE_COUNT).fill(0);
        const reading = new NaiveReading(made);
        for (let page = start; page < start + count; page++) {
          const [state = 0] = reading.run(page, 1).pages.keys();
          expected[state] = (expected[state] ?? 0) + 1;
        }
        expect([...made.engine.countStates(made.space.handle, start, count)]).toEqual(expected);
      }
    }
    const all = made.engine.countStates(made.space.handle, 0, 2 ** 35 - 1);
    expect(all.reduce((sum, pages) => sum + pages, 0)).toBe(2 ** 35 - 1);
  });
});
