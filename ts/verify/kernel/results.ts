import { constants } from "node:os";
import type { ErrnoName } from "../../base/errors.js";
import { PAGE_SIZE } from "../../base/pages.js";
import type { StepResult, TranscriptMessage } from "../../scenario/document.js";
import { type NamedMapping, Places } from "../../scenario/places.js";
import type { DocumentNames } from "./document-names.js";
import {
  type Command,
  PATH_BYTES,
  type ReplyRecord,
  STATUS_BLOCKED,
  STATUS_UNSUPPORTED,
  type Words,
} from "./protocol.js";

/** Turns what a step gave into its result. The first word is the status. */
export type ResultReader = (words: Words, places: Places) => StepResult;

/** A step that is ready to be carried out. */
export interface PlannedCommand extends Command {
  readonly read: ResultReader;
  /** The mapping that the step gives a name. */
  readonly mapping?: NamedMapping;
}

const EVENT_NAMES = new Map<number, TranscriptMessage["event"]>([
  [0x12, "pagefault"],
  [0x13, "fork"],
  [0x14, "remap"],
  [0x15, "remove"],
  [0x16, "unmap"],
]);
/** In the order of their bits. */
const FAULT_FLAGS = ["write", "wp", "minor"] as const;
/** Words of a path at the start of a message. */
const PATH_WORDS = PATH_BYTES / 8;

const ERRNO_NAMES: ReadonlyMap<number, string> = new Map([
  ...Object.entries(constants.errno).map(([name, number]) => [number, name] as const),
  [constants.errno.EAGAIN, "EAGAIN"], // which is EWOULDBLOCK too
  [133, "EHWPOISON"],
]);

/** The name of an errno. A kernel may give more of them than the model has. */
export function errnoName(errno: number): ErrnoName {
  return (ERRNO_NAMES.get(errno) ?? `E${errno}`) as ErrnoName;
}

/** Returns what any step can give by its status, or null where the call succeeded. */
export function failure(words: Words): StepResult | null {
  const status = words.number(0);
  if (status === STATUS_BLOCKED) return { outcome: "blocked" };
  if (status === STATUS_UNSUPPORTED) return { unsupported: true };
  return status === 0 ? null : { errno: errnoName(status) };
}

/** Reads the result of a call that gives nothing but success. */
export const readOk: ResultReader = (words) => failure(words) ?? { ok: true };

/** Returns the names of the bits that are set, sorted as in all results but those of messages. */
export function bitNames<Name extends string>(bits: number, names: readonly (Name | null)[]): Name[] {
  return namesInOrder(bits, names).sort();
}

function namesInOrder<Name extends string>(bits: number, names: readonly (Name | null)[]): Name[] {
  return names.filter((name, bit): name is Name => name !== null && (bits & (1 << bit)) !== 0);
}

/** Returns the results of all steps. Records may end early, after a step that never ends. */
export function readResults(
  commands: readonly PlannedCommand[],
  records: readonly ReplyRecord[],
  names: DocumentNames,
): StepResult[] {
  const places = new Places();
  const results: StepResult[] = [];
  let messages: Words[] = [];
  for (const { kind, words } of records) {
    if (kind === "message") {
      messages.push(words);
      continue;
    }
    const command = commands[results.length];
    if (kind === "hang" || command === undefined) break;
    if (command.mapping !== undefined) places.add(command.mapping);
    const result = command.read(words, places);
    const hasMessages = messages.length > 0;
    results.push(hasMessages ? { ...result, messages: messages.map((m) => messageOf(m, names, places)) } : result);
    messages = [];
  }
  if (results.length < commands.length) results.push({ hang: true });
  while (results.length < commands.length) results.push({ skipped: true });
  return results;
}

/** After the path: event, three numbers that depend on it, pages. */
function messageOf(words: Words, names: DocumentNames, places: Places): TranscriptMessage {
  const uffd = names.uffdName(words.bytes(PATH_BYTES));
  const [event, a, b, c, pages] = [0, 1, 2, 3, 4].map((i) => words.number(PATH_WORDS + i)) as FiveNumbers;
  const name = EVENT_NAMES.get(event);
  switch (name) {
    case "pagefault": {
      const end = a + pages * PAGE_SIZE;
      const where = pages === 1 ? { at: places.placeText(a) } : { range: places.rangeText(a, end) };
      return { uffd, event: name, ...where, flags: namesInOrder(b, FAULT_FLAGS) };
    }
    case "fork":
      return { uffd, event: name, child: `${uffd}.${a}` };
    case "remap":
      return { uffd, event: name, from: places.placeText(a), to: places.placeText(b), length: c };
    case "remove":
    case "unmap":
      return { uffd, event: name, range: places.rangeText(a, b) };
    case undefined:
      throw new Error(`a userfaultfd gave a message of unknown kind ${event}`);
  }
}

type FiveNumbers = [number, number, number, number, number];
