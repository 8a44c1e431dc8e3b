import * as abi from "../../assembly/abi.js";
import { type ErrnoName, KernelError } from "../base/errors.js";
import type { KernelChange } from "../base/kernel-version.js";
import { type Address, ADDRESS_LIMIT, checkCount, hex, isPageAligned, PAGE_SIZE, toNumber } from "../base/pages.js";
import type { AddressSpace } from "../mm/address-space.js";
import type { FillReason, Progress } from "../engine/engine.js";
import { clip, MODE_MINOR, MODE_MISSING, MODE_WP, pageStep, type Policies, usesMarkers, type Vma } from "../mm/vma.js";
import { Context, type Waiting } from "./context.js";
import {
  API_IOCTLS,
  bitsOf,
  type Feature,
  FEATURES,
  type IoctlName,
  type Mode,
  MODES,
  offeredFeatures,
  rangeIoctls,
} from "./features.js";
import type { Message } from "./messages.js";

/** How a userfaultfd is made. */
export interface UserfaultfdOptions {
  /** Features to enable with UFFDIO_API. */
  readonly features?: readonly Feature[];
  /** UFFD_USER_MODE_ONLY: faults of the kernel itself (populate) fail instead of waiting. */
  readonly userModeOnly?: boolean;
  /** Called when an event other than a page fault can be read, while the call that caused it waits for that. */
  readonly onEvent?: () => void;
}

/** Whether a call that resolves faults wakes the threads that wait for them. */
export type Wake = "now" | "later";

/** What UFFDIO_COPY fills pages with. */
export interface CopyOptions {
  /** Number of the first page, and how it grows from page to page (default 0). */
  readonly value: number;
  readonly step?: number;
  /** Leave the pages write-protected (UFFDIO_COPY_MODE_WP). */
  readonly writeProtect?: boolean;
  readonly wake?: Wake;
}

/** Options of UFFDIO_CONTINUE. */
export interface ContinueOptions {
  /** Leave the pages write-protected (UFFDIO_CONTINUE_MODE_WP). */
  readonly writeProtect?: boolean;
  readonly wake?: Wake;
}

/** Options of UFFDIO_MOVE. */
export interface MoveOptions {
  /** Pass over pages that the source does not have (UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES). */
  readonly allowSourceHoles?: boolean;
  readonly wake?: Wake;
}

/**
 * A userfaultfd of an address space, in the words of userfaultfd(2) and ioctl_userfaultfd(2). Calls throw a `KernelError` where Linux
 * returns an errno. Messages are read with `read` or by iterating; a thread that is woken goes on before the waking call returns.
 */
export class Userfaultfd implements AsyncIterable<Message> {
  readonly space: AddressSpace;
  /** The features that UFFDIO_API says the kernel offers. */
  readonly offeredFeatures: readonly Feature[];
  /** The ioctls that UFFDIO_API says the descriptor allows. */
  readonly ioctls: readonly IoctlName[] = API_IOCTLS;
  readonly #context: Context;
  #isClosed = false;

  /**
   * Opens a descriptor and does the UFFDIO_API handshake.
   * @throws TypeError for a feature that does not exist; KernelError EINVAL for one that the machine's kernel does not have.
   */
  static open(space: AddressSpace, options: UserfaultfdOptions = {}): Userfaultfd {
    return new Userfaultfd(space, options);
  }

  private constructor(space: AddressSpace, options: UserfaultfdOptions) {
    this.space = space;
    bitsOf(options.features ?? [], FEATURES, "features");
    this.offeredFeatures = offeredFeatures(space.machine);
    const missing = options.features?.find((feature) => !this.offeredFeatures.includes(feature));
    if (missing !== undefined) throw this.#error("api", "EINVAL", `the kernel does not offer ${missing}`);
    if (options.userModeOnly === true && !space.machine.has("user-mode-only")) {
      throw this.#error("open", "EINVAL", "the kernel does not know UFFD_USER_MODE_ONLY");
    }
    this.#context = new Context({
      features: new Set(options.features ?? []),
      userModeOnly: options.userModeOnly === true,
      onEvent: options.onEvent,
      forkChild: (childSpace) => {
        const child = new Userfaultfd(childSpace, options);
        return { context: child.#context, message: { event: "fork", child } };
      },
    });
  }

  /** Whether the descriptor has been closed. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Messages that can be read now. */
  get pendingMessages(): number {
    return this.#context.pendingMessages;
  }

  /**
   * Registers a range (UFFDIO_REGISTER) and returns the ioctls that it allows. Registering a mapping again replaces its modes, unless it
   * has them all: then nothing changes.
   * @throws KernelError EBADF, EINVAL (range, modes, nothing mapped, a kind of memory that does not have them), EBUSY (another descriptor's),
   * ENOMEM (the process has ended).
   */
  register(start: Address, length: Address, modes: readonly Mode[]): IoctlName[] {
    this.#checkOpen("register");
    const bits = bitsOf(modes, MODES, "modes");
    if (bits === 0) throw this.#error("register", "EINVAL", "no mode is given");
    if ((bits & MODE_MINOR) !== 0 && !this.space.machine.has("minor-hugetlbfs")) {
      throw this.#error("register", "EINVAL", "the kernel does not know minor faults");
    }
    const { firstPage, endPage } = this.#range("register", start, length);
    const vmas = this.#mappings("register", firstPage, endPage);
    for (const vma of vmas) {
      if (!canRegister(vma, bits, this.#context.wpAsync, this.space.machine)) {
        throw this.#error("register", "EINVAL", `${vma.kind} memory cannot be registered for ${modes.join(", ")}`);
      }
      if (endPage < vma.endPage) this.#checkHugeEdge("register", vma, endPage);
      if (vma.context !== null && vma.context !== this.#context) {
        throw this.#error("register", "EBUSY", "a mapping in the range is registered with another descriptor");
      }
    }
    for (const vma of vmas) {
      if (vma.context === this.#context && (vma.modes & bits) === bits) continue;
      const { first, end } = clip(vma, firstPage, endPage);
      this.space.mm.change(first, end, { context: this.#context, modes: bits });
    }
    const memory = vmas.some((vma) => vma.kind === "hugetlb") ? "hugetlb" : "other";
    return rangeIoctls(modes, memory, this.space.machine);
  }

  /**
   * Ends the registration of a range (UFFDIO_UNREGISTER). Write protection is removed; threads that wait for a missing page are woken, those
   * that wait for a write-protected one are not.
   * @throws KernelError EBADF, EINVAL (range, nothing mapped, another descriptor's, a file that is not registered), ENOMEM (the process has ended).
   */
  unregister(start: Address, length: Address): void {
    this.#checkOpen("unregister");
    const { firstPage, endPage } = this.#range("unregister", start, length);
    const vmas = this.#mappings("unregister", firstPage, endPage);
    for (const vma of vmas) {
      const isOthers = vma.context !== null && vma.context !== this.#context;
      if (isOthers && this.space.machine.has("unregister-own")) {
        throw this.#error("unregister", "EINVAL", "a mapping in the range is registered with another descriptor");
      }
      if (!canRegister(vma, vma.modes, this.#context.wpAsync, this.space.machine)) {
        throw this.#error("unregister", "EINVAL", "a mapping in the range cannot be registered");
      }
    }
    const woken: Waiting[] = [];
    try {
      for (const vma of vmas) {
        if (vma.context === null) continue;
        const { first, end } = clip(vma, firstPage, endPage);
        if ((vma.modes & MODE_MISSING) !== 0) woken.push(...this.#context.take(first * PAGE_SIZE, end * PAGE_SIZE));
        this.#release(vma, first, end);
      }
    } finally {
      this.#wakeAll(woken);
    }
  }

  /** Closes the descriptor: registrations end, and every thread that waits is woken. @throws KernelError EBADF */
  close(): void {
    this.#checkOpen("close");
    this.#isClosed = true;
    for (const vma of [...this.space.vmas]) {
      if (vma.context === this.#context) this.#release(vma, vma.firstPage, vma.endPage);
    }
    const woken = this.#takeLive(0, Infinity);
    this.#context.close();
    this.#wakeAll(woken);
  }

  /**
   * Write-protects a range (UFFDIO_WRITEPROTECT with MODE_WP). Anonymous pages that do not exist yet stay unprotected without the feature
   * wp-unpopulated, and nothing says so.
   * @throws KernelError EBADF, EINVAL (range), ENOENT (a mapping is not registered for wp; those before it are protected), ESRCH;
   * OutOfMemoryError.
   */
  writeProtect(start: Address, length: Address): void {
    const { engine, handle } = this.space;
    this.#forEachWp("writeprotect", start, length, (vma, first, count) => {
      if (vma.kind === "hugetlb") engine.protectHugetlb(handle, first, count);
      else
        engine.protect(
          handle,
          first,
          count,
          !usesMarkers(vma) ? "populated" : vma.kind === "anon" ? "unpopulated" : "object",
        );
    });
  }

  /** Removes write protection (UFFDIO_WRITEPROTECT without MODE_WP). @throws as `writeProtect` */
  removeWriteProtection(start: Address, length: Address, wake: Wake = "now"): void {
    const range = this.#forEachWp("writeprotect", start, length, (vma, first, count) => {
      this.space.mm.unprotect(vma, first, count);
    });
    if (wake === "now") this.#wakeRange(range.firstPage, range.endPage);
  }

  /**
   * Fills a range with new pages (UFFDIO_COPY) and returns the bytes done.
   * @throws KernelError EBADF, EINVAL (range; a kind of memory that is not filled; protecting what is not registered for wp), ENOENT (not
   * inside one registered mapping), EEXIST (the first page is there), EFAULT (behind the end of the object), ENOMEM (no huge page), ESRCH,
   * EAGAIN (a later page failed; `progress` says how many bytes were done); OutOfMemoryError.
   */
  copy(start: Address, length: Address, options: CopyOptions): number {
    checkCount(options.value, "value");
    const flags = options.writeProtect === true ? abi.FILL_WP : 0;
    const call = { name: "copy", start, length, flags, wake: options.wake } as const;
    return this.#fill(call, (firstPage, count) =>
      this.space.engine.fillCopy(this.space.handle, firstPage, count, flags, options.value, options.step ?? 0),
    );
  }

  /** Fills a range with the shared zero page (UFFDIO_ZEROPAGE) and returns the bytes done. @throws as `copy`; a marker is in its way. */
  zeropage(start: Address, length: Address, wake: Wake = "now"): number {
    return this.#fill({ name: "zeropage", start, length, flags: 0, wake }, (firstPage, count) =>
      this.space.engine.fillZero(this.space.handle, firstPage, count),
    );
  }

  /** Maps the pages that the object has (UFFDIO_CONTINUE) and returns the bytes done. @throws as `copy`; EFAULT where it has none. */
  continue(start: Address, length: Address, options: ContinueOptions = {}): number {
    const flags = options.writeProtect === true ? abi.FILL_WP : 0;
    return this.#fill({ name: "continue", start, length, flags, wake: options.wake }, (firstPage, count) =>
      this.space.engine.fillContinue(this.space.handle, firstPage, count, flags),
    );
  }

  /** Poisons a range (UFFDIO_POISON) and returns the bytes done: accesses to it end in SIGBUS. @throws as `zeropage` */
  poison(start: Address, length: Address, wake: Wake = "now"): number {
    return this.#fill({ name: "poison", start, length, flags: 0, wake }, (firstPage, count) =>
      this.space.engine.fillPoison(this.space.handle, firstPage, count),
    );
  }

  /**
   * Moves pages from another place of the same memory (UFFDIO_MOVE) and returns the bytes done.
   * @throws KernelError EBADF, EINVAL (range; not two alike private anonymous writable mappings, the target registered here), ENOENT (not
   * mapped, or a hole of the source), EEXIST, EBUSY (a page that others may use), EFAULT (a marker in the source), ESRCH, EAGAIN as `copy`;
   * OutOfMemoryError.
   */
  move(start: Address, length: Address, from: Address, options: MoveOptions = {}): number {
    this.#checkOpen("move");
    this.#checkKnown("move");
    const target = this.#range("move", start, length);
    const source = this.#range("move", from, length);
    this.#checkAlive("move");
    this.#checkMove(target.firstPage, source.firstPage, target.endPage - target.firstPage);
    const flags = options.allowSourceHoles === true ? abi.MOVE_ALLOW_HOLES : 0;
    this.space.mm.publish();
    const pages = target.endPage - target.firstPage;
    const done = this.space.engine.movePages(this.space.handle, target.firstPage, source.firstPage, pages, flags);
    return this.#filled("move", target.firstPage, done, options.wake);
  }

  /** Wakes the threads that wait in a range (UFFDIO_WAKE); they try again. @throws KernelError EBADF, EINVAL (range) */
  wake(start: Address, length: Address): void {
    this.#checkOpen("wake");
    const { firstPage, endPage } = this.#range("wake", start, length);
    this.#wakeRange(firstPage, endPage);
  }

  /** Reads the oldest message, page faults before others, or returns undefined if there is none. @throws KernelError EBADF */
  read(): Message | undefined {
    this.#checkOpen("read");
    if (this.space.isDisposed) this.#context.take(0, Infinity); // threads that have ended wait for nothing
    return this.#context.read();
  }

  /** Yields messages as they come, until the descriptor is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Message, void, undefined> {
    while (!this.#isClosed) {
      const message = this.#context.read();
      if (message === undefined) await this.#context.nextMessage();
      else yield message;
    }
  }

  #wakeAll(woken: readonly Waiting[]): void {
    this.space.wake(woken.map(({ waiter }) => waiter));
  }

  #wakeRange(firstPage: number, endPage: number): void {
    this.#wakeAll(this.#takeLive(firstPage * PAGE_SIZE, endPage * PAGE_SIZE));
  }

  /** Takes threads off the queues; of a process that has ended there are none. */
  #takeLive(start: number, end: number): Waiting[] {
    const taken = this.#context.take(start, end);
    return this.space.isDisposed ? [] : taken;
  }

  /** `userfaultfd_clear_vma`: protection is removed, then the registration. */
  #release(vma: Vma, firstPage: number, endPage: number): void {
    const { mm } = this.space;
    const pages = Math.ceil((endPage - firstPage) / pageStep(vma)) * pageStep(vma);
    if ((vma.modes & MODE_WP) !== 0) mm.unprotect(vma, firstPage, pages);
    mm.cutHugetlb("unregister", firstPage); // only now is the mapping cut
    mm.cutHugetlb("unregister", endPage);
    mm.change(firstPage, endPage, { context: null, modes: 0 });
  }

  /** The mappings that REGISTER and UNREGISTER are for. */
  #mappings(call: string, firstPage: number, endPage: number): Vma[] {
    if (this.space.isDisposed) throw this.#error(call, "ENOMEM", "the process has ended");
    const vmas = this.space.mm.list.within(firstPage, endPage);
    const [first] = vmas;
    if (first === undefined) throw this.#error(call, "EINVAL", "nothing is mapped in the range");
    if (firstPage > first.firstPage) this.#checkHugeEdge(call, first, firstPage);
    else if (first.kind === "hugetlb" && firstPage % pageStep(first) !== 0) {
      throw this.#error(call, "EINVAL", "the range does not start at a huge page");
    }
    return vmas;
  }

  /** An edge of a range may not lie in a huge page of hugetlbfs. */
  #checkHugeEdge(call: string, vma: Vma, page: number): void {
    if (page % pageStep(vma) !== 0) throw this.#error(call, "EINVAL", "the range does not end at huge pages");
  }

  /** `mwriteprotect_range`. */
  #forEachWp(
    call: string,
    start: Address,
    length: Address,
    apply: (vma: Vma, firstPage: number, pageCount: number) => void,
  ): { firstPage: number; endPage: number } {
    this.#checkOpen(call);
    const range = this.#range(call, start, length);
    this.#checkAlive(call);
    const vmas = this.space.mm.list.within(range.firstPage, range.endPage);
    if (vmas.length === 0) throw this.#error(call, "ENOENT", "nothing is mapped in the range");
    for (const vma of vmas) {
      if ((vma.modes & MODE_WP) === 0) {
        throw this.#error(call, "ENOENT", `the mapping at ${hex(vma.firstPage * PAGE_SIZE)} is not registered for wp`);
      }
      this.#checkHugeEdge(call, vma, range.firstPage);
      this.#checkHugeEdge(call, vma, range.endPage);
      const { first, count } = clip(vma, range.firstPage, range.endPage);
      apply(vma, first, count);
    }
    return range;
  }

  /** `mfill_atomic`: what COPY, ZEROPAGE, CONTINUE and POISON have in common. */
  #fill(call: FillCall, apply: (firstPage: number, pageCount: number) => Progress<FillReason>): number {
    const { name } = call;
    this.#checkOpen(name);
    this.#checkKnown(name);
    const { firstPage, endPage } = this.#range(name, call.start, call.length);
    this.#checkAlive(name);
    const vma = this.#fillTarget(name, firstPage, endPage);
    const refuse = (detail: string): KernelError => this.#error(name, "EINVAL", detail, "-EINVAL");
    if ((call.flags & abi.FILL_WP) !== 0 && (vma.modes & MODE_WP) === 0) {
      throw refuse("the mapping is not registered for wp");
    }
    if (vma.kind === "hugetlb") {
      if (name === "zeropage") throw refuse("hugetlbfs has no zero page");
      if (firstPage % pageStep(vma) !== 0 || endPage % pageStep(vma) !== 0) throw refuse("not at huge pages");
    } else if (vma.kind === "file" || (vma.kind === "anon" && name === "continue")) {
      throw refuse(`${vma.kind} memory is not filled so`);
    }
    this.space.mm.publish();
    const filled = apply(firstPage, endPage - firstPage);
    return this.#filled(name, firstPage, filled, call.wake);
  }

  /** The mapping that is filled: one that holds the whole range and is registered with any descriptor. */
  #fillTarget(call: string, firstPage: number, endPage: number): Vma {
    const vma = this.space.mm.list.at(firstPage);
    if (vma !== undefined && !vma.isShared) this.space.mm.prepareAnonVma(firstPage);
    if (vma === undefined || vma.endPage < endPage || vma.context === null) {
      throw this.#error(call, "ENOENT", "the range is not inside one registered mapping", "-ENOENT");
    }
    return vma;
  }

  #filled(call: string, firstPage: number, { pages, reason }: Progress<FillReason>, wake: Wake | undefined): number {
    if (pages > 0 && wake !== "later") this.#wakeRange(firstPage, firstPage + pages);
    if (reason === "ok") return pages * PAGE_SIZE;
    const at = hex((firstPage + pages) * PAGE_SIZE);
    if (pages === 0) throw this.#error(call, reason, `failed at ${at}`, `-${reason}`);
    throw this.#error(call, "EAGAIN", `${reason} at ${at}`, pages * PAGE_SIZE);
  }

  /** `validate_move_areas`, and what `move_pages` checks before it. */
  #checkMove(target: number, source: number, pages: number): void {
    const { list } = this.space.mm;
    if (list.at(target)?.isShared === false) this.space.mm.prepareAnonVma(target);
    const [to, from] = [list.at(target), list.at(source)];
    if (to === undefined || from === undefined) {
      throw this.#error("move", "ENOENT", "source or target is not mapped", "-ENOENT");
    }
    const isAllowed =
      isMovable(from) &&
      isMovable(to) &&
      source + pages <= from.endPage &&
      target + pages <= to.endPage &&
      to.context === this.#context;
    if (!isAllowed) throw this.#error("move", "EINVAL", "not two such mappings as can be moved between", "-EINVAL");
  }

  /** `fs/userfaultfd.c:validate_range`. */
  #range(call: string, start: Address, length: Address): { firstPage: number; endPage: number } {
    const from = toNumber(start, "start");
    const bytes = toNumber(length, "length");
    const isRange = isPageAligned(from) && isPageAligned(bytes) && bytes !== 0 && from + bytes <= ADDRESS_LIMIT;
    if (!isRange) throw this.#error(call, "EINVAL", "the range is empty, not at pages, or not in user space");
    return { firstPage: from / PAGE_SIZE, endPage: (from + bytes) / PAGE_SIZE };
  }

  #checkOpen(call: string): void {
    if (this.#isClosed) throw this.#error(call, "EBADF", "the descriptor is closed");
  }

  /** An ioctl that the kernel does not have is EINVAL, not ENOTTY. */
  #checkKnown(call: FillCall["name"] | "move"): void {
    const change = IOCTL_CHANGES[call];
    if (change === undefined || this.space.machine.has(change)) return;
    throw this.#error(call, "EINVAL", "the kernel does not have the ioctl");
  }

  #checkAlive(call: string): void {
    if (this.space.isDisposed) throw this.#error(call, "ESRCH", "the process has ended");
  }

  #error(call: string, code: ErrnoName, detail: string, progress?: number | `-${ErrnoName}`): KernelError {
    return new KernelError(`userfaultfd ${call}`, code, detail, progress);
  }
}

const IOCTL_CHANGES: Readonly<Partial<Record<FillCall["name"] | "move", KernelChange>>> = {
  continue: "minor-hugetlbfs",
  poison: "poison",
  move: "move",
};

interface FillCall {
  readonly name: "copy" | "zeropage" | "continue" | "poison";
  readonly start: Address;
  readonly length: Address;
  /** FILL_ flags. */
  readonly flags: number;
  readonly wake: Wake | undefined;
}

/** `vma_can_userfault`. */
function canRegister(vma: Vma, modes: number, isAsync: boolean, kernel: Policies): boolean {
  const minor = { anon: null, shmem: "minor-shmem", file: null, hugetlb: "minor-hugetlbfs" } as const;
  const minorChange = minor[vma.kind];
  if ((modes & MODE_MINOR) !== 0 && (minorChange === null || !kernel.has(minorChange))) return false;
  if (isAsync && modes === MODE_WP) return true;
  if ((modes & MODE_WP) !== 0 && vma.kind !== "anon" && !kernel.has("wp-hugetlbfs-shmem")) return false;
  return vma.kind !== "file";
}

function isMovable(vma: Vma): boolean {
  return vma.kind === "anon" && !vma.isShared && vma.protection === "rw";
}
