import { OutOfMemoryError } from "../ts/base/errors.js";
import { type Side, takeTurns, timed } from "./harness.js";
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
    return rowResult(row, await takeTurns(sides, rounds));
  } catch (error) {
    // a range may need more tables than a linear memory holds
    if (error instanceof OutOfMemoryError) return rowResult(row, {}, error.message);
    throw new Error(`${row.id}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
