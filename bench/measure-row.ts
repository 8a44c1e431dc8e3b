import { OutOfMemoryError } from "../ts/base/errors.js";
import { median, type Side, takeTurn, takeTurns, timed } from "./harness.js";
import type { Program } from "./program.js";
import { rowResult, type RowResult, type SideName } from "./results.js";
import { OWN_SIDES, PROGRAMS, type ProgramSide, type Row } from "./row.js";

/** Has all sides of a row do their passes in turn. */
export async function measureRow(
  row: Row,
  programs: Readonly<Partial<Record<ProgramSide, Program>>>,
  rounds: number,
): Promise<RowResult> {
  const sides: Partial<Record<SideName, Side>> = {};
  const { questions } = row;
  for (const side of PROGRAMS) {
    const program = programs[side];
    const question = questions[side];
    if (program !== undefined && question !== undefined) sides[side] = () => program.ask(question);
  }
  try {
    for (const side of OWN_SIDES) {
      const make = row.cases[side];
      if (make !== undefined) sides[side] = timed(make(), row.units, row.leastMs);
    }
    const samples = await takeTurns(sides, rounds);
    await repeatShort(row, sides, samples, rounds);
    return rowResult(row, samples);
  } catch (error) {
    // a range may need more tables than a linear memory holds
    if (error instanceof OutOfMemoryError) return rowResult(row, {}, error.message);
    throw new Error(`${row.id}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** Passes of less than this are so few cache misses and interrupts that single ones say little: they take further turns. */
const SHORT_NS = 2e6;
const FURTHER_TURNS = 6;

/** Has those sides inside this process that are short take further turns, for a median of more samples. */
async function repeatShort(
  row: Row,
  sides: Readonly<Partial<Record<SideName, Side>>>,
  samples: Record<string, number[]>,
  rounds: number,
): Promise<void> {
  const isShort = (name: SideName): boolean => median(samples[name] ?? [Infinity]) * row.units < SHORT_NS;
  const short = OWN_SIDES.filter((name) => sides[name] !== undefined && isShort(name));
  const further = Object.fromEntries(short.map((name) => [name, sides[name] as Side]));
  for (let turn = 0; turn < FURTHER_TURNS * rounds; turn++) await takeTurn(further, samples);
}
