import * as abi from "../../assembly/abi.js";
import { type ErrnoName, KernelError } from "../base/errors.js";
import { type Address, ADDRESS_LIMIT, checkCount, hex, isPageAligned, PAGE_SIZE, toNumber } from "../base/pages.js";
import type { AddressSpace } from "../mm/address-space.js";
import {
  type FaultWaiter,
  MODE_MINOR,
  MODE_MISSING,
  MODE_WP,
  type UffdContext,
  type UserFault,
  usesMarkers,
  type Vma,
} from "../mm/vma.js";
import {
  API_IOCTLS,
  bitsOf,
  type Feature,
  FEATURES,
  type IoctlName,
  type Mode,
  MODES,
  rangeIoctls,
} from "./features.js";
import type { Message, PagefaultMessage } from "./messages.js";

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

interface Waiting {
  readonly address: number;
  readonly message: PagefaultMessage;
  readonly waiter: FaultWaiter;
}

/**
 * A userfaultfd of an address space, in the words of userfaultfd(2) and ioctl_userfaultfd(2). Calls throw a `KernelError` where Linux
 * returns an errno. Messages are read with `read` or by iterating; a thread that is woken goes on before the waking call returns.
 */
export class Userfaultfd implements AsyncIterable<Message> {
  readonly space: AddressSpace;
  /** The features that UFFDIO_API says the kernel offers. */
  readonly offeredFeatures: readonly Feature[] = FEATURES;
  /** The ioctls that UFFDIO_API says the descriptor allows. */
  readonly ioctls: readonly IoctlName[] = API_IOCTLS;
  readonly #context: Context;
  #isClosed = false;

  /** Opens a descriptor and does the UFFDIO_API handshake. @throws TypeError for a feature that does not exist. */
  static open(space: AddressSpace, options: UserfaultfdOptions = {}): Userfaultfd {
    return new Userfaultfd(space, options);
  }

  private constructor(space: AddressSpace, options: UserfaultfdOptions) {
    this.space = space;
    bitsOf(options.features ?? [], FEATURES, "features");
    this.#context = new Context(options);
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
   * @throws KernelError EBADF, EINVAL (range, modes, nothing mapped, minor faults of anonymous memory), EBUSY (another descriptor's).
   */
  register(start: Address, length: Address, modes: readonly Mode[]): IoctlName[] {
    const bits = bitsOf(modes, MODES, "modes");
    if (bits === 0) throw this.#error("register", "EINVAL", "no mode is given");
    const { firstPage, endPage } = this.#range("register", start, length);
    const vmas = this.space.vmasWithin(firstPage, endPage);
    if (vmas.length === 0) throw this.#error("register", "EINVAL", "nothing is mapped in the range");
    if ((bits & MODE_MINOR) !== 0) throw this.#error("register", "EINVAL", "anonymous memory has no minor faults");
    if (vmas.some((vma) => vma.context !== null && vma.context !== this.#context)) {
      throw this.#error("register", "EBUSY", "a mapping in the range is registered with another descriptor");
    }
    for (const vma of vmas) {
      if (vma.context === this.#context && (vma.modes & bits) === bits) continue;
      this.space.changeVmas(Math.max(firstPage, vma.firstPage), Math.min(endPage, vma.endPage), this.#context, bits);
    }
    return rangeIoctls(modes);
  }

  /**
   * Ends the registration of a range (UFFDIO_UNREGISTER). Write protection is removed; threads that wait for a missing page are woken, those
   * that wait for a write-protected one are not.
   * @throws KernelError EBADF, EINVAL (range, nothing mapped, another descriptor's).
   */
  unregister(start: Address, length: Address): void {
    const { firstPage, endPage } = this.#range("unregister", start, length);
    const vmas = this.space.vmasWithin(firstPage, endPage);
    if (vmas.length === 0) throw this.#error("unregister", "EINVAL", "nothing is mapped in the range");
    if (vmas.some((vma) => vma.context !== null && vma.context !== this.#context)) {
      throw this.#error("unregister", "EINVAL", "a mapping in the range is registered with another descriptor");
    }
    const woken: Waiting[] = [];
    for (const vma of vmas) {
      if (vma.context === null) continue;
      const [first, end] = [Math.max(firstPage, vma.firstPage), Math.min(endPage, vma.endPage)];
      if ((vma.modes & MODE_MISSING) !== 0) woken.push(...this.#context.take(first * PAGE_SIZE, end * PAGE_SIZE));
      this.#release(vma, first, end);
    }
    this.#wakeAll(woken);
  }

  /** Closes the descriptor: registrations end, and every thread that waits is woken. @throws KernelError EBADF */
  close(): void {
    this.#checkOpen("close");
    this.#isClosed = true;
    for (const vma of [...this.space.vmas]) {
      if (vma.context === this.#context) this.#release(vma, vma.firstPage, vma.endPage);
    }
    const woken = this.#context.take(0, Infinity);
    this.#context.close();
    this.#wakeAll(woken);
  }

  /**
   * Write-protects a range (UFFDIO_WRITEPROTECT with MODE_WP). Without the feature wp-unpopulated, pages that do not exist yet stay
   * unprotected, and nothing says so.
   * @throws KernelError EBADF, EINVAL (range), ENOENT (a mapping is not registered for wp; those before it are protected);
   * OutOfMemoryError.
   */
  writeProtect(start: Address, length: Address): void {
    this.#forEachWp("writeprotect", start, length, (vma, first, count) => {
      this.space.engine.protect(this.space.handle, first, count, usesMarkers(vma) ? "unpopulated" : "populated");
    });
  }

  /** Removes write protection (UFFDIO_WRITEPROTECT without MODE_WP). @throws as `writeProtect` */
  removeWriteProtection(start: Address, length: Address, wake: Wake = "now"): void {
    const range = this.#forEachWp("writeprotect", start, length, (vma, first, count) => {
      this.space.engine.unprotect(this.space.handle, first, count, vma.protection === "rw" ? "writable" : "read-only");
    });
    if (wake === "now") this.#wakeAll(this.#context.take(range.firstPage * PAGE_SIZE, range.endPage * PAGE_SIZE));
  }

  /**
   * Fills a range with new pages (UFFDIO_COPY) and returns the bytes done.
   * @throws KernelError EBADF, EINVAL (range; protecting what is not registered for wp), ENOENT (not inside one registered mapping),
   * EEXIST (the first page is there), EAGAIN (a later one is; `progress` says how many bytes were done); OutOfMemoryError.
   */
  copy(start: Address, length: Address, options: CopyOptions): number {
    const { firstPage, endPage } = this.#range("copy", start, length);
    checkCount(options.value, "value");
    const vma = this.#fillTarget("copy", firstPage, endPage);
    if (options.writeProtect === true && (vma.modes & MODE_WP) === 0) {
      throw this.#error("copy", "EINVAL", "the mapping is not registered for wp", "-EINVAL");
    }
    const flags = fillFlags(vma) | (options.writeProtect === true ? abi.FILL_WP : 0);
    const { engine, handle } = this.space;
    const filled = engine.fillCopy(handle, firstPage, endPage - firstPage, flags, options.value, options.step ?? 0);
    return this.#filled("copy", firstPage, endPage, filled.pages, options.wake);
  }

  /** Fills a range with the shared zero page (UFFDIO_ZEROPAGE) and returns the bytes done. @throws as `copy`; a marker is in its way. */
  zeropage(start: Address, length: Address, wake: Wake = "now"): number {
    const { firstPage, endPage } = this.#range("zeropage", start, length);
    const vma = this.#fillTarget("zeropage", firstPage, endPage);
    const { engine, handle } = this.space;
    const filled = engine.fillZero(handle, firstPage, endPage - firstPage, fillFlags(vma));
    return this.#filled("zeropage", firstPage, endPage, filled.pages, wake);
  }

  /** Poisons a range (UFFDIO_POISON) and returns the bytes done: accesses to it end in SIGBUS. @throws as `zeropage` */
  poison(start: Address, length: Address, wake: Wake = "now"): number {
    const { firstPage, endPage } = this.#range("poison", start, length);
    this.#fillTarget("poison", firstPage, endPage);
    const { pages } = this.space.engine.fillPoison(this.space.handle, firstPage, endPage - firstPage);
    return this.#filled("poison", firstPage, endPage, pages, wake);
  }

  /** Wakes the threads that wait in a range (UFFDIO_WAKE); they try again. @throws KernelError EBADF, EINVAL (range) */
  wake(start: Address, length: Address): void {
    const { firstPage, endPage } = this.#range("wake", start, length);
    this.#wakeAll(this.#context.take(firstPage * PAGE_SIZE, endPage * PAGE_SIZE));
  }

  /** Reads the oldest message, page faults before others, or returns undefined if there is none. @throws KernelError EBADF */
  read(): Message | undefined {
    this.#checkOpen("read");
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

  /** `userfaultfd_clear_vma`: protection is removed, then the registration. */
  #release(vma: Vma, firstPage: number, endPage: number): void {
    if ((vma.modes & MODE_WP) !== 0) {
      const region = vma.protection === "rw" ? "writable" : "read-only";
      this.space.engine.unprotect(this.space.handle, firstPage, endPage - firstPage, region);
    }
    this.space.changeVmas(firstPage, endPage, null, 0);
  }

  #forEachWp(
    call: string,
    start: Address,
    length: Address,
    apply: (vma: Vma, firstPage: number, pageCount: number) => void,
  ): { firstPage: number; endPage: number } {
    const range = this.#range(call, start, length);
    const vmas = this.space.vmasWithin(range.firstPage, range.endPage);
    if (vmas.length === 0) throw this.#error(call, "ENOENT", "nothing is mapped in the range");
    for (const vma of vmas) {
      if ((vma.modes & MODE_WP) === 0) {
        throw this.#error(call, "ENOENT", `the mapping at ${hex(vma.firstPage * PAGE_SIZE)} is not registered for wp`);
      }
      const first = Math.max(vma.firstPage, range.firstPage);
      apply(vma, first, Math.min(vma.endPage, range.endPage) - first);
    }
    return range;
  }

  /** The mapping that COPY and ZEROPAGE fill: one that holds the whole range and is registered with any descriptor. */
  #fillTarget(call: string, firstPage: number, endPage: number): Vma {
    const vma = this.space.vmaAt(firstPage);
    if (vma !== undefined) this.space.prepareAnonVma(firstPage);
    if (vma === undefined || vma.endPage < endPage || vma.context === null) {
      throw this.#error(call, "ENOENT", "the range is not inside one registered mapping", "-ENOENT");
    }
    return vma;
  }

  #filled(call: string, firstPage: number, endPage: number, pages: number, wake: Wake | undefined): number {
    if (pages > 0 && wake !== "later")
      this.#wakeAll(this.#context.take(firstPage * PAGE_SIZE, (firstPage + pages) * PAGE_SIZE));
    if (firstPage + pages === endPage) return pages * PAGE_SIZE;
    const at = hex((firstPage + pages) * PAGE_SIZE);
    if (pages === 0) throw this.#error(call, "EEXIST", `something is there at ${at}`, "-EEXIST");
    throw this.#error(call, "EAGAIN", `something is there at ${at}`, pages * PAGE_SIZE);
  }

  /** `fs/userfaultfd.c:validate_range`. */
  #range(call: string, start: Address, length: Address): { firstPage: number; endPage: number } {
    this.#checkOpen(call);
    const from = toNumber(start, "start");
    const bytes = toNumber(length, "length");
    const isRange = isPageAligned(from) && isPageAligned(bytes) && bytes !== 0 && from + bytes <= ADDRESS_LIMIT;
    if (!isRange) throw this.#error(call, "EINVAL", "the range is empty, not at pages, or not in user space");
    return { firstPage: from / PAGE_SIZE, endPage: (from + bytes) / PAGE_SIZE };
  }

  #checkOpen(call: string): void {
    if (this.#isClosed) throw this.#error(call, "EBADF", "the descriptor is closed");
  }

  #error(call: string, code: ErrnoName, detail: string, progress?: number | `-${ErrnoName}`): KernelError {
    return new KernelError(`userfaultfd ${call}`, code, detail, progress);
  }
}

/** `struct userfaultfd_ctx`: the queues. Faults not yet read, threads whose message was read and who still wait, other events. */
class Context implements UffdContext {
  readonly wpUnpopulated: boolean;
  readonly wpAsync: boolean;
  readonly sigbus: boolean;
  readonly userModeOnly: boolean;
  readonly #features: ReadonlySet<Feature>;
  #pending: Waiting[] = [];
  #read: Waiting[] = [];
  readonly #events: Message[] = [];
  readonly #onEvent: (() => void) | undefined;
  #notify: (() => void)[] = [];

  constructor(options: UserfaultfdOptions) {
    const features: ReadonlySet<Feature> = new Set(options.features ?? []);
    this.#features = features;
    this.#onEvent = options.onEvent;
    this.wpAsync = features.has("wp-async");
    this.wpUnpopulated = features.has("wp-unpopulated") || this.wpAsync;
    this.sigbus = features.has("sigbus");
    this.userModeOnly = options.userModeOnly === true;
  }

  get pendingMessages(): number {
    return this.#pending.length + this.#events.length;
  }

  raise(fault: UserFault): void {
    const address = this.#features.has("exact-address") ? fault.address : fault.address - (fault.address % PAGE_SIZE);
    const message: PagefaultMessage = { event: "pagefault", address, kind: fault.kind, access: fault.access };
    this.#pending.push({ address, message, waiter: fault.waiter });
    this.#wakeReaders();
  }

  removing(start: number, end: number): void {
    if (this.#features.has("event-remove")) this.#event({ event: "remove", start, end });
  }

  unmapped(start: number, end: number): void {
    if (this.#features.has("event-unmap")) this.#event({ event: "unmap", start, end });
  }

  read(): Message | undefined {
    const waiting = this.#pending.shift();
    if (waiting === undefined) return this.#events.shift();
    this.#read.push(waiting);
    return waiting.message;
  }

  /** Takes the threads that wait in a range off the queues, in the order in which Linux wakes them: the latest first, unread before read. */
  take(start: number, end: number): Waiting[] {
    const isInside = (waiting: Waiting): boolean => waiting.address >= start && waiting.address < end;
    const taken = [...this.#pending.filter(isInside).reverse(), ...this.#read.filter(isInside).reverse()];
    this.#pending = this.#pending.filter((waiting) => !isInside(waiting));
    this.#read = this.#read.filter((waiting) => !isInside(waiting));
    return taken;
  }

  nextMessage(): Promise<void> {
    return new Promise((resolve) => this.#notify.push(resolve));
  }

  close(): void {
    this.#wakeReaders();
  }

  #event(message: Message): void {
    this.#events.push(message);
    this.#wakeReaders();
    this.#onEvent?.();
  }

  #wakeReaders(): void {
    const notify = this.#notify;
    this.#notify = [];
    for (const resolve of notify) resolve();
  }
}

function fillFlags(vma: Vma): number {
  if (vma.protection === "none") return abi.FILL_PROTECTION_NONE;
  return vma.protection === "rw" ? abi.FILL_WRITABLE : 0;
}
