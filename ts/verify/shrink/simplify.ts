import type { RangeText, Scenario, Step } from "../../scenario/document.js";

/** Fields without which a step is not valid, or is another. */
const NEEDED: ReadonlySet<string> = new Set([
  "op",
  "range",
  "pages",
  "uffd",
  "prot",
  "advice",
  "modes",
  "access",
  "thread",
  "from",
]);
/** Lists that can do without one of their names. */
const LISTS = ["features", "modes", "flags", "inverted", "mask", "anyof", "return"] as const;
const HUGE = 512;

/** Returns simpler variants of a step, those first that leave out most. */
export function simplerSteps(step: Step): Step[] {
  return [
    ...withoutFields(step),
    ...shorterLists(step),
    ...shorterHandlers(step),
    ...fewerPages(step),
    ...shorterRanges(step),
  ];
}

/** Returns simpler machines: `undefined` is the default one. */
export function simplerMachines(machine: Scenario["machine"]): Scenario["machine"][] {
  if (machine === undefined) return [];
  const keys = Object.keys(machine);
  const fewer = keys.map((key) => Object.fromEntries(Object.entries(machine).filter(([other]) => other !== key)));
  return keys.length > 1 ? [undefined, ...fewer] : [undefined];
}

function withoutFields(step: Step): Step[] {
  return Object.keys(step)
    .filter((key) => canDoWithout(step, key))
    .map((key) => Object.fromEntries(Object.entries(step).filter(([other]) => other !== key)) as unknown as Step);
}

function canDoWithout(step: Step, key: string): boolean {
  switch (step.op) {
    case "mprotect":
    case "mremap":
      return !NEEDED.has(key) && key !== "move" && key !== "as";
    case "mmap":
      return (!NEEDED.has(key) && key !== "as") || key === "prot";
    case "fork":
    case "uffd":
      return !NEEDED.has(key) && key !== "as";
    case "read":
    case "write":
      return !NEEDED.has(key) && key !== "at";
    default:
      return !NEEDED.has(key);
  }
}

function shorterLists(step: Step): Step[] {
  const fields = step as unknown as Readonly<Record<string, readonly string[] | undefined>>;
  return LISTS.flatMap((key) => {
    const names = fields[key] ?? [];
    // a list of one goes with its field, and some fields have to stay
    if (names.length < 2) return [];
    return names.map((name) => ({ ...step, [key]: names.filter((other) => other !== name) }));
  });
}

function shorterHandlers(step: Step): Step[] {
  if (step.op !== "uffd" || step.handler === undefined) return [];
  const { handler } = step;
  const keys = Object.keys(handler);
  if (keys.length < 2) return [];
  return keys.map((key) => ({
    ...step,
    handler: Object.fromEntries(Object.entries(handler).filter(([other]) => other !== key)),
  }));
}

function fewerPages(step: Step): Step[] {
  if (step.op !== "mmap" && step.op !== "mremap") return [];
  const { pages } = step;
  const smaller = [1, HUGE, Math.floor(pages / 2), Math.floor(pages / 2 / HUGE) * HUGE, pages - HUGE, pages - 1];
  const sizes = new Set(smaller.filter((size) => size >= 1 && size < pages));
  return [...sizes].map((size) => ({ ...step, pages: size }));
}

function shorterRanges(step: Step): Step[] {
  if (step.op === "read" || step.op === "write") return simplerPlaces(step.at).map((at) => ({ ...step, at }));
  if (!("range" in step)) return [];
  const ranges = partsOf(step.range).map((range) => ({ ...step, range }));
  if (step.op !== "touch" || typeof step.range !== "string") return ranges;
  const { range, access, value, proc } = step;
  const at = range.replace(/\.\.\d+\]$/, "]");
  const of = proc === undefined ? {} : { proc };
  const single: Step =
    access === "read"
      ? { op: "read", ...of, at }
      : { op: "write", ...of, at, ...(value === undefined ? {} : { value }) };
  return [single, ...ranges];
}

/** Parts of a range: its first page, its halves, all but an end. What is misaligned on purpose stays. */
function partsOf(range: RangeText): RangeText[] {
  const match = typeof range === "string" ? /^([^[]+)(?:\[(\d+)(?:\.\.(\d+))?\])?$/.exec(range) : null;
  const name = match?.[1];
  if (match === null || name === undefined) return [];
  if (match[2] === undefined) return [`${name}[0]`, `${name}[0..2]`];
  const from = Number(match[2]);
  const to = match[3] === undefined ? from + 1 : Number(match[3]);
  if (to - from <= 1) return from > 0 ? [`${name}[0]`] : [];
  const middle = Math.floor((from + to) / 2);
  const parts = [
    [from, from + 1],
    [from, middle],
    [middle, to],
    [from, to - 1],
    [from + 1, to],
  ] as const;
  return parts.map(([a, b]) => (b === a + 1 ? `${name}[${a}]` : `${name}[${a}..${b}]`));
}

/** The first page of the mapping, and the start of the page. */
function simplerPlaces(place: string): string[] {
  const match = /^([^[]+)\[(\d+)\](\+\d+)?$/.exec(place);
  if (match === null) return [];
  const [, name, page, byte] = match as unknown as [string, string, string, string | undefined];
  return [...(page === "0" ? [] : [`${name}[0]${byte ?? ""}`]), ...(byte === undefined ? [] : [`${name}[${page}]`])];
}

/**
 * Returns the steps with the pages of one mapping counted from lower down, for each mapping whose first page no step uses: places that have
 * to meet can only move together.
 */
export function movedDown(steps: readonly Step[]): Step[][] {
  const texts = JSON.stringify(steps);
  const lowest = new Map<string, number>();
  for (const [, name, from] of texts.matchAll(PAGE_NUMBERS)) {
    if (name !== undefined) lowest.set(name, Math.min(lowest.get(name) ?? Infinity, Number(from)));
  }
  return [...lowest]
    .flatMap(([name, by]) => [...new Set([by, Math.floor(by / HUGE) * HUGE])].map((amount) => ({ name, amount })))
    .filter(({ amount }) => amount > 0)
    .map(({ name, amount }) => steps.map((step) => movedStep(step, name, amount)));
}

const PAGE_NUMBERS = /"([A-Za-z][\w-]*)\[(\d+)(?:\.\.(\d+))?\]/g;

/** The step itself where it does not use the mapping. */
function movedStep(step: Step, moved: string, by: number): Step {
  const text = JSON.stringify(step);
  const changed = text.replace(PAGE_NUMBERS, (whole, name: string, from: string, to: string | undefined) => {
    if (name !== moved) return whole;
    return `"${name}[${Number(from) - by}${to === undefined ? "" : `..${Math.max(0, Number(to) - by)}`}]`;
  });
  return changed === text ? step : (JSON.parse(changed) as Step);
}
