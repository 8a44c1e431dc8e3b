/** Something that is timed inside this process. */
export interface Case {
  /** Units of a pass, where they are not those of the row. */
  readonly units?: number;
  /** Makes the state that the timed part needs; runs outside the clock before each pass. */
  prepare(): void;
  /** What is timed. */
  run(): void;
  /** Throws if the work was not done; runs outside the clock after each pass. */
  check(): void;
}

/** One side of a row: does a pass and returns its nanoseconds for one unit. Rounds ask all sides in turn. */
export type Side = () => number | Promise<number>;

/** Passes of the round that is not counted, so that those after it run the machine code that lasts; long ones need fewer. */
const WARM_PASSES = 200;
const WARM_MS = 150;

/**
 * Makes a side of a case. Its first call is for the round that is not counted. Passes are repeated until they have taken `leastMs` together,
 * for clocks with coarse steps.
 */
export function timed(measured: Case, units: number, leastMs = 0): Side {
  let isWarm = false;
  return () => {
    const ms = isWarm ? averageMs(measured, leastMs) : warmUp(measured);
    isWarm = true;
    return (ms * 1e6) / (measured.units ?? units);
  };
}

/** Returns the milliseconds of the last pass. */
function warmUp(measured: Case): number {
  const started = performance.now();
  let ms = passMs(measured);
  for (let pass = 1; pass < WARM_PASSES && performance.now() - started < WARM_MS; pass++) ms = passMs(measured);
  return ms;
}

function averageMs(measured: Case, leastMs: number): number {
  let ms = 0;
  let passes = 0;
  do {
    ms += passMs(measured);
    passes++;
  } while (ms < leastMs);
  return ms / passes;
}

function passMs(measured: Case): number {
  measured.prepare();
  const started = performance.now();
  measured.run();
  const elapsedMs = performance.now() - started;
  measured.check();
  return elapsedMs;
}

/** Median of the samples; NaN for none. */
export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >>> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/** Median absolute deviation from the median. */
export function deviation(samples: readonly number[]): number {
  const center = median(samples);
  return median(samples.map((sample) => Math.abs(sample - center)));
}

/** Sides that take longer for a turn take part in the first rounds only. */
const LONG_TURN_MS = 1500;
const LONG_TURN_ROUNDS = 3;

/**
 * Asks the sides in turn, so that a machine that gets slower does so for all of them. One round before is not counted. Returns the samples
 * of each side, one for each round.
 */
export async function takeTurns(
  sides: Readonly<Record<string, Side>>,
  rounds: number,
): Promise<Record<string, number[]>> {
  const samples: Record<string, number[]> = {};
  const left = new Map(Object.entries(sides));
  for (let round = -1; round < rounds; round++) {
    for (const [name, side] of left) {
      const started = performance.now();
      await takeTurn({ [name]: side }, round >= 0 ? samples : {});
      if (round + 1 >= LONG_TURN_ROUNDS && performance.now() - started > LONG_TURN_MS) left.delete(name);
    }
  }
  return samples;
}

/** Asks the sides once more, and adds what they take to the samples. */
export async function takeTurn(
  sides: Readonly<Record<string, Side>>,
  samples: Record<string, number[]>,
): Promise<void> {
  for (const [name, side] of Object.entries(sides)) (samples[name] ??= []).push(await side());
}

/** Throws unless both numbers are equal. */
export function expectEqual(found: number, expected: number, what: string): void {
  if (found !== expected) throw new Error(`the work was not done: ${what} is ${found}, not ${expected}`);
}
