import { type Counters, subtractCounters } from "../engine/counters.js";
import {
  describeEntry,
  ENTRY_BITS,
  entryKind,
  type ExceptionCode,
  FRAME_MASK,
  isUffdWp,
  type PageEntry,
} from "../engine/entry.js";
import { entryOf } from "../engine/page-walk.js";
import type { Message } from "../uffd/messages.js";
import { describeRequest } from "./account.js";
import type { Step } from "./document.js";
import type { Execution, Moment } from "./execution.js";

/** A change of the entry of a page, and what brought it about. */
export interface EntryChange {
  /** Number of the step, from 0; before it, the entry was `before`. */
  readonly step: number;
  /** The step's own call or access, the handler that answers a message during it, or an access that was waiting and goes on. */
  readonly by: "step" | "handler" | "woken";
  readonly before: PageEntry;
  readonly after: PageEntry;
  /** Exceptions that the page itself took, in their order. */
  readonly exceptions: readonly ExceptionCode[];
  /** The states, in words: `none → page, dirty, writable`. */
  readonly what: string;
  /** In words: `write at=ram value=7: exception 0x6, a page is mapped that keeps the protection`. */
  readonly cause: string;
}

const NOTHING: PageEntry = { entry: 0n, level: "pgd" };
const ACCESSES: readonly Step["op"][] = ["read", "write", "touch"];

/** What is looked at: the entry, and what the process has counted up to then. */
interface Look {
  readonly found: PageEntry;
  readonly counters: Counters | null;
}

/** Watches the entry of one page while a scenario is executed. */
export class PageHistory {
  readonly #process: string;
  readonly #page: number;
  readonly #changes: EntryChange[] = [];
  #last: Look = { found: NOTHING, counters: null };
  #index = 0;
  #step: Step | undefined;

  /** `process`: its name, whether or not it exists yet. */
  constructor(process: string, page: number) {
    this.#process = process;
    this.#page = page;
  }

  /** The changes so far, oldest first. */
  get changes(): readonly EntryChange[] {
    return this.#changes;
  }

  /** Notes that a step begins. */
  begin(index: number, step: Step): void {
    this.#index = index;
    this.#step = step;
  }

  /** Looks at the entry at a moment of the step. */
  note(execution: Execution, moment: Moment): void {
    // a message is read before anybody answers: what has changed by then is the work of whom the step itself set going
    if (moment.kind === "answer") this.#look(execution, "handler", answerText(moment));
    else if (moment.kind === "woken") this.#look(execution, "woken", "the fault that waited goes on");
    else this.#look(execution, "step", this.#request());
  }

  /** Looks at the entry after the step. */
  end(execution: Execution): void {
    this.#look(execution, "step", this.#request());
  }

  #request(): string {
    return this.#step === undefined ? "" : describeRequest(this.#step);
  }

  #look(execution: Execution, by: EntryChange["by"], actor: string): void {
    const last = this.#last;
    this.#last = this.#now(execution);
    const [before, after] = [last.found, this.#last.found];
    if (before.entry === after.entry && (before.level === after.level || before.entry === 0n)) return;
    const grown = this.#grown(last);
    const exceptions = grown === null ? [] : exceptionsOf(before, after, grown);
    const effects = exceptions.map(
      (code) => `exception 0x${code.toString(16)}, ${effectOf(code, before, after, grown)}`,
    );
    if (effects.length === 0 && (by === "woken" || (by === "step" && this.#isAccess()))) {
      effects.push(effectWithoutException(before, after, grown));
    }
    const cause = effects.length === 0 ? actor : `${actor}: ${effects.join("; ")}`;
    const what = `${describeEntry(before)} → ${describeEntry(after)}`;
    this.#changes.push({ step: this.#index, by, before, after, exceptions, what, cause });
  }

  #isAccess(): boolean {
    return this.#step !== undefined && ACCESSES.includes(this.#step.op);
  }

  #now(execution: Execution): Look {
    const space = execution.spaces.get(this.#process);
    if (space === undefined || space.isDisposed) return { found: NOTHING, counters: null };
    return { found: entryOf(space.engine, space.handle, this.#page), counters: space.counters() };
  }

  #grown({ counters }: Look): Counters | null {
    const now = this.#last.counters;
    if (now === null || counters === null) return now;
    return subtractCounters(now, counters);
  }
}

function answerText({ uffd, message }: { readonly uffd: string; readonly message: Message }): string {
  return message.event === "pagefault" ? `the handler of ${uffd} answers the ${message.kind} message` : uffd;
}

/** Which of the exceptions that were counted this page took: those that lead from the one entry to the other. */
function exceptionsOf(before: PageEntry, after: PageEntry, grown: Counters): ExceptionCode[] {
  const isPresentNow = (after.entry & ENTRY_BITS.present) !== 0n;
  const codes: ExceptionCode[] = [];
  if ((before.entry & ENTRY_BITS.present) === 0n && isPresentNow) {
    const isWrite = grown.readNotPresent === 0 || (grown.writeNotPresent > 0 && isDirty(after));
    if (isWrite && grown.writeNotPresent > 0) codes.push(0x6);
    else if (grown.readNotPresent > 0) codes.push(0x4);
    if (isUffdWp(before) && !isUffdWp(after) && grown.writeProtected > 0) codes.push(0x7);
  } else if (isPresentNow && grown.writeProtected > 0) codes.push(0x7);
  return codes;
}

function effectOf(code: ExceptionCode, before: PageEntry, after: PageEntry, grown: Counters | null): string {
  if (code !== 0x7) {
    const isMarker = entryKind(before.entry, before.level) === "uffd-wp marker";
    const thing = entryKind(after.entry, after.level) === "zero page" ? "the zero page" : "a page";
    return `${thing} is mapped${isMarker ? " and keeps the protection" : ""}`;
  }
  if (isUffdWp(before) && !isUffdWp(after) && (grown?.wpAsyncFaults ?? 0) > 0) {
    return "the kernel removes the protection itself";
  }
  const isOther = entryKind(before.entry, before.level) === "zero page" || frameOf(before) !== frameOf(after);
  return isOther ? "the page is copied" : "the page becomes writable";
}

/** A fault that has waited goes on within the exception that it began with. */
function effectWithoutException(before: PageEntry, after: PageEntry, grown: Counters | null): string {
  const { accessed, dirty } = ENTRY_BITS;
  if (before.level === after.level && ((before.entry ^ after.entry) & ~(accessed | dirty)) === 0n) {
    return "the processor sets its bits";
  }
  return effectOf((before.entry & ENTRY_BITS.present) === 0n ? 0x6 : 0x7, before, after, grown);
}

function isDirty({ entry }: PageEntry): boolean {
  return (entry & (ENTRY_BITS.dirty | ENTRY_BITS.savedDirty)) !== 0n;
}

function frameOf({ entry }: PageEntry): bigint {
  return entry & FRAME_MASK;
}
