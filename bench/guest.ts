import { OutOfMemoryError } from "../ts/base/errors.js";
import { engineFromModule } from "../ts/engine/load.js";
import { median, type Side, takeTurns, timed } from "./harness.js";
import { Limits } from "./limits.js";
import type { ElsewhereResult } from "./results.js";
import { nsIn } from "./results.js";
import type { OwnSide, Row } from "./row.js";
import { allRows, FULL_SIZES } from "./rows.js";
import { engineMaker } from "./subject.js";
import { TwinSpace } from "./twin.js";

/** What is measured in another virtual machine, which runs this file as a bundle without modules of Node. */
const GUEST_SIDES: readonly OwnSide[] = ["ours", "limit"];

/** Measures our sides and the limits of all rows. `leastMs`: how long passes are repeated, where the clock has coarse steps. */
export async function measureGuest(
  engine: BufferSource,
  limits: BufferSource,
  options: { readonly rounds: number; readonly leastMs: number },
): Promise<ElsewhereResult["rows"]> {
  const makeTwin = (firstPage: number, pages: number): TwinSpace => new TwinSpace(firstPage, pages);
  const makeEngine = engineMaker(engineFromModule(engine));
  const tools = { makeEngine, limits: new Limits(limits), makeTwin, makeMapTwin: makeTwin };
  const rows = allRows(tools, FULL_SIZES, true);
  const results: ElsewhereResult["rows"][number][] = [];
  for (let row = rows.shift(); row !== undefined; row = rows.shift()) results.push(await measureRow(row, options));
  return results;
}

async function measureRow(
  row: Row,
  { rounds, leastMs }: { readonly rounds: number; readonly leastMs: number },
): Promise<ElsewhereResult["rows"][number]> {
  const samples = await samplesOf(row, rounds, leastMs);
  const value = (side: OwnSide): number | null =>
    samples[side] === undefined ? null : median(samples[side]) / nsIn(row.unit);
  return { id: row.id, ours: value("ours"), limit: value("limit") };
}

/** Nothing where the tables need more memory than there is. */
async function samplesOf(row: Row, rounds: number, leastMs: number): Promise<Record<string, number[]>> {
  const sides: Partial<Record<OwnSide, Side>> = {};
  try {
    for (const side of GUEST_SIDES) {
      const make = row.cases[side];
      if (make !== undefined) sides[side] = timed(make(), row.units, Math.max(leastMs, row.leastMs ?? 0));
    }
    return await takeTurns(sides, rounds);
  } catch (error) {
    if (error instanceof OutOfMemoryError) return {};
    throw error;
  }
}
