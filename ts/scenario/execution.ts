import { KernelError, OutOfMemoryError } from "../base/errors.js";
import type { Engine } from "../engine/engine.js";
import { AddressSpace } from "../mm/address-space.js";
import type { PopulateCall } from "../mm/populate-call.js";
import type { Thread, ThreadPlan } from "../mm/thread.js";
import { Userfaultfd, type UserfaultfdOptions } from "../uffd/userfaultfd.js";
import type { StepResult } from "./document.js";
import { answer, type Handler } from "./handler.js";
import { MessageLog } from "./message-log.js";
import { type NamedMapping, Places } from "./places.js";

/** What a step gave, or how to tell once nothing goes on by itself any more. */
export type Answer = StepResult | (() => StepResult);

/** Carries a step out. */
export type Action = (execution: Execution) => Answer;

/** A step that has been checked. */
export interface PlannedStep {
  readonly action: Action;
  /** The mapping that the step gives a name. */
  readonly mapping?: NamedMapping;
  /** Whether the step is a call by the process under test, which cannot make one while another one waits. */
  readonly isCall?: true;
}

/** Threads of a process that can make accesses at the same time. */
const MAX_THREADS = 16;

interface Descriptor {
  readonly name: string;
  readonly uffd: Userfaultfd;
  readonly handler: Handler;
}

/** A scenario under way: the process with its memory, and the one that owns the descriptors. */
export class Execution {
  readonly space: AddressSpace;
  /** All mappings that have been named so far, for writing places. */
  readonly #named = new Places();
  /** Those of them that were tried, for the numbers that a handler copies in. */
  readonly #tried = new Places();
  readonly #descriptors = new Map<string, Descriptor>();
  readonly #log = new MessageLog();
  readonly #threads: Thread[] = [];
  readonly #accesses = new Map<string, () => StepResult>();
  /** The call by the process that waits for a page fault. */
  #waitingCall: PopulateCall | null = null;
  #isLost = false;

  constructor(engine: Engine) {
    this.space = new AddressSpace(engine, { wakes: "queued" });
  }

  /** Carries a step out, and all that it sets going. */
  step(step: PlannedStep): StepResult {
    if (step.mapping !== undefined) this.#named.add(step.mapping);
    if (this.#isLost || (step.isCall === true && this.#callWaits)) return { unsupported: true };
    if (step.mapping !== undefined) this.#tried.add(step.mapping);
    try {
      const given = step.action(this);
      this.#settle();
      return this.#withMessages(typeof given === "function" ? given() : given);
    } catch (error) {
      if (error instanceof OutOfMemoryError) return this.giveUp();
      throw error;
    }
  }

  /** Notes that nothing is known of the memory from here on. */
  giveUp(): StepResult {
    this.#isLost = true;
    return { unsupported: true };
  }

  placeText(address: number): string {
    return this.#named.placeText(address);
  }

  /** Returns a descriptor that is open, or null. */
  uffd(name: string): Userfaultfd | null {
    const uffd = this.#descriptors.get(name)?.uffd;
    return uffd === undefined || uffd.isClosed ? null : uffd;
  }

  openUffd(name: string, options: UserfaultfdOptions, handler: Handler): Userfaultfd {
    // the call that causes an event waits until it is read, so that the events of several descriptors are read in that order
    const onEvent = (): void => {
      this.#drain();
    };
    const uffd = Userfaultfd.open(this.space, { ...options, onEvent });
    this.#descriptors.set(name, { name, uffd, handler });
    return uffd;
  }

  /** Starts an access on a thread of its own, or returns null when there is no thread for it. */
  startAccess(plan: ThreadPlan): Thread | null {
    const idle = this.#threads.findIndex((thread) => thread.outcome !== "blocked");
    const isNew = idle < 0;
    // a process whose call waits cannot make the one that starts a thread
    if (isNew && (this.#callWaits || this.#threads.length === MAX_THREADS)) return null;
    const thread = this.space.start(plan);
    if (isNew) this.#threads.push(thread);
    else this.#threads[idle] = thread;
    return thread;
  }

  /** Gives the thread of an access a name. `result` says what has become of the access. */
  nameAccess(name: string, result: () => StepResult): void {
    this.#accesses.set(name, result);
  }

  /** Returns what has become of the access on a named thread, or null if none was started. */
  accessResult(name: string): StepResult | null {
    return this.#accesses.get(name)?.() ?? null;
  }

  /** Takes note of a call that may wait, and returns what the step gives. */
  callAnswer(call: PopulateCall): Answer {
    this.#waitingCall = call;
    return () => {
      if (call.isBlocked) return { outcome: "blocked" };
      return call.error === null ? { ok: true } : { errno: call.error.code };
    };
  }

  dispose(): void {
    this.space.dispose();
  }

  get #callWaits(): boolean {
    return this.#waitingCall?.isBlocked === true;
  }

  /** Reads and answers messages, and lets what was woken go on, until nothing goes on by itself any more. */
  #settle(): void {
    do this.#drain();
    while (this.space.runWoken());
  }

  /** Reads every message that is there, descriptor by descriptor. Whoever an answer wakes goes on only when all have been read. */
  #drain(): void {
    for (const { name, uffd, handler } of this.#descriptors.values()) {
      if (uffd.isClosed) continue;
      for (let message = uffd.read(); message !== undefined; message = uffd.read()) {
        this.#log.add(name, message);
        if (message.event === "pagefault") answer(handler, uffd, message, this.#tried);
      }
    }
  }

  #withMessages(result: StepResult): StepResult {
    const messages = this.#log.take(this.#named);
    return messages.length === 0 ? result : { ...result, messages };
  }
}

/** Makes a call that Linux may refuse. `fields` are those of the result beside the errno. */
export function attempt(call: () => Answer, fields?: (error: KernelError) => StepResult): Answer {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    return { errno: error.code, ...fields?.(error) };
  }
}
