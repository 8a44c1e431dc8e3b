import { KernelError, OutOfMemoryError } from "../base/errors.js";
import type { Engine } from "../engine/engine.js";
import { AddressSpace, type MemoryStatus } from "../mm/address-space.js";
import { EndlessCallError } from "../mm/advice.js";
import { Machine, type MachineOptions } from "../mm/machine.js";
import type { MemoryObject } from "../mm/memory-object.js";
import type { PopulateCall } from "../mm/populate-call.js";
import type { Thread, ThreadPlan } from "../mm/thread.js";
import { WakeQueue } from "../mm/wake-queue.js";
import type { Message } from "../uffd/messages.js";
import { Userfaultfd, type UserfaultfdOptions } from "../uffd/userfaultfd.js";
import type { StepResult } from "./document.js";
import { answer, type Handler } from "./handler.js";
import { MessageLog } from "./message-log.js";
import type { DeclaredMapping } from "./names.js";
import { Places } from "./places.js";

/** What a step gave, or how to tell once nothing goes on by itself any more. */
export type Answer = StepResult | (() => StepResult);

/** Carries a step out. */
export type Action = (execution: Execution) => Answer;

/** A step that has been checked. */
export interface PlannedStep {
  readonly action: Action;
  /** The name of the process that it is for. */
  readonly proc: string;
  /** The mapping that the step gives a name. */
  readonly mapping?: DeclaredMapping;
  /** Whether the step is a call by the process under test, which cannot make one while another one waits. */
  readonly isCall?: true;
  /** Whether the step looks at what threads have done, also those of a process that has ended. */
  readonly isOfEnded?: true;
}

/**
 * What has just happened in a step. Until the next moment nothing else does, so that who looks at the memory at each of them sees who changed
 * it: "action": the step's own call or access went as far as it goes by itself; "message": a descriptor's message was read; "answer": its
 * handler has answered; "woken": the threads that were woken have gone on.
 */
export type Moment =
  | { readonly kind: "action" | "woken" }
  | { readonly kind: "message" | "answer"; readonly uffd: string; readonly message: Message };

/** Told of every moment of a step. It may look at the memory but not change it. */
export type Observer = (moment: Moment) => void;

/** Threads of a process that can make accesses at the same time. */
const MAX_THREADS = 16;

interface Descriptor {
  readonly name: string;
  /** "unready": the kernel refused the handshake, so that the descriptor can only be closed. */
  uffd: Userfaultfd | "unready" | "closed";
  readonly handler: Handler;
  /** Forked children so far. */
  children: number;
}

/** A process under test. */
class Process {
  readonly space: AddressSpace;
  readonly threads: Thread[] = [];
  /** The call by the process that waits for a page fault. */
  waitingCall: PopulateCall | null = null;

  constructor(space: AddressSpace) {
    this.space = space;
  }

  get callWaits(): boolean {
    return this.waitingCall?.isBlocked === true;
  }
}

const NO_MEMORY: MemoryStatus = { tableBytes: 0, anonPages: 0, filePages: 0, shmemPages: 0, swapPages: 0 };

/** A scenario under way: a machine, its processes with their memory, and who owns the descriptors. */
export class Execution {
  readonly #machine: Machine;
  readonly #woken = new WakeQueue();
  readonly #processes = new Map<string, Process>();
  #current: Process;
  /** All mappings that have been named so far, for writing places. */
  readonly #named = new Places();
  /** Those of them that were tried, for the numbers that a handler copies in. */
  readonly #tried = new Places<DeclaredMapping>();
  readonly #objects = new Map<number, MemoryObject>();
  readonly #descriptors = new Map<string, Descriptor>();
  readonly #log = new MessageLog();
  readonly #accesses = new Map<string, () => StepResult>();
  readonly #observe: Observer;
  /** Accesses and calls that have not ended, with the numbers of the steps that began them. */
  #waiting: { readonly step: number; readonly isBlocked: () => boolean }[] = [];
  #stepCount = 0;
  #isLost = false;
  #hangs = false;

  constructor(engine: Engine, machine: MachineOptions, observe: Observer = () => undefined) {
    this.#observe = observe;
    this.#machine = new Machine(engine, machine);
    this.#current = new Process(new AddressSpace(engine, { wakes: this.#woken, machine: this.#machine }));
    this.#processes.set("main", this.#current);
  }

  /** The memory of the process that the step is for. */
  get space(): AddressSpace {
    return this.#current.space;
  }

  /** The memory of every process by its name, "main" first; also of those that have ended, whose `isDisposed` says so. */
  get spaces(): ReadonlyMap<string, AddressSpace> {
    return new Map([...this.#processes].map(([name, { space }]) => [name, space]));
  }

  /** Numbers of the steps whose access or call waits for the answer to a page fault. */
  get waits(): readonly number[] {
    return this.#waiting.map(({ step }) => step);
  }

  /** Carries a step out, and all that it sets going. */
  step(step: PlannedStep): StepResult {
    this.#stepCount++;
    if (step.mapping !== undefined) this.#named.add(step.mapping);
    if (this.#hangs) return { skipped: true };
    if (this.#isLost) return { unsupported: true };
    if (step.isOfEnded !== true) {
      const process = this.#processes.get(step.proc);
      if (process === undefined || process.space.isDisposed) return { errno: "ESRCH" };
      if (step.isCall === true && process.callWaits) return { unsupported: true };
      this.#current = process;
    }
    if (step.mapping !== undefined) this.#tried.add(step.mapping);
    try {
      return this.#carryOut(step);
    } catch (error) {
      if (error instanceof EndlessCallError) return this.#hang();
      if (error instanceof OutOfMemoryError) return this.giveUp();
      throw error;
    }
  }

  #carryOut(step: PlannedStep): StepResult {
    const given = step.action(this);
    this.#observe({ kind: "action" });
    this.#settle();
    if (this.#hangs) return { hang: true };
    const result = typeof given === "function" ? given() : given;
    this.#waiting = this.#waiting.filter(({ isBlocked }) => isBlocked());
    return this.#withMessages(result);
  }

  /** Notes that nothing is known of the memory from here on. */
  giveUp(): StepResult {
    this.#isLost = true;
    return { unsupported: true };
  }

  /** What a process holds; nothing if it does not exist any more, or not yet. */
  statusOf(proc: string): MemoryStatus {
    const space = this.#processes.get(proc)?.space;
    return space === undefined || space.isDisposed ? NO_MEMORY : space.status();
  }

  placeText(address: number): string {
    return this.#named.placeText(address);
  }

  /** Makes the object with a number: it is there also when its first mapping fails. */
  createObject(number: number, kind: MemoryObject["kind"], pages: number): MemoryObject {
    const object = this.#machine.createObject(kind, pages);
    this.#objects.set(number, object);
    return object;
  }

  /** Returns the object with a number, or null if the step that makes it was not carried out. */
  object(number: number): MemoryObject | null {
    return this.#objects.get(number) ?? null;
  }

  /** Returns a descriptor, or why there is none. */
  uffd(name: string): Userfaultfd | "unready" | "closed" {
    const uffd = this.#descriptors.get(name)?.uffd ?? "closed";
    return typeof uffd === "object" && uffd.isClosed ? "closed" : uffd;
  }

  /** Closes a descriptor that the kernel has refused the handshake. */
  closeUnready(name: string): void {
    const descriptor = this.#descriptors.get(name);
    if (descriptor !== undefined) descriptor.uffd = "closed";
  }

  openUffd(name: string, options: UserfaultfdOptions, handler: Handler): Userfaultfd {
    // the call that causes an event waits until it is read, so that the events of several descriptors are read in that order
    const onEvent = (): void => {
      this.#drain();
    };
    const descriptor: Descriptor = { name, uffd: "unready", handler, children: 0 };
    this.#descriptors.set(name, descriptor);
    const uffd = Userfaultfd.open(this.space, { ...options, onEvent });
    descriptor.uffd = uffd;
    return uffd;
  }

  /** Makes a child of the process. */
  fork(name: string): void {
    this.#processes.set(name, new Process(this.space.fork()));
  }

  /** Ends the process. */
  exit(): void {
    this.space.dispose();
  }

  /** Starts an access on a thread of its own, or returns null when there is no thread for it. */
  startAccess(plan: ThreadPlan): Thread | null {
    const { threads, callWaits, space } = this.#current;
    const idle = threads.findIndex((thread) => thread.outcome !== "blocked");
    const isNew = idle < 0;
    // a process whose call waits cannot make the one that starts a thread
    if (isNew && (callWaits || threads.length === MAX_THREADS)) return null;
    const thread = space.start(plan);
    if (isNew) threads.push(thread);
    else threads[idle] = thread;
    this.#follow(() => !space.isDisposed && thread.outcome === "blocked");
    return thread;
  }

  /** Gives the thread of an access of the current process a name. `result` says what has become of the access. */
  nameAccess(name: string, thread: Thread, result: () => StepResult): void {
    const { space } = this.#current;
    this.#accesses.set(name, () => (space.isDisposed && thread.outcome === "blocked" ? { errno: "ESRCH" } : result()));
  }

  /** Returns what has become of the access on a named thread, or null if none was started. */
  accessResult(name: string): StepResult | null {
    return this.#accesses.get(name)?.() ?? null;
  }

  /** Takes note of a call that may wait, and returns what the step gives. */
  callAnswer(call: PopulateCall): Answer {
    this.#current.waitingCall = call;
    const { space } = this.#current;
    this.#follow(() => !space.isDisposed && call.isBlocked);
    return () => {
      if (call.isBlocked) return { outcome: "blocked" };
      return call.error === null ? { ok: true } : { errno: call.error.code };
    };
  }

  dispose(): void {
    for (const { space } of this.#processes.values()) {
      if (!space.isDisposed) space.dispose();
    }
    this.#machine.dispose();
  }

  #follow(isBlocked: () => boolean): void {
    this.#waiting.push({ step: this.#stepCount - 1, isBlocked });
  }

  /** Reads and answers messages, and lets what was woken go on, until nothing goes on by itself any more. */
  #settle(): void {
    this.#drain();
    while (this.#woken.run()) {
      this.#observe({ kind: "woken" });
      this.#drain();
    }
    for (const { threads, waitingCall } of this.#processes.values()) {
      if (waitingCall?.isEndless === true || threads.some((thread) => thread.isEndless)) this.#hangs = true;
    }
  }

  /** Reads every message that is there, descriptor by descriptor. Whoever an answer wakes goes on only when all have been read. */
  #drain(): void {
    for (const descriptor of this.#descriptors.values()) {
      const { name, uffd, handler } = descriptor;
      if (typeof uffd === "string" || uffd.isClosed) continue;
      for (let message = uffd.read(); message !== undefined; message = uffd.read()) {
        this.#observe({ kind: "message", uffd: name, message });
        if (message.event === "fork") {
          const child = `${name}.${descriptor.children++}`;
          this.#descriptors.set(child, { name: child, uffd: message.child, handler, children: 0 });
          this.#log.add(name, message, child);
          continue;
        }
        this.#log.add(name, message);
        if (message.event !== "pagefault") continue;
        answer(handler, uffd, message, this.#tried);
        this.#observe({ kind: "answer", uffd: name, message });
      }
    }
  }

  #hang(): StepResult {
    this.#hangs = true;
    return { hang: true };
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
