import type { AddressSpace } from "../mm/address-space.js";
import type { FaultWaiter, UffdContext, UserFault } from "../mm/vma.js";
import type { Feature } from "./features.js";
import type { Message, PagefaultMessage } from "./messages.js";

/** A thread that waits, and what it waits for. */
export interface Waiting {
  /** Address of the message. */
  readonly address: number;
  readonly message: PagefaultMessage;
  readonly waiter: FaultWaiter;
}

/** What a context is made with. */
export interface ContextOptions {
  readonly features: ReadonlySet<Feature>;
  readonly userModeOnly: boolean;
  /** Called when an event other than a page fault can be read. */
  readonly onEvent: (() => void) | undefined;
  /** Makes the descriptor of a forked child, and the message that brings it. */
  readonly forkChild: (child: AddressSpace) => { readonly context: UffdContext; readonly message: Message };
}

/** `struct userfaultfd_ctx`: the queues. Faults not yet read, threads whose message was read and who still wait, other events. */
export class Context implements UffdContext {
  readonly wpUnpopulated: boolean;
  readonly wpAsync: boolean;
  readonly sigbus: boolean;
  readonly userModeOnly: boolean;
  readonly eventRemap: boolean;
  readonly #options: ContextOptions;
  #pending: Waiting[] = [];
  #read: Waiting[] = [];
  readonly #events: Message[] = [];
  #notify: (() => void)[] = [];

  constructor(options: ContextOptions) {
    const { features } = options;
    this.#options = options;
    this.wpAsync = features.has("wp-async");
    this.wpUnpopulated = features.has("wp-unpopulated") || this.wpAsync;
    this.sigbus = features.has("sigbus");
    this.eventRemap = features.has("event-remap");
    this.userModeOnly = options.userModeOnly;
  }

  get pendingMessages(): number {
    return this.#pending.length + this.#events.length;
  }

  raise(fault: UserFault): void {
    const isExact = this.#options.features.has("exact-address");
    const address = isExact ? fault.address : fault.address - (fault.address % fault.pageBytes);
    const message: PagefaultMessage = { event: "pagefault", address, kind: fault.kind, access: fault.access };
    this.#pending.push({ address, message, waiter: fault.waiter });
    this.#wakeReaders();
  }

  removing(start: number, end: number): void {
    if (this.#options.features.has("event-remove")) this.#event({ event: "remove", start, end });
  }

  unmapped(start: number, end: number): void {
    if (this.#options.features.has("event-unmap")) this.#event({ event: "unmap", start, end });
  }

  remapped(from: number, to: number, length: number): void {
    if (this.eventRemap) this.#event({ event: "remap", from, to, length });
  }

  fork(child: AddressSpace): { readonly context: UffdContext; announce(): void } | null {
    if (!this.#options.features.has("event-fork")) return null;
    const { context, message } = this.#options.forkChild(child);
    return {
      context,
      announce: () => {
        this.#event(message);
      },
    };
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
    this.#options.onEvent?.();
  }

  #wakeReaders(): void {
    const notify = this.#notify;
    this.#notify = [];
    for (const resolve of notify) resolve();
  }
}
