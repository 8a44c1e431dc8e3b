import { bitsOf, FEATURES, type IoctlName, MODES } from "../../../uffd/features.js";
import type { HandlerPolicy, RangeText, StepResult } from "../../../scenario/document.js";
import type { DocumentNames } from "../document-names.js";
import { type Operation, type Words } from "../protocol.js";
import { bitNames, errnoName, failure, readOk } from "../results.js";
import type { Planned, StepOf } from "./step.js";

/** `enum answer`. */
export const ANSWERS: readonly string[] = ["none", "copy", "zeropage", "poison", "unprotect", "continue"];

/** In the order of their bits, but for `api`, which is bit 63. */
const IOCTLS: readonly IoctlName[] = [
  "register",
  "unregister",
  "wake",
  "copy",
  "zeropage",
  "move",
  "writeprotect",
  "continue",
  "poison",
];

const USER_MODE_ONLY = 1;
/** Bit 0 of the mode of every ioctl that resolves faults, but for writeprotect's, where it is bit 1. */
const DONTWAKE = 1;
const SECOND_MODE = 2;

const FIRST_COPIED_VALUE = 1000000;

export function planUffd(step: StepOf<"uffd">, names: DocumentNames): Planned {
  const features = bitsOf(step.features ?? [], FEATURES, "features");
  const flags = step.userModeOnly === true ? USER_MODE_ONLY : 0;
  const args = [...names.addUffd(step.as), features, flags, ...answersOf(step.handler ?? {})];
  return {
    operation: "uffd",
    args,
    read: (words) =>
      failure(words) ?? { ok: true, features: bitNames(words.low(1), FEATURES), ioctls: ioctlNames(words, 2) },
  };
}

function answersOf({ missing = "copy", wp = "unprotect", minor = "continue" }: HandlerPolicy): number[] {
  return [missing, wp, minor].map((answer) => ANSWERS.indexOf(answer));
}

function ioctlNames(words: Words, index: number): IoctlName[] {
  const names = bitNames(words.low(index), IOCTLS);
  const hasApi = words.high(index) >>> 31 === 1;
  return hasApi ? ["api", ...names] : names;
}

export function planRegister(step: StepOf<"register">, names: DocumentNames): Planned {
  return {
    operation: "register",
    args: [...onRange(step, names), bitsOf(step.modes, MODES, "modes")],
    read: (words) => failure(words) ?? { ok: true, ioctls: ioctlNames(words, 1) },
  };
}

export function planUnregister(step: StepOf<"unregister">, names: DocumentNames): Planned {
  return { operation: "unregister", args: onRange(step, names), read: readOk };
}

export function planWake(step: StepOf<"wake">, names: DocumentNames): Planned {
  return { operation: "wake", args: onRange(step, names), read: readOk };
}

export function planClose(step: StepOf<"close">, names: DocumentNames): Planned {
  return { operation: "close", args: names.uffd(step.uffd), read: readOk };
}

export function planWriteprotect(step: StepOf<"writeprotect">, names: DocumentNames): Planned {
  const { wp = true, dontwake = false } = step;
  const mode = Number(wp) | (dontwake ? SECOND_MODE : 0);
  return { operation: "writeprotect", args: [...onRange(step, names), mode], read: readOk };
}

export function planCopy(step: StepOf<"copy">, names: DocumentNames): Planned {
  const { value, wp } = step;
  const values = value === undefined ? [FIRST_COPIED_VALUE, 1] : [value, 0];
  return planFill("copy", "copied", [...onRange(step, names), modeOf(step, wp), ...values]);
}

export function planZeropage(step: StepOf<"zeropage">, names: DocumentNames): Planned {
  return planFill("zeropage", "zeroed", [...onRange(step, names), modeOf(step)]);
}

export function planContinue(step: StepOf<"continue">, names: DocumentNames): Planned {
  return planFill("continue", "mapped", [...onRange(step, names), modeOf(step, step.wp)]);
}

export function planPoison(step: StepOf<"poison">, names: DocumentNames): Planned {
  return planFill("poison", "updated", [...onRange(step, names), modeOf(step)]);
}

export function planMove(step: StepOf<"move">, names: DocumentNames): Planned {
  const from = names.place("from", step.from);
  return planFill("move", "moved", [...onRange(step, names), modeOf(step, step.allowSrcHoles), from]);
}

/** A call that leaves in a field of its argument how far it came, also where it fails. */
function planFill(operation: Operation, field: keyof StepResult, args: Planned["args"]): Planned {
  return {
    operation,
    args,
    read: (words) => {
      const failed = failure(words);
      const wasMade = words.length > 1 && (failed === null || failed.errno !== undefined);
      return { ...(failed ?? { ok: true }), ...(wasMade ? { [field]: progressOf(words.signed(1)) } : {}) };
    },
  };
}

function progressOf(done: number): number | string {
  return done < 0 ? `-${errnoName(-done)}` : done;
}

function modeOf({ dontwake }: { readonly dontwake?: boolean }, second?: boolean): number {
  return (dontwake === true ? DONTWAKE : 0) | (second === true ? SECOND_MODE : 0);
}

function onRange(step: { readonly uffd: string; readonly range: RangeText }, names: DocumentNames): Planned["args"] {
  const path = names.uffd(step.uffd);
  const { start, length } = names.range(step.range);
  return [...path, start, length];
}
