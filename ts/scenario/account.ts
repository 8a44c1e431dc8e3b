import { formatBytes } from "../base/pages.js";
import type { RangeText, Step, StepResult, TranscriptMessage } from "./document.js";
import type { StepReport } from "./run.js";

/** Writes what a step asked for: its operation and its fields, without what is expected of it. */
export function describeRequest(step: Step): string {
  const fields = Object.entries(step).filter(([key]) => key !== "op" && key !== "expect");
  return [step.op, ...fields.map(([key, value]) => `${key}=${fieldText(value)}`)].join(" ");
}

/** Writes what a step did: its outcome in the first line, then the messages, the details and the changes, a line each. */
export function describeReport(report: StepReport): string[] {
  const { result } = report;
  const changes = changesText(report);
  return [
    outcomeText(result),
    ...(result.messages ?? []).map(messageText),
    ...(result.runs ?? []).map(({ pages, flags }) => `${pagesText(pages)} ${flags.join(" ") || "nothing"}`),
    ...(result.regions ?? []).map(
      ({ pages, categories }) => `${pagesText(pages)} ${categories.join(" ") || "no category"}`,
    ),
    ...(changes === "" ? [] : [changes]),
  ];
}

function outcomeText(result: StepResult): string {
  const parts = [statusText(result), ...faultTexts(result)];
  const filled = result.copied ?? result.zeroed ?? result.updated ?? result.mapped ?? result.moved;
  if (filled !== undefined) parts.push(typeof filled === "number" ? `${filled} bytes done` : `field ${filled}`);
  if (result.features === undefined && result.ioctls !== undefined) parts.push(`allows ${result.ioctls.join(", ")}`);
  if (result.walkEnd !== undefined) parts.push(`walk ended at ${result.walkEnd}`);
  return parts.join(", ");
}

function statusText(result: StepResult): string {
  if (result.unsupported === true) return "not modelled";
  if (result.hang === true) return "never ends";
  if (result.skipped === true) return "not made, since a step before it never ends";
  if (result.errno !== undefined) return result.errno;
  if (result.outcome !== undefined) return result.outcome + (result.value === undefined ? "" : `: ${result.value}`);
  if (result.outcomes !== undefined) return outcomesText(result.outcomes);
  if (result.runs !== undefined) return plural(result.runs.length, "run");
  if (result.found !== undefined) return plural(result.found, "region");
  if (result.tables === undefined) return "ok";
  const { anon = 0, file = 0, shmem = 0, swap = 0 } = result;
  const kinds = { anonymous: anon, "of files": file, "of shared memory": shmem, "in swap": swap };
  const held = Object.entries(kinds).filter(([, pages]) => pages > 0);
  const pages = held.map(([kind, count]) => `${plural(count, "page")} ${kind}`).join(", ");
  return `page tables ${formatBytes(result.tables)}, ${pages || "no pages"}`;
}

function outcomesText(outcomes: NonNullable<StepResult["outcomes"]>): string {
  const texts = Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`);
  return texts.join(", ") || "no access";
}

function faultTexts({ minflt = 0, majflt = 0 }: StepResult): string[] {
  const minor = minflt > 0 ? [plural(minflt, "minor fault")] : [];
  return majflt > 0 ? [...minor, plural(majflt, "major fault")] : minor;
}

function messageText({ uffd, event, at, range, flags, child, from, to, length }: TranscriptMessage): string {
  if (event === "fork") return `${uffd} reads: fork, the child's descriptor is ${child ?? "?"}`;
  if (event === "remap") return `${uffd} reads: remap, ${length ?? 0} bytes from ${from ?? "?"} to ${to ?? "?"}`;
  const place = at ?? rangeText(range ?? "");
  if (event !== "pagefault") return `${uffd} reads: ${event} ${place}`;
  return `${uffd} reads: page fault at ${place}, ${flags?.join("+") || "read"}`;
}

function changesText({ tableBytesChange, anonPagesChange }: StepReport): string {
  const tables = tableBytesChange === 0 ? [] : [`page tables ${signed(tableBytesChange, formatBytes)}`];
  const pages = anonPagesChange === 0 ? [] : [`resident ${signed(anonPagesChange, (count) => plural(count, "page"))}`];
  return [...tables, ...pages].join(", ");
}

function signed(change: number, text: (amount: number) => string): string {
  return `${change < 0 ? "-" : "+"}${text(Math.abs(change))}`;
}

function pagesText([from, to]: readonly [number, number]): string {
  return to === from + 1 ? `[${from}]` : `[${from}..${to}]`;
}

function rangeText(range: RangeText): string {
  return typeof range === "string" ? range : `${range.length} bytes from ${range.start}`;
}

function fieldText(value: unknown): string {
  if (Array.isArray(value)) return value.map(fieldText).join("+") || "none";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
