import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import { Command } from "commander";
import type { Engine } from "../../engine/engine.js";
import { createEngine } from "../../node.js";
import { checkDocument } from "../../scenario/check.js";
import type { Scenario } from "../../scenario/document.js";
import { ScenarioError } from "../../scenario/error.js";
import { ACCEPTED } from "../../verify/accepted.js";
import { PROFILES, type ProfileName } from "../../verify/generate/generate.js";
import { type LiveKernel, openKernel } from "../../verify/kernel/live-kernel.js";
import { engineRunner } from "../../verify/verify/engine-runner.js";
import { record, recordingLines } from "../../verify/verify/record.js";
import { divergenceText, scenarioText, summaryText } from "../../verify/verify/report.js";
import { generated, type Subject } from "../../verify/verify/subjects.js";
import { type Divergence, type Findings, verify } from "../../verify/verify/verify.js";
import { selftests } from "../../verify/selftests/selftests.js";
import { UsageError } from "../errors.js";
import { Progress } from "../progress.js";
import { readScenario } from "../read-scenario.js";

const DEFAULT_COUNT = 1500;
const MOST_SHRUNK = 20;
const DIVERGED = 1;
const compress = promisify(gzip);

/** The scenarios that are written by hand, which go before generated ones. */
const SELFTESTS = "selftests";

interface Options {
  seed: string;
  count?: string;
  profile?: string;
  minutes?: string;
  jobs?: string;
  save?: string;
  record?: string;
  json?: true;
}

/** `pte-engine verify`: the engine beside the kernel of this machine, which is the judge. */
export function verifyCommand(makeEngine: () => Promise<Engine> = () => createEngine()): Command {
  return new Command("verify")
    .description("run scenarios on this machine's kernel and on the engine, and show where they differ")
    .argument("[file...]", "scenarios to run in place of generated ones")
    .option("--seed <number>", "the first seed of each profile", "1")
    .option("--count <number>", `how many to generate, of all profiles together (default: ${DEFAULT_COUNT})`)
    .option("--profile <name>", `one of ${[SELFTESTS, ...PROFILES].join(", ")} (default: all in turn)`)
    .option("--minutes <number>", "go on with new seeds for so long")
    .option("--jobs <number>", "CPUs that the kernel's half may use (default: 2)")
    .option("--save <folder>", "write the smallest scenario of each divergence there")
    .option("--record <folder>", "write what the kernel gives there, in place of a comparison: a file for each profile")
    .option("--json", "print JSON")
    .action(async (files: string[], options: Options) => {
      const work = await chooseWork(files, options);
      const kernel = await openKernel();
      try {
        if (options.record !== undefined) await recordAll(options.record, options, kernel);
        else await compareAll(work, options, kernel, makeEngine);
      } finally {
        await kernel.close();
      }
    });
}

/** What is to be compared, and until when. */
interface Work {
  readonly batches: Iterable<readonly Subject[]>;
  readonly count: number;
  readonly minutes: number;
  readonly jobs: number | undefined;
}

async function chooseWork(files: readonly string[], options: Options): Promise<Work> {
  const minutes = numberOf("--minutes", options.minutes, 24 * 60) ?? 0;
  const jobs = integerOf("--jobs", options.jobs, 1024);
  if (options.save !== undefined) await mkdir(options.save, { recursive: true });
  if (files.length > 0) {
    const subjects = await Promise.all(files.map(subjectOfFile));
    return { batches: [subjects], count: subjects.length, minutes, jobs };
  }
  const count = countOf(options);
  const seed = seedOf(options.seed);
  return { batches: chosenBatches(options.profile, seed, count), count, minutes, jobs };
}

function* chosenBatches(profile: string | undefined, seed: number, count: number): Generator<readonly Subject[]> {
  const byHand = selftests().map((scenario) => ({ label: `selftest ${scenario.name ?? ""}`, scenario }));
  if (profile === undefined || profile === SELFTESTS) yield byHand;
  if (profile !== SELFTESTS) yield* generated({ profiles: profilesOf(profile), seed, count });
}

async function subjectOfFile(path: string): Promise<Subject> {
  const document = await readScenario(path);
  try {
    checkDocument(document);
  } catch (error) {
    if (error instanceof ScenarioError) throw new UsageError(`${path}: ${error.message}`);
    throw error;
  }
  return { label: `file ${path}`, scenario: document as Scenario };
}

async function compareAll(
  { batches, count, minutes, jobs }: Work,
  options: Options,
  kernel: LiveKernel,
  makeEngine: () => Promise<Engine>,
): Promise<void> {
  const progress = new Progress();
  const startMs = Date.now();
  const minutesGone = (): number => (Date.now() - startMs) / 60_000;
  const found: Promise<void>[] = [];
  const findings = await verify(batches, {
    kernel,
    runOnEngine: await engineRunner(makeEngine),
    accepted: ACCEPTED,
    mostShrunk: MOST_SHRUNK,
    ...(jobs === undefined ? {} : { jobs }),
    onProgress: ({ compared, divergences }) => {
      const share = minutes > 0 ? minutesGone() / minutes : compared / count;
      progress.show(`${compared} scenarios compared, ${divergences.length} divergences`, Math.min(1, share));
    },
    onDivergence: (divergence) => {
      progress.clear();
      if (options.json !== true) process.stdout.write(`${divergenceText(divergence)}\n`);
      if (options.save !== undefined) found.push(save(options.save, divergence));
    },
    isOver: () => minutes > 0 && minutesGone() >= minutes,
  });
  progress.clear();
  await Promise.all(found);
  printEnd(findings, options, kernel.release, (Date.now() - startMs) / 1000);
}

function printEnd(findings: Findings, { json }: Options, release: string, seconds: number): void {
  const text =
    json === true
      ? `${JSON.stringify({ kernel: release, seconds, ...findings, accepted: Object.fromEntries(findings.accepted) })}\n`
      : `Linux ${release}: ${summaryText(findings, ACCEPTED, seconds)}`;
  process.stdout.write(text);
  if (findings.divergences.length > 0) process.exitCode = DIVERGED;
}

async function save(folder: string, { label, scenario, difference }: Divergence): Promise<void> {
  const name = label.replaceAll(/[^A-Za-z0-9]+/g, "-").replace(/^profile-/, "");
  const about = `${label}: step ${difference.index} differs in ${difference.fields.join(", ")}`;
  await writeFile(join(folder, `${name}.json`), `${scenarioText({ ...scenario, name, about })}\n`);
}

/** Writes a file of recordings for each profile. */
async function recordAll(folder: string, options: Options, kernel: LiveKernel): Promise<void> {
  await mkdir(folder, { recursive: true });
  const chosen = options.profile === undefined ? PROFILES : profilesOf(options.profile);
  const each = Math.ceil(countOf(options) / chosen.length);
  const work = { seed: seedOf(options.seed), count: each };
  if (options.profile === undefined || options.profile === SELFTESTS)
    await recordOne(folder, SELFTESTS, selftests(), kernel);
  if (options.profile === SELFTESTS) return;
  for (const profile of chosen) {
    const scenarios = [...generated({ profiles: [profile], ...work })].flat().map(({ scenario }) => scenario);
    await recordOne(folder, profile, scenarios, kernel);
  }
}

async function recordOne(
  folder: string,
  name: string,
  scenarios: readonly Scenario[],
  kernel: LiveKernel,
): Promise<void> {
  const recordings = await record(scenarios, kernel);
  const bytes = await compress(recordingLines(recordings), { level: constants.Z_BEST_COMPRESSION });
  const path = join(folder, `${name}.jsonl.gz`);
  await writeFile(path, bytes);
  const left = scenarios.length - recordings.length;
  const without = left > 0 ? `; ${left} left out, which the kernel cannot do or does differently each time` : "";
  process.stdout.write(`${path}: ${recordings.length} scenarios, ${bytes.length} bytes${without}\n`);
}

function profilesOf(profile: string | undefined): readonly ProfileName[] {
  if (profile === undefined || profile === SELFTESTS) return PROFILES;
  const known = PROFILES.find((name) => name === profile);
  if (known !== undefined) return [known];
  throw new UsageError(`--profile: expected one of ${[SELFTESTS, ...PROFILES].join(", ")}, got "${profile}"`);
}

/** With a time limit and no number, there is no end to the scenarios. */
function countOf({ count, minutes }: Options): number {
  return integerOf("--count", count, 1e9) ?? (minutes === undefined ? DEFAULT_COUNT : 1e9);
}

function seedOf(text: string): number {
  const seed = Number(text);
  if (/^\d+$/.test(text) && seed < 2 ** 32) return seed;
  throw new UsageError(`--seed: expected an integer from 0 to ${2 ** 32 - 1}, got "${text}"`);
}

function integerOf(option: string, text: string | undefined, most: number): number | undefined {
  const value = numberOf(option, text, most);
  if (value === undefined || Number.isInteger(value)) return value;
  throw new UsageError(`${option}: expected an integer, got "${text ?? ""}"`);
}

function numberOf(option: string, text: string | undefined, most: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (value > 0 && value <= most) return value;
  throw new UsageError(`${option}: expected a number above 0, up to ${most}, got "${text}"`);
}
