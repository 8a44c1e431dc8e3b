import { Random } from "../../ts/base/random.js";
import { CATEGORIES, type Category } from "../../ts/mm/pagemap-scan.js";
import type { HandlerPolicy, RangeText, Scenario, Step } from "../../ts/scenario/document.js";
import { FEATURES, MODES } from "../../ts/uffd/features.js";

/**
 * Random scenarios about anonymous private memory: calls that make sense and calls that do not, on a few mappings that lie side by side, so
 * that splitting, merging and sharing of tables matter. The same seed gives the same scenario.
 */

interface Mapping {
  readonly name: string;
  readonly pages: number;
}

/** Addresses near the borders of a 2 MiB and of a 1 GiB stretch, away from what an executor places by itself. */
const BORDER_PLACES = ["0x3000001fc000", "0x30003fffe000", "0x307fffffd000", "0x300000000000"];
/** Far from all others, so that no address is written relative to it. */
const MISALIGNED_PLACE = "0x3f0000000010";
const SMALL_SIZES = [1, 2, 3, 4, 5, 6, 8, 12];
const LARGE_SIZES = [31, 64, 509, 512, 513, 1025, 1536];
const PROTECTIONS = ["rw", "rw", "r", "none"] as const;
const ADVICE = [
  "dontneed",
  "dontneed",
  "dontneed",
  "populate-read",
  "populate-read",
  "populate-write",
  "populate-write",
  "guard-install",
  "guard-remove",
] as const;
const SCAN_SETS = [[], [], ["written"], ["present"], ["wpallowed"], ["swapped"], ["pfnzero"], ["guard"]] as const;

/** What a scenario is mostly about. */
interface Style {
  /** How likely something is that Linux refuses or that leads nowhere. */
  readonly wildness: number;
  readonly maxMappings: number;
  readonly maxUffds: number;
  /** How likely a message is left unanswered. */
  readonly silence: number;
  readonly sizes: readonly number[];
  /** How likely an access is to get a thread with a name. */
  readonly names: number;
  /** How many times as likely accesses and calls that resolve faults are. */
  readonly waiting: number;
  readonly maxSteps: number;
}

/** One descriptor that is used as it should be. */
const ORDERLY: Style = {
  wildness: 0.08,
  maxMappings: 2,
  maxUffds: 1,
  silence: 0.15,
  sizes: SMALL_SIZES,
  names: 0.2,
  waiting: 1,
  maxSteps: 24,
};

const STYLES: readonly Style[] = [
  ORDERLY,
  { ...ORDERLY, maxMappings: 1, sizes: LARGE_SIZES },
  // wrong calls, and mappings over, beside and inside one another
  { ...ORDERLY, wildness: 1, maxMappings: 3, maxUffds: 3, silence: 0.4, names: 0.4 },
  // many threads that wait for few pages
  { ...ORDERLY, maxMappings: 1, maxUffds: 2, silence: 0.85, sizes: [1, 1, 2, 3], names: 0.95, waiting: 4 },
  // mappings side by side that are split, changed, and become alike again
  { ...ORDERLY, wildness: 0.4, maxMappings: 5, maxUffds: 2, silence: 0.5, sizes: [2, 3, 4], names: 0.4, maxSteps: 70 },
];

/** Returns the scenario of a seed: an integer from 0 to 2^32 - 1. */
export function generateScenario(seed: number): Scenario {
  return new Generator(new Random(seed)).scenario(`random ${seed}`);
}

class Generator {
  readonly #random: Random;
  readonly #style: Style;
  readonly #steps: Step[] = [];
  readonly #mappings: Mapping[] = [];
  readonly #uffds: string[] = [];
  readonly #threads: string[] = [];
  #names = 0;

  constructor(random: Random) {
    this.#random = random;
    this.#style = this.#pick(STYLES);
  }

  scenario(name: string): Scenario {
    const machine = this.#chance(0.1) ? { machine: { thp: "madvise" } as const } : {};
    this.#map();
    for (let i = this.#below(this.#style.maxMappings); i > 0; i--) this.#map();
    for (let i = this.#below(this.#style.maxUffds); i >= 0; i--) this.#open();
    for (const uffd of this.#uffds) this.#register(uffd);
    for (let i = 4 + this.#below(this.#style.maxSteps); i > 0; i--) this.#anything();
    this.#lookAtEverything();
    return { scenario: 1, name, ...machine, steps: this.#steps };
  }

  #anything(): void {
    const { wildness, waiting } = this.#style;
    const choices: readonly [number, () => void][] = [
      [18 * waiting, () => this.#access()],
      [10, () => this.#touch()],
      [10 * waiting, () => this.#writeprotect()],
      [1 + 6 * wildness, () => this.#register(this.#uffd())],
      [1 + 2 * wildness, () => this.#onDescriptor("unregister")],
      [3 * waiting, () => this.#onDescriptor("wake")],
      [7 * waiting, () => this.#fill()],
      [3 + 4 * wildness, () => this.#mprotect()],
      [8, () => this.#madvise()],
      [1 + 3 * wildness, () => this.#munmap()],
      [1 + 3 * wildness, () => this.#map()],
      [2 * wildness, () => this.#open()],
      [0.5 + wildness / 2, () => this.#push({ op: "close", uffd: this.#uffd() })],
      [3 * waiting, () => this.#resume()],
      [8, () => this.#scan()],
      [4, () => this.#push({ op: "pagemap", range: this.#range() })],
      [3, () => this.#push({ op: "stat" })],
    ];
    let at = this.#random.fraction() * choices.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, act] of choices) {
      at -= weight;
      if (at < 0) {
        act();
        return;
      }
    }
  }

  #map(): void {
    const pages = this.#wild(0.03) ? 0 : this.#pick(this.#wild(0.15) ? LARGE_SIZES : this.#style.sizes);
    const at = this.#placeForMapping(pages);
    const name = this.#name("m");
    const prot = this.#wild(0.25) ? { prot: this.#pick(PROTECTIONS) } : {};
    this.#push({ op: "mmap", as: name, pages, ...(at === undefined ? {} : { at }), ...prot });
    this.#mappings.push({ name, pages });
  }

  /** Beside another mapping, with or without a gap, over a part of it, at a border of tables, or wherever the executor likes. */
  #placeForMapping(pages: number): string | undefined {
    const other = this.#mappings.at(-1 - this.#below(Math.max(1, this.#mappings.length)));
    if (other === undefined || this.#chance(0.1)) return this.#chance(0.4) ? this.#pick(BORDER_PLACES) : undefined;
    if (this.#wild(0.02)) return MISALIGNED_PLACE;
    if (this.#chance(0.2)) return this.#chance(0.5) ? this.#pick(BORDER_PLACES) : undefined;
    if (this.#wild(0.2)) return `${other.name}[${this.#below(other.pages + 1)}]`;
    const gap = this.#chance(0.7) ? 0 : this.#below(4);
    return `${other.name}[${other.pages + gap + (this.#chance(0.05) ? pages : 0)}]`;
  }

  #open(): void {
    const name = this.#name("u");
    const features = FEATURES.filter(
      (feature) => feature !== "event-fork" && this.#chance(WANTED.get(feature) ?? 0.04),
    );
    const userModeOnly = this.#chance(0.15) ? { userModeOnly: true } : {};
    this.#push({ op: "uffd", as: name, features, ...userModeOnly, ...this.#handler() });
    this.#uffds.push(name);
  }

  #handler(): { handler?: HandlerPolicy } {
    const isSilent = this.#chance(this.#style.silence);
    if (!isSilent && this.#chance(0.5)) return {};
    const missing = isSilent
      ? "none"
      : this.#pick(["copy", "copy", "zeropage", "zeropage", "none", "none", "poison"] as const);
    const wp = isSilent || this.#chance(0.2) ? "none" : "unprotect";
    return { handler: { missing, wp } };
  }

  #register(uffd: string): void {
    const sets = [["wp"], ["wp"], ["missing"], ["missing", "wp"], ["missing", "wp"]] as const;
    const modes = this.#wild(0.04) ? MODES.filter(() => this.#chance(0.5)) : this.#pick(sets);
    const range = this.#wild(0.8) || this.#chance(0.2) ? this.#range() : this.#mapping().name;
    this.#push({ op: "register", uffd, range, modes });
  }

  #onDescriptor(op: "unregister" | "wake"): void {
    this.#push({ op, uffd: this.#uffd(), range: this.#range() });
  }

  #writeprotect(): void {
    const wp = this.#chance(0.4) ? { wp: false } : {};
    const dontwake = this.#chance(0.15) ? { dontwake: true } : {};
    this.#push({ op: "writeprotect", uffd: this.#uffd(), range: this.#range(), ...wp, ...dontwake });
  }

  #fill(): void {
    const dontwake = this.#chance(0.2) ? { dontwake: true } : {};
    const target = { uffd: this.#uffd(), range: this.#range(), ...dontwake };
    if (this.#chance(0.4)) {
      this.#push({ op: this.#chance(0.6) ? "zeropage" : "poison", ...target });
      return;
    }
    const value = this.#chance(0.5) ? { value: this.#below(1000) } : {};
    const wp = this.#chance(0.35) ? { wp: true } : {};
    this.#push({ op: "copy", ...target, ...value, ...wp });
  }

  #mprotect(): void {
    this.#push({
      op: "mprotect",
      range: this.#range(),
      prot: this.#wild(1) ? this.#pick(PROTECTIONS) : this.#pick(["rw", "rw", "rw", "r"]),
    });
  }

  #madvise(): void {
    const advice = this.#pick(ADVICE);
    this.#push({ op: "madvise", range: this.#range(), advice });
  }

  #munmap(): void {
    this.#push({ op: "munmap", range: this.#range() });
  }

  #access(): void {
    const at = this.#place();
    const as = this.#chance(this.#style.names) ? { as: this.#name("t") } : {};
    if (as.as !== undefined) this.#threads.push(as.as);
    if (this.#chance(0.4)) this.#push({ op: "read", at, ...as });
    else this.#push({ op: "write", at, ...as, ...this.#value() });
  }

  #touch(): void {
    const access = this.#pick(["read", "write"] as const);
    const stride = this.#chance(0.2) ? { stride: 1 + this.#below(4) } : {};
    this.#push({ op: "touch", range: this.#range(), access, ...this.#value(), ...stride });
  }

  #resume(): void {
    if (this.#threads.length > 0) this.#push({ op: "resume", thread: this.#pick(this.#threads) });
  }

  #scan(): void {
    const flags = (["wp-matching", "check-wpasync"] as const).filter((_, i) => this.#chance(i === 0 ? 0.4 : 0.1));
    const set = (): Category[] =>
      this.#chance(0.7) ? [...this.#pick(SCAN_SETS)] : CATEGORIES.filter(() => this.#chance(0.25));
    const returned = this.#chance(0.5) ? [...CATEGORIES] : set();
    this.#push({
      op: "pagemap-scan",
      range: this.#range(),
      ...(flags.length > 0 ? { flags } : {}),
      ...(this.#chance(0.25) ? { inverted: set() } : {}),
      ...(this.#chance(0.5) ? { mask: set() } : {}),
      ...(this.#chance(0.3) ? { anyof: set() } : {}),
      return: returned,
      ...(this.#chance(0.25) ? { maxPages: this.#pick([0, 1, 2, 3, 5, 8, 300, 512, 700]) } : {}),
      ...(this.#chance(0.25) ? { vecLen: this.#pick([0, 1, 2, 3, 5, 511, 512, 513, 600]) } : {}),
    });
  }

  #lookAtEverything(): void {
    for (const thread of this.#threads) if (this.#chance(0.5)) this.#push({ op: "resume", thread });
    for (const { name } of this.#mappings) {
      this.#push({ op: "pagemap", range: name });
      this.#push({ op: "pagemap-scan", range: name, return: [...CATEGORIES] });
    }
    this.#push({ op: "stat" });
    for (const { name } of this.#mappings) this.#push({ op: "touch", range: name, access: "read" });
    this.#push({ op: "stat" });
  }

  #value(): { value?: number } {
    return this.#chance(0.7) ? { value: this.#below(100000) } : {};
  }

  #place(): string {
    const { name, pages } = this.#mapping();
    const page = this.#wild(0.05) ? pages : this.#below(Math.max(1, pages));
    if (this.#chance(0.08)) return `${name}[${page}]+${this.#pick([8, 16, 2048, 4095])}`;
    return page === 0 && this.#chance(0.5) ? name : `${name}[${page}]`;
  }

  #range(): RangeText {
    const { name, pages } = this.#mapping();
    if (this.#chance(0.35)) return name;
    if (this.#wild(0.06)) return this.#oddRange(name, pages);
    if (this.#chance(0.3)) return `${name}[${this.#below(Math.max(1, pages))}]`;
    const from = this.#below(Math.max(1, pages));
    const end = this.#wild(0.3) ? from + this.#below(pages + 4) : from + 1 + this.#below(Math.max(1, pages - from));
    return `${name}[${from}..${end}]`;
  }

  #oddRange(name: string, pages: number): RangeText {
    const start = this.#chance(0.5) ? name : `${name}[${this.#below(pages + 1)}]+${this.#pick([8, 16, 2048, 4095])}`;
    return { start, length: this.#pick([0, 1, 100, 4095, 4096, 4097, 8192, 12288, "4K", "8K", "2M"]) };
  }

  #mapping(): Mapping {
    return this.#pick(this.#mappings);
  }

  #uffd(): string {
    return this.#pick(this.#uffds);
  }

  #name(letter: string): string {
    return `${letter}${this.#names++}`;
  }

  #push(step: Step): void {
    this.#steps.push(step);
  }

  /** Whether to do something odd. */
  #wild(probability: number): boolean {
    return this.#chance(probability * this.#style.wildness);
  }

  #chance(probability: number): boolean {
    return this.#random.fraction() < probability;
  }

  #below(limit: number): number {
    return this.#random.below(limit);
  }

  #pick<Item>(items: readonly Item[]): Item {
    const item = items[this.#below(items.length)];
    if (item === undefined) throw new RangeError("expected something to pick from");
    return item;
  }
}

/** How likely the features are that matter for anonymous memory. */
const WANTED: ReadonlyMap<string, number> = new Map([
  ["wp-unpopulated", 0.45],
  ["wp-async", 0.25],
  ["exact-address", 0.25],
  ["sigbus", 0.1],
  ["event-remove", 0.3],
  ["event-unmap", 0.3],
]);
