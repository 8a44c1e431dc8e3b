/**
 * A naive model of an anonymous address space with userfaultfd write-protection, to compare the product with. It knows a map from page to
 * state, a list of areas, a set of tables for each level and a counter for each thing that is counted, and does everything page by page. It
 * shares no code with the product.
 */

export type OracleProtection = "rw" | "r" | "none";
export type OracleAccess = "read" | "write";
export type OracleOutcome = "done" | "missing" | "wp" | "sigsegv" | "sigbus";

/** What the modelled kernel refuses; `progress` is what a fill left in its result field. */
export class Refusal extends Error {
  readonly code: string;
  readonly progress: number | string | undefined;

  constructor(code: string, progress?: number | string) {
    super(code);
    this.code = code;
    this.progress = progress;
  }
}

export interface OracleFeatures {
  readonly unpopulated: boolean;
  readonly async: boolean;
  readonly sigbus: boolean;
}

export interface OracleMessage {
  readonly page: number;
  readonly kind: "missing" | "wp";
  readonly access: OracleAccess;
}

interface Waiter {
  goOn(): void;
}

interface Waiting {
  readonly message: OracleMessage;
  readonly waiter: Waiter;
}

/** A userfaultfd: its features and its two queues. */
export class OracleContext {
  readonly features: OracleFeatures;
  unread: Waiting[] = [];
  asleep: Waiting[] = [];
  isClosed = false;

  constructor(features: OracleFeatures) {
    this.features = { ...features, unpopulated: features.unpopulated || features.async };
  }

  read(): OracleMessage | undefined {
    const oldest = this.unread.shift();
    if (oldest === undefined) return undefined;
    this.asleep.push(oldest);
    return oldest.message;
  }

  /** Wakes the unread before the read, each the latest first: that is how wait queues are walked. */
  takeWaiters(first: number, end: number): Waiter[] {
    const inside = (waiting: Waiting): boolean => waiting.message.page >= first && waiting.message.page < end;
    const taken = [...this.unread.filter(inside).reverse(), ...this.asleep.filter(inside).reverse()];
    this.unread = this.unread.filter((waiting) => !inside(waiting));
    this.asleep = this.asleep.filter((waiting) => !inside(waiting));
    return taken.map((waiting) => waiting.waiter);
  }
}

/** A run of pages that are alike. `family` stands for the anon_vma: areas with different ones never merge. */
export interface OracleArea {
  first: number;
  end: number;
  protection: OracleProtection;
  missing: boolean;
  wp: boolean;
  context: OracleContext | null;
  family: object | null;
}

interface Leaf {
  readonly kind: "page" | "zero";
  readonly writable: boolean;
  readonly wp: boolean;
  /** PROT_NONE: the entry is not present for the processor. */
  readonly hidden: boolean;
  readonly content: number;
}

type State = "marker" | Leaf;

/** Every counter that is compared, by the name that the product gives it. */
const COUNTER_NAMES = [
  "readNotPresent",
  "writeNotPresent",
  "writeProtected",
  "minflt",
  "majflt",
  "zeroPageFaults",
  "allocateFaults",
  "copyFaults",
  "reuseFaults",
  "markerFaults",
  "wpAsyncFaults",
  "missingMessages",
  "wpMessages",
  "sigsegv",
  "sigbus",
  "armedNone",
  "armedPage",
  "armedZeroPage",
  "disarmedMarker",
  "disarmedPage",
  "disarmedZeroPage",
  "protectVisited",
  "zappedPage",
  "zappedZeroPage",
  "zappedMarker",
  "filledCopy",
  "filledZeroPage",
  "replayedReads",
  "replayedWrites",
  "pteTablesAllocated",
  "pteTablesFreed",
  "scanPages",
  "scanProtected",
] as const;

type CounterName = (typeof COUNTER_NAMES)[number];

const PAGES_OF_PTE_TABLE = 512;
const PAGES_OF_PMD_TABLE = 512 * 512;
const PAGES_OF_PUD_TABLE = 512 * 512 * 512;

const MARKER_ENTRY = 0xfffffffffffffc00n;
const MARKER_WORD = 0x420000000000003fn;

export interface OraclePlan {
  readonly page: number;
  readonly access: OracleAccess;
  readonly count: number;
  readonly stride: number;
  readonly value: number;
}

/** A thread that makes some accesses and may wait in one of them. */
export class OracleThread implements Waiter {
  readonly plan: OraclePlan;
  readonly ended = { done: 0, sigsegv: 0, sigbus: 0 };
  last: OracleOutcome = "done";
  value = 0;
  minflt = 0;
  majflt = 0;
  isWaiting = false;
  /** How often the fault that is under way has waited. */
  waits = 0;
  readonly #space: OracleSpace;

  constructor(space: OracleSpace, plan: OraclePlan) {
    this.#space = space;
    this.plan = plan;
  }

  get finished(): number {
    return this.ended.done + this.ended.sigsegv + this.ended.sigbus;
  }

  get page(): number {
    return this.plan.page + this.finished * this.plan.stride;
  }

  goOn(): void {
    let resumes = this.isWaiting;
    this.isWaiting = false;
    while (this.#canGoOn()) {
      this.#note(this.#space.accessFor(this, this.page, this.plan.access, this.plan.value, resumes));
      resumes = false;
    }
  }

  #canGoOn(): boolean {
    return this.finished < this.plan.count && !this.isWaiting;
  }

  #note(outcome: OracleOutcome): void {
    this.last = outcome;
    if (outcome === "missing" || outcome === "wp") {
      this.isWaiting = true;
      this.waits++;
      this.#space.raise({ page: this.page, kind: outcome, access: this.plan.access }, this);
      return;
    }
    this.waits = 0;
    this.ended[outcome]++;
  }
}

/** An madvise(MADV_POPULATE_…) that may wait. */
export class OraclePopulate implements Waiter {
  error: Refusal | null = null;
  isWaiting = false;
  readonly #space: OracleSpace;
  readonly #access: OracleAccess;
  readonly #end: number;
  #page: number;

  constructor(space: OracleSpace, first: number, end: number, access: OracleAccess) {
    this.#space = space;
    this.#page = first;
    this.#end = end;
    this.#access = access;
  }

  goOn(): void {
    this.isWaiting = false;
    while (this.#canGoOn()) this.#next();
  }

  #canGoOn(): boolean {
    return this.#page < this.#end && !this.isWaiting && this.error === null;
  }

  #next(): void {
    const area = this.#space.areaAt(this.#page);
    if (area === undefined) {
      this.error = new Refusal("ENOMEM");
      return;
    }
    if (area.protection === "none" || (this.#access === "write" && area.protection === "r")) {
      this.error = new Refusal("EINVAL");
      return;
    }
    const outcome = this.#space.populatePage(this.#page, this.#access);
    if (outcome === "done") this.#page++;
    else if (outcome === "missing" || outcome === "wp") {
      this.isWaiting = true;
      this.#space.raise({ page: this.#page, kind: outcome, access: this.#access }, this);
    } else this.error = new Refusal("EFAULT");
  }
}

export interface OracleReplayOptions {
  readonly value: number;
  readonly wp: "unprotect" | "stop";
  readonly signals: "pass" | "stop";
  readonly waits: number;
}

export interface OracleRecord {
  readonly page: number;
  readonly index: number;
  readonly outcome: OracleOutcome;
  readonly access: OracleAccess;
}

export interface OracleScan {
  readonly first: number;
  readonly end: number;
  readonly vectorLength: number;
  readonly maxPages: number;
  readonly inverted: readonly string[];
  readonly mask: readonly string[];
  readonly anyOf: readonly string[];
  readonly returned: readonly string[];
  readonly wpMatching: boolean;
  readonly checkWpAsync: boolean;
}

interface ScanRun {
  first: number;
  end: number;
  readonly categories: readonly string[];
}

/** Of a scan under way: what it put out, and where it stopped. */
interface ScanProgress {
  readonly runs: ScanRun[];
  pages: number;
  stopped: number | undefined;
}

export class OracleSpace {
  areas: OracleArea[] = [];
  readonly counters: Record<CounterName, number>;
  readonly #states = new Map<number, State>();
  readonly #pteTables = new Set<number>();
  readonly #pmdTables = new Set<number>();
  readonly #pudTables = new Set<number>();

  constructor() {
    this.counters = Object.fromEntries(COUNTER_NAMES.map((name) => [name, 0])) as Record<CounterName, number>;
  }

  // ---------------------------------------------------------------------------------------------------------- what can be seen

  /** Numbers of now, recounted. */
  get levels(): { pudTables: number; pmdTables: number; pteTables: number; anonPages: number } {
    const pages = [...this.#states.values()].filter((state) => state !== "marker" && state.kind === "page");
    return {
      pudTables: this.#pudTables.size,
      pmdTables: this.#pmdTables.size,
      pteTables: this.#pteTables.size,
      anonPages: pages.length,
    };
  }

  /** The entry of a page without its PFN. */
  entryOf(page: number): bigint {
    const state = this.#states.get(page);
    if (state === undefined) return 0n;
    if (state === "marker") return MARKER_ENTRY;
    let entry = state.hidden ? 0x0000000000000120n : 0x8000000000000025n;
    if (state.kind === "zero") entry |= 1n << 9n;
    else entry |= state.writable ? 1n << 6n : 1n << 58n; // every page was written to: dirty, or saved-dirty
    if (state.writable) entry |= 1n << 1n;
    if (state.wp) entry |= 1n << 10n;
    return entry;
  }

  /** The pagemap word of a page without its PFN. */
  pagemapOf(page: number): bigint {
    const state = this.#states.get(page);
    if (state === undefined) return 0n;
    if (state === "marker") return MARKER_WORD;
    return (1n << 63n) | (state.wp ? 1n << 57n : 0n) | (state.kind === "page" ? 1n << 56n : 0n);
  }

  contentOf(page: number): number {
    const state = this.#states.get(page);
    return state === undefined || state === "marker" ? 0 : state.content;
  }

  areaAt(page: number): OracleArea | undefined {
    return this.areas.find((area) => area.first <= page && page < area.end);
  }

  // ------------------------------------------------------------------------------------------------------------------ mappings

  mmap(first: number, end: number, protection: OracleProtection): void {
    if (this.#within(first, end).length > 0) throw new Refusal("EEXIST");
    this.areas.push({ first, end, protection, missing: false, wp: false, context: null, family: null });
    this.#sortAreas();
    this.#mergeTouching(first, end);
  }

  munmap(first: number, end: number): void {
    if (this.#within(first, end).length === 0) return;
    this.#splitAt(first);
    this.#splitAt(end);
    for (const area of this.#within(first, end)) this.#zap(area.first, area.end);
    this.areas = this.areas.filter((area) => area.end <= first || area.first >= end);
    this.#freeTables(this.#pteTables, PAGES_OF_PTE_TABLE, () => this.counters.pteTablesFreed++);
    this.#freeTables(this.#pmdTables, PAGES_OF_PMD_TABLE, () => undefined);
    this.#freeTables(this.#pudTables, PAGES_OF_PUD_TABLE, () => undefined);
  }

  mprotect(first: number, end: number, protection: OracleProtection): void {
    let reached = first;
    while (reached < end) {
      const area = this.areaAt(reached);
      if (area === undefined) throw new Refusal("ENOMEM");
      const stop = Math.min(area.end, end);
      if (area.protection !== protection) {
        const from = reached;
        this.#change(from, stop, (part) => (part.protection = protection));
        for (let page = from; page < stop; page++) this.#protectLeaf(page, protection, area.wp);
      }
      reached = stop;
    }
  }

  dontneed(first: number, end: number): void {
    const areas = this.#within(first, end);
    const covered = areas.reduce((sum, area) => sum + Math.min(area.end, end) - Math.max(area.first, first), 0);
    for (const area of areas) {
      const [from, to] = [Math.max(area.first, first), Math.min(area.end, end)];
      this.#zap(from, to);
      this.#reclaim(from, to);
    }
    if (covered < end - first) throw new Refusal("ENOMEM");
  }

  /** Returns the call if it waits. */
  populate(first: number, end: number, access: OracleAccess): OraclePopulate | null {
    const call = new OraclePopulate(this, first, end, access);
    call.goOn();
    if (call.error !== null) throw call.error;
    return call.isWaiting ? call : null;
  }

  // -------------------------------------------------------------------------------------------------------------- registration

  register(context: OracleContext, first: number, end: number, missing: boolean, wp: boolean): void {
    if (!missing && !wp) throw new Refusal("EINVAL");
    const areas = this.#within(first, end);
    if (areas.length === 0) throw new Refusal("EINVAL");
    if (areas.some((area) => area.context !== null && area.context !== context)) throw new Refusal("EBUSY");
    for (const { first: start, end: stop } of areas.map((area) => ({ ...area }))) {
      const from = Math.max(first, start);
      const area = this.areaAt(from);
      const isIncluded = area?.context === context && (area.missing || !missing) && (area.wp || !wp);
      if (!isIncluded) this.#change(from, Math.min(end, stop), (part) => Object.assign(part, { context, missing, wp }));
    }
  }

  unregister(context: OracleContext, first: number, end: number): void {
    const areas = this.#within(first, end);
    const isForeign = (area: OracleArea): boolean => area.context !== null && area.context !== context;
    if (areas.length === 0 || areas.some(isForeign)) throw new Refusal("EINVAL");
    const woken: Waiter[] = [];
    for (const area of areas.map((part) => ({ ...part }))) {
      if (area.context === null) continue;
      const [from, to] = [Math.max(first, area.first), Math.min(end, area.end)];
      if (area.missing) woken.push(...context.takeWaiters(from, to));
      this.#release(area, from, to);
    }
    for (const waiter of woken) waiter.goOn();
  }

  close(context: OracleContext): void {
    context.isClosed = true;
    for (const area of this.areas.filter((part) => part.context === context).map((part) => ({ ...part }))) {
      this.#release(area, area.first, area.end);
    }
    for (const waiter of context.takeWaiters(0, Infinity)) waiter.goOn();
  }

  // -------------------------------------------------------------------------------------------------------------------- ioctls

  writeProtect(first: number, end: number): void {
    this.#forEachWp(first, end, (area, from, to) => {
      const usesMarkers = area.context?.features.unpopulated === true;
      for (let page = from; page < to; page++) this.#protectPage(page, usesMarkers);
    });
  }

  removeWriteProtection(context: OracleContext, first: number, end: number, wakes: boolean): void {
    this.#forEachWp(first, end, (area, from, to) => {
      for (let page = from; page < to; page++) this.#unprotectPage(page, area.protection === "rw");
    });
    if (wakes) this.wake(context, first, end);
  }

  copy(context: OracleContext, first: number, end: number, fill: CopyFill): number {
    const area = this.#fillTarget(first, end);
    if (fill.wp && !area.wp) throw new Refusal("EINVAL", "-EINVAL");
    const hidden = area.protection === "none";
    const done = this.#fill(first, end, (page, state) => {
      if (state !== undefined && state !== "marker") return false;
      const content = fill.value + (page - first) * fill.step;
      const writable = area.protection === "rw" && !fill.wp;
      this.#states.set(page, { kind: "page", writable, wp: fill.wp, hidden, content });
      this.counters.filledCopy++;
      return true;
    });
    return this.#filled(context, first, end, done, fill.wakes);
  }

  zeropage(context: OracleContext, first: number, end: number, wakes: boolean): number {
    const area = this.#fillTarget(first, end);
    const hidden = area.protection === "none";
    const done = this.#fill(first, end, (page, state) => {
      if (state !== undefined) return false;
      this.#states.set(page, { kind: "zero", writable: false, wp: false, hidden, content: 0 });
      this.counters.filledZeroPage++;
      return true;
    });
    return this.#filled(context, first, end, done, wakes);
  }

  wake(context: OracleContext, first: number, end: number): void {
    for (const waiter of context.takeWaiters(first, end)) waiter.goOn();
  }

  // ------------------------------------------------------------------------------------------------------------------ accesses

  start(plan: OraclePlan): OracleThread {
    const thread = new OracleThread(this, plan);
    thread.goOn();
    return thread;
  }

  /** One access of a thread; `resumes`: its fault has been resolved and is handled again without a new exception. */
  accessFor(thread: OracleThread, page: number, access: OracleAccess, value: number, resumes: boolean): OracleOutcome {
    let isExpected = resumes;
    for (;;) {
      const state = this.#states.get(page);
      if (!isExpected && permits(state, access)) {
        if (access === "write") this.#write(page, value);
        thread.value = access === "read" ? this.contentOf(page) : 0;
        return "done";
      }
      if (!isExpected) this.#countException(state, access);
      isExpected = false;
      const outcome = this.#fault(page, access);
      if (outcome !== "done") return outcome;
      const isMajor = thread.waits > 1;
      this.counters[isMajor ? "majflt" : "minflt"]++;
      thread[isMajor ? "majflt" : "minflt"]++;
      thread.waits = 0;
    }
  }

  /** Faults one page in as the kernel does for MADV_POPULATE: no exception is raised. */
  populatePage(page: number, access: OracleAccess): OracleOutcome {
    for (;;) {
      const state = this.#states.get(page);
      const isThere = state !== undefined && state !== "marker" && (access === "read" || state.writable);
      if (isThere) return "done";
      const outcome = this.#fault(page, access);
      if (outcome !== "done") return outcome;
      this.counters.minflt++;
    }
  }

  raise(message: OracleMessage, waiter: Waiter): void {
    this.areaAt(message.page)?.context?.unread.push({ message, waiter });
  }

  replay(
    accesses: readonly { page: number; access: OracleAccess }[],
    options: OracleReplayOptions,
  ): { done: number; reason: string; records: OracleRecord[] } {
    const records: OracleRecord[] = [];
    for (const [index, { page, access }] of accesses.entries()) {
      const thread = new OracleThread(this, { page, access, count: 1, stride: 1, value: options.value });
      thread.waits = index === 0 ? options.waits : 0;
      let outcome = this.accessFor(thread, page, access, options.value, thread.waits > 0);
      if (outcome !== "done") records.push({ page, index, outcome, access });
      if (outcome === "wp" && options.wp === "unprotect") {
        this.#unprotectPage(page, true);
        thread.waits = 1;
        outcome = this.accessFor(thread, page, access, options.value, true);
      }
      const isSignal = outcome === "sigsegv" || outcome === "sigbus";
      if (outcome === "done") this.counters[access === "read" ? "replayedReads" : "replayedWrites"]++;
      else if (!isSignal || options.signals === "stop") return { done: index, reason: outcome, records };
    }
    return { done: accesses.length, reason: "end", records };
  }

  // ---------------------------------------------------------------------------------------------------------------------- scan

  scan(scan: OracleScan): { regions: ScanRun[]; walkEnd: number } {
    const progress: ScanProgress = { runs: [], pages: 0, stopped: undefined };
    for (const area of this.#within(scan.first, scan.end)) {
      if (!this.#isScanned(area, scan)) continue;
      this.#scanArea(area, scan, progress);
      if (progress.stopped !== undefined) break;
    }
    return { regions: progress.runs, walkEnd: progress.stopped ?? scan.end };
  }

  #isScanned(area: OracleArea, scan: OracleScan): boolean {
    const isAllowed = isWpAllowed(area);
    if (!isAllowed && scan.checkWpAsync) throw new Refusal("EPERM");
    if (!isAllowed && scan.wpMatching) return false;
    return !scan.mask.includes("wpallowed") || isAllowed !== scan.inverted.includes("wpallowed");
  }

  /** Whether a page has a table is decided before the walk: protecting a hole gives it one. */
  #scanArea(area: OracleArea, scan: OracleScan, progress: ScanProgress): void {
    const [from, to] = [Math.max(area.first, scan.first), Math.min(area.end, scan.end)];
    const tables = new Set(this.#pteTables);
    for (let page = from; page < to && progress.stopped === undefined; page++) {
      const hasTable = tables.has(Math.floor(page / PAGES_OF_PTE_TABLE));
      if (hasTable && scan.wpMatching && scan.vectorLength === 0) {
        this.#scanProtect(page);
        continue;
      }
      const categories = this.#categories(page, area, hasTable);
      if (!isInteresting(categories, scan)) continue;
      if (!this.#putOut(page, categories, scan, progress)) return;
      if (scan.wpMatching && hasTable && categories.has("written")) this.#scanProtect(page);
      if (scan.wpMatching && !hasTable) {
        this.#protectPage(page, true);
        this.counters.scanProtected++;
      }
    }
  }

  #putOut(page: number, categories: ReadonlySet<string>, scan: OracleScan, progress: ScanProgress): boolean {
    if (scan.vectorLength === 0) return true;
    const returned = scan.returned.filter((name) => categories.has(name)).sort();
    const last = progress.runs.at(-1);
    const continues = last?.end === page && last.categories.join() === returned.join();
    const isFull = progress.pages === scan.maxPages || (!continues && progress.runs.length === scan.vectorLength);
    if (isFull) {
      progress.stopped = page;
      return false;
    }
    if (continues) last.end = page + 1;
    else progress.runs.push({ first: page, end: page + 1, categories: returned });
    progress.pages++;
    this.counters.scanPages++;
    return true;
  }

  #scanProtect(page: number): void {
    const state = this.#states.get(page);
    if (state === "marker" || state?.wp === true) return;
    this.#states.set(page, state === undefined ? "marker" : { ...state, writable: false, wp: true });
    this.counters.scanProtected++;
  }

  #categories(page: number, area: OracleArea, hasTable: boolean): Set<string> {
    const state = this.#states.get(page);
    const found = new Set<string>(isWpAllowed(area) ? ["wpallowed"] : []);
    if (state === undefined && (hasTable || area.wp)) found.add("written");
    if (state === "marker") found.add("swapped");
    if (state === undefined || state === "marker") return found;
    found.add("present");
    if (!state.wp) found.add("written");
    if (state.kind === "zero") found.add("pfnzero");
    return found;
  }

  // -------------------------------------------------------------------------------------------------------------------- faults

  /** A processor takes a PROT_NONE entry for one that is not present, since its present bit is clear. */
  #countException(state: State | undefined, access: OracleAccess): void {
    const isPresent = state !== undefined && state !== "marker" && !state.hidden;
    if (access === "read") this.counters.readNotPresent++;
    else this.counters[isPresent ? "writeProtected" : "writeNotPresent"]++;
  }

  #fault(page: number, access: OracleAccess): OracleOutcome {
    const area = this.areaAt(page);
    const isAllowed = access === "write" ? area?.protection === "rw" : area !== undefined && area.protection !== "none";
    if (area === undefined || !isAllowed) {
      this.counters.sigsegv++;
      return "sigsegv";
    }
    this.#ensureTables(page);
    const state = this.#states.get(page);
    if (state === undefined || state === "marker") return this.#faultMissing(page, access, area, state === "marker");
    return access === "write" && !state.writable ? this.#faultProtected(page, area, state) : "done";
  }

  #faultMissing(page: number, access: OracleAccess, area: OracleArea, isMarked: boolean): OracleOutcome {
    if (isMarked && !area.wp) {
      this.#states.delete(page); // left behind by a registration: cleared, and the access faults again
      return "done";
    }
    if (access === "write") this.#giveFamily(area);
    if (area.missing) return this.#ask(area, "missing");
    const kind = access === "write" ? "page" : "zero";
    this.#states.set(page, { kind, writable: kind === "page" && !isMarked, wp: isMarked, hidden: false, content: 0 });
    this.counters[kind === "page" ? "allocateFaults" : "zeroPageFaults"]++;
    if (isMarked) this.counters.markerFaults++;
    return "done";
  }

  #faultProtected(page: number, area: OracleArea, state: Leaf): OracleOutcome {
    const isTrapped = area.wp && state.wp;
    if (isTrapped && area.context?.features.async !== true) return this.#ask(area, "wp");
    if (isTrapped) this.counters.wpAsyncFaults++;
    if (state.kind === "zero") {
      this.#giveFamily(area);
      this.#states.set(page, { kind: "page", writable: true, wp: false, hidden: false, content: 0 });
      this.counters.copyFaults++;
      return "done";
    }
    this.#states.set(page, { ...state, writable: true, wp: isTrapped ? false : state.wp });
    this.counters.reuseFaults++;
    return "done";
  }

  #ask(area: OracleArea, kind: "missing" | "wp"): OracleOutcome {
    if (area.context?.features.sigbus === true) {
      this.counters.sigbus++;
      return "sigbus";
    }
    this.counters[kind === "wp" ? "wpMessages" : "missingMessages"]++;
    return kind;
  }

  #write(page: number, value: number): void {
    const state = this.#states.get(page);
    if (state !== undefined && state !== "marker") this.#states.set(page, { ...state, content: value });
  }

  // --------------------------------------------------------------------------------------------------------- changes of a page

  #protectPage(page: number, usesMarkers: boolean): void {
    if (usesMarkers) this.#ensureTables(page);
    if (this.#hasTable(page)) this.counters.protectVisited++;
    const state = this.#states.get(page);
    if (state === undefined && usesMarkers) {
      this.#states.set(page, "marker");
      this.counters.armedNone++;
    }
    if (state === undefined || state === "marker" || (state.wp && !state.writable)) return;
    this.#states.set(page, { ...state, wp: true, writable: false });
    this.counters[state.kind === "page" ? "armedPage" : "armedZeroPage"]++;
  }

  #unprotectPage(page: number, isAreaWritable: boolean): void {
    const state = this.#states.get(page);
    if (state === undefined) return;
    if (state === "marker") {
      this.#states.delete(page);
      this.counters.disarmedMarker++;
      return;
    }
    const writable = state.writable || (isAreaWritable && state.kind === "page" && !state.hidden);
    if (!state.wp && writable === state.writable) return;
    this.#states.set(page, { ...state, wp: false, writable });
    this.counters[state.kind === "page" ? "disarmedPage" : "disarmedZeroPage"]++;
  }

  #protectLeaf(page: number, protection: OracleProtection, isAreaWp: boolean): void {
    const state = this.#states.get(page);
    if (state === undefined || state === "marker") return;
    const isTrapped = isAreaWp && state.wp;
    const writable = protection === "rw" && state.kind === "page" && !isTrapped;
    this.#states.set(page, { ...state, hidden: protection === "none", writable });
  }

  #zap(first: number, end: number): void {
    for (let page = first; page < end; page++) {
      const state = this.#states.get(page);
      if (state === undefined) continue;
      this.#states.delete(page);
      if (state === "marker") this.counters.zappedMarker++;
      else this.counters[state.kind === "page" ? "zappedPage" : "zappedZeroPage"]++;
    }
  }

  // ---------------------------------------------------------------------------------------------------------------------- fill

  #fillTarget(first: number, end: number): OracleArea {
    const area = this.areaAt(first);
    if (area !== undefined) this.#giveFamily(area);
    if (area === undefined || area.end < end || area.context === null) throw new Refusal("ENOENT", "-ENOENT");
    return area;
  }

  #fill(first: number, end: number, put: (page: number, state: State | undefined) => boolean): number {
    for (let page = first; page < end; page++) {
      this.#ensureTables(page);
      if (!put(page, this.#states.get(page))) return page - first;
    }
    return end - first;
  }

  #filled(context: OracleContext, first: number, end: number, done: number, wakes: boolean): number {
    if (done > 0 && wakes) this.wake(context, first, first + done);
    if (done === end - first) return done * 4096;
    throw done === 0 ? new Refusal("EEXIST", "-EEXIST") : new Refusal("EAGAIN", done * 4096);
  }

  // -------------------------------------------------------------------------------------------------------------------- tables

  #hasTable(page: number): boolean {
    return this.#pteTables.has(Math.floor(page / PAGES_OF_PTE_TABLE));
  }

  #ensureTables(page: number): void {
    this.#pudTables.add(Math.floor(page / PAGES_OF_PUD_TABLE));
    this.#pmdTables.add(Math.floor(page / PAGES_OF_PMD_TABLE));
    if (!this.#hasTable(page)) this.counters.pteTablesAllocated++;
    this.#pteTables.add(Math.floor(page / PAGES_OF_PTE_TABLE));
  }

  /** A table goes when no area is left in what it covers. */
  #freeTables(tables: Set<number>, pages: number, onFree: () => void): void {
    for (const table of tables) {
      if (this.#within(table * pages, (table + 1) * pages).length > 0) continue;
      tables.delete(table);
      onFree();
    }
  }

  /** A last-level table that lies in a range that was zapped goes: nothing of anonymous memory is left in it. */
  #reclaim(first: number, end: number): void {
    for (const table of this.#pteTables) {
      const from = table * PAGES_OF_PTE_TABLE;
      if (from < first || from + PAGES_OF_PTE_TABLE > end) continue;
      this.#pteTables.delete(table);
      this.counters.pteTablesFreed++;
    }
  }

  // --------------------------------------------------------------------------------------------------------------------- areas

  #within(first: number, end: number): OracleArea[] {
    return this.areas.filter((area) => area.first < end && area.end > first);
  }

  #forEachWp(first: number, end: number, apply: (area: OracleArea, from: number, to: number) => void): void {
    const areas = this.#within(first, end);
    if (areas.length === 0) throw new Refusal("ENOENT");
    for (const area of areas) {
      if (!area.wp) throw new Refusal("ENOENT");
      apply(area, Math.max(area.first, first), Math.min(area.end, end));
    }
  }

  #release(area: OracleArea, from: number, to: number): void {
    for (let page = from; area.wp && page < to; page++) this.#unprotectPage(page, area.protection === "rw");
    this.#change(from, to, (part) => Object.assign(part, { context: null, missing: false, wp: false }));
  }

  #change(first: number, end: number, apply: (area: OracleArea) => void): void {
    this.#splitAt(first);
    this.#splitAt(end);
    for (const area of this.#within(first, end)) apply(area);
    this.#mergeTouching(first, end);
  }

  #splitAt(page: number): void {
    const area = this.areaAt(page);
    if (area === undefined || area.first === page) return;
    this.areas.push({ ...area, first: page });
    area.end = page;
    this.#sortAreas();
  }

  #mergeTouching(first: number, end: number): void {
    for (let i = 0; i + 1 < this.areas.length;) {
      const [left, right] = [this.areas[i] as OracleArea, this.areas[i + 1] as OracleArea];
      const isTouched = right.first >= first && right.first <= end;
      if (!isTouched || !areAlike(left, right)) {
        i++;
        continue;
      }
      left.end = right.end;
      left.family ??= right.family;
      this.areas.splice(i + 1, 1);
    }
  }

  /** Gives an area a family, that of the next or previous area if that differs in nothing but protection and owner. */
  #giveFamily(area: OracleArea): void {
    if (area.family !== null) return;
    const isRelative = (other: OracleArea): boolean => other.missing === area.missing && other.wp === area.wp;
    const next = this.areas.find((other) => other.first === area.end && isRelative(other));
    const previous = this.areas.find((other) => other.end === area.first && isRelative(other));
    area.family = next?.family ?? previous?.family ?? {};
  }

  #sortAreas(): void {
    this.areas.sort((a, b) => a.first - b.first);
  }
}

export interface CopyFill {
  readonly value: number;
  readonly step: number;
  readonly wp: boolean;
  readonly wakes: boolean;
}

function permits(state: State | undefined, access: OracleAccess): boolean {
  if (state === undefined || state === "marker" || state.hidden) return false;
  return access === "read" || state.writable;
}

function isWpAllowed(area: OracleArea): boolean {
  return area.wp && area.context?.features.async === true;
}

function isInteresting(categories: ReadonlySet<string>, scan: OracleScan): boolean {
  const matches = (name: string): boolean => categories.has(name) !== scan.inverted.includes(name);
  return scan.mask.every(matches) && (scan.anyOf.length === 0 || scan.anyOf.some(matches));
}

function areAlike(left: OracleArea, right: OracleArea): boolean {
  const isSame =
    left.end === right.first &&
    left.protection === right.protection &&
    left.missing === right.missing &&
    left.wp === right.wp &&
    left.context === right.context;
  return isSame && (left.family === right.family || left.family === null || right.family === null);
}
