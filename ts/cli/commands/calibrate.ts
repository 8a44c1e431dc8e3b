import { rename, writeFile } from "node:fs/promises";
import { Command } from "commander";
import { type Cost, type CostProfile, COSTS, FIGURES } from "../../sim/cost-profile.js";
import { formatTime } from "../../report/format.js";
import { gridLines, noPaint, wrapText } from "../../report/text-layout.js";
import { calibrate } from "../../verify/measure/calibrate.js";
import { UsageError } from "../errors.js";
import { Progress } from "../progress.js";

const DEFAULT_SECONDS = "10";
const LONGEST_SECONDS = 3600;
const DESCRIPTIONS: Readonly<Record<string, string>> = { ...COSTS, ...FIGURES };

interface Options {
  output?: string;
  seconds: string;
}

/** `pte-engine calibrate`: a cost profile of this machine, measured in its kernel. */
export function calibrateCommand(): Command {
  return new Command("calibrate")
    .description("measure what operations cost in this machine's kernel and write a cost profile for compare --profile")
    .option("-o, --output <file>", "write the profile there and print a table; without it the profile is printed")
    .option("--seconds <number>", "how long to measure", DEFAULT_SECONDS)
    .action(run);
}

async function run(options: Options): Promise<void> {
  const seconds = secondsOf(options.seconds);
  const progress = new Progress();
  const profile = await calibrate(seconds, (share) => progress.show("measuring this machine's kernel", share));
  progress.clear();
  const json = `${JSON.stringify(profile, null, 2)}\n`;
  if (options.output === undefined) {
    process.stdout.write(json);
    return;
  }
  // a profile is never half there
  await writeFile(`${options.output}.part`, json);
  await rename(`${options.output}.part`, options.output);
  process.stdout.write(profileTable(profile, process.stdout.columns || 120));
  process.stderr.write(`profile written to ${options.output}\n`);
}

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (seconds > 0 && seconds <= LONGEST_SECONDS) return seconds;
  throw new UsageError(`--seconds: expected a number up to ${LONGEST_SECONDS}, got "${text}"`);
}

function profileTable({ costs, figures, provenance }: CostProfile, width: number): string {
  const all: [string, Cost][] = [...Object.entries(costs), ...Object.entries(figures ?? {})];
  const column = (head: string, text: (cost: Cost) => string) => ({
    head,
    cells: all.map(([, cost]) => ({ text: text(cost), tone: "plain" as const })),
  });
  const times = {
    title: "measured, for one",
    columns: [
      column("cost", ({ ns }) => formatTime(ns)),
      column("least", ({ spread }) => formatTime(spread?.minNs ?? 0)),
      column("median", ({ spread }) => formatTime(spread?.medianNs ?? 0)),
      column("MAD", ({ spread }) => formatTime(spread?.madNs ?? 0)),
      column("samples", ({ spread }) => String(spread?.samples ?? 0)),
    ],
  };
  const names = all.map(([name]) => `${name}: ${DESCRIPTIONS[name] ?? ""}`);
  const lines = gridLines({ lead: { head: "Cost", cells: names }, groups: [times] }, width, noPaint);
  return [...lines, "", ...wrapText(provenance, width)].map((line) => `${line.trimEnd()}\n`).join("");
}
