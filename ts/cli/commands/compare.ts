import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { basename } from "node:path";
import { Command, Option } from "commander";
import { formatBytes, parseSize } from "../../base/pages.js";
import { createEngine } from "../../node.js";
import { comparisonHtml } from "../../report/html.js";
import { comparisonTable } from "../../report/table.js";
import { type CompareOptions, compareTrackers, wantedTrackers } from "../../sim/compare.js";
import type { Comparison, TrackerId } from "../../sim/comparison.js";
import { type CostProfile, readCostProfile } from "../../sim/cost-profile.js";
import { type Layout, layoutAroundPages, layoutFromMaps, layoutRam } from "../../sim/layout.js";
import { type PreparedTrace, prepareTrace } from "../../sim/prepare.js";
import { COST_PROFILES, defaultCostProfile } from "../../sim/profiles.js";
import { PUBLISHED_SEED_FIGURES } from "../../sim/published.js";
import { TRACKERS } from "../../sim/trackers.js";
import {
  describeWorkload,
  type Pattern,
  PATTERNS,
  SEED_EXPERIMENT_BYTES,
  workloadBlocks,
} from "../../sim/workloads.js";
import { compareInThreads } from "../../threads/compare.js";
import { openTrace } from "../../trace/open-node.js";
import { TraceReader } from "../../trace/reader.js";
import { measureSeed } from "../../verify/measure/seed.js";
import { UsageError } from "../errors.js";
import { Progress } from "../progress.js";
import { addReaderOptions, type ReaderOptions, readerOptions, reportSkipped } from "../reader-options.js";

interface Options extends ReaderOptions {
  workload?: Pattern | "seed";
  snapshot: string;
  trackers?: string;
  maps?: string;
  ram?: string;
  fetches?: true;
  accesses: string;
  writeShare: string;
  seed: string;
  profile?: string;
  jobs?: string;
  measure?: true;
  json?: true;
  html?: string;
}

/** What is replayed, before trackers come into it. */
interface Input {
  readonly title: string;
  readonly source: string;
  readonly trace: PreparedTrace;
  readonly layout: Layout;
}

/** `pte-engine compare [TRACE]`: what each way of tracking dirty pages would have cost, and which pages it would have missed. */
export function compareCommand(): Command {
  const command = new Command("compare")
    .description("replay a memory trace or a workload under each dirty tracker and compare cost and missed pages")
    .argument("[trace]", "trace file, or - for standard input")
    .addOption(
      new Option(
        "--workload <name>",
        "a built-in workload in place of a trace; seed is the experiment of the patch",
      ).choices(["seed", ...PATTERNS]),
    )
    .option("--snapshot <point>", "where trackers arm: accesses, or a share such as 25%", "50%")
    .option("--trackers <list>", `trackers to compare: ${TRACKERS.map((tracker) => tracker.id).join(",")}`)
    .option("--maps <file>", "take the mappings from a saved /proc/PID/maps")
    .option("--ram <size>", "place the touched pages into guest RAM of this size, such as 4G")
    .option("--fetches", "replay instruction fetches too, as reads")
    .option("--accesses <count>", "accesses of a built-in workload", "4000000")
    .option("--write-share <share>", "share of writes of a built-in workload, 0 to 1", "0.5")
    .option("--seed <number>", "seed of a built-in workload", "1")
    .option("--profile <name>", `cost profile: ${COST_PROFILES.map(({ name }) => name).join(", ")}, or a JSON file`)
    .option(
      "--jobs <number>",
      "threads that run trackers at the same time (default: one for each processor, for short replays one)",
    )
    .option("--measure", "with --workload seed: also run it in this machine's kernel, for about 20 seconds")
    .option("--json", "print JSON")
    .option("--html <file>", "also write a report with plots");
  return addReaderOptions(command).action(compare);
}

async function compare(path: string | undefined, options: Options): Promise<void> {
  const progress = new Progress();
  if (options.measure === true && options.workload !== "seed") throw new UsageError("--measure needs --workload seed");
  const profile = await profileOf(options.profile);
  const trackers = trackersOf(options);
  const jobs = jobsOf(options);
  const input = await inputOf(path, options, progress);
  const wanted: CompareOptions = {
    title: input.title,
    source: input.source,
    store: input.trace.store,
    layout: input.layout,
    accesses: accessesOf(input.trace),
    snapshotAt: snapshotAt(options.snapshot, input.trace.store.accesses),
    trackers,
    profile,
    ...(options.workload === "seed" ? SEED_ROWS : {}),
    onProgress: (share, tracker) => progress.show(tracker, share),
  };
  const modelled = await run(wanted, jobs ?? defaultJobs(input.trace));
  const comparison = options.measure === true ? await measured(modelled, profile, progress) : modelled;
  progress.clear();
  if (options.html !== undefined) await writeFile(options.html, comparisonHtml(comparison));
  process.stdout.write(options.json === true ? `${JSON.stringify(comparison)}\n` : table(comparison));
  if (options.html !== undefined) process.stderr.write(`report written to ${options.html}\n`);
}

/** Runs the trackers, in this thread if there is to be one only. */
async function run(options: CompareOptions, jobs: number): Promise<Comparison> {
  const threads = Math.min(jobs, wantedTrackers(options).length);
  return threads > 1 ? compareInThreads(options, { jobs: threads }) : compareTrackers(await createEngine(), options);
}

async function measured(comparison: Comparison, profile: CostProfile, progress: Progress): Promise<Comparison> {
  progress.show("measuring", 0);
  const onProgress = (share: number): void => progress.show("measuring this machine's kernel", share);
  return { ...comparison, measured: await measureSeed(comparison, profile, onProgress) };
}

function accessesOf({ reads, writes, skippedFetches, skippedOutside }: PreparedTrace): CompareOptions["accesses"] {
  return { reads, writes, skipped: skippedFetches + skippedOutside };
}

const SEED_ROWS: Pick<CompareOptions, "labels" | "published"> = { labels: "seed", published: PUBLISHED_SEED_FIGURES };

function table(comparison: Comparison): string {
  const color = process.stdout.isTTY && process.env["NO_COLOR"] === undefined ? "ansi" : "none";
  return comparisonTable(comparison, { width: process.stdout.columns || 120, color });
}

async function inputOf(path: string | undefined, options: Options, progress: Progress): Promise<Input> {
  if (options.workload !== undefined) {
    if (path !== undefined) throw new UsageError("give a trace or --workload, not both");
    return workloadInput(options.workload, options);
  }
  if (path === undefined) throw new UsageError("expected a trace file, - for standard input, or --workload");
  return traceInput(path, options, progress);
}

async function workloadInput(name: Pattern | "seed", options: Options): Promise<Input> {
  if (options.maps !== undefined) throw new UsageError("--maps needs a trace");
  const layout = layoutRam(options.ram === undefined ? defaultRam(name) : parseSize(options.ram, "--ram"));
  const pages = layout.mappings[0]?.pageCount ?? 0;
  if (name === "seed") {
    const source = `arming ${layout.description}, untouched`;
    return { title: "The experiment of WP_UNPOPULATED", source, trace: await prepareTrace([]), layout };
  }
  const workload = {
    pattern: name,
    pages,
    accesses: numberOf(options.accesses, "--accesses"),
    writeShare: numberOf(options.writeShare, "--write-share"),
    seed: numberOf(options.seed, "--seed"),
  };
  const trace = await prepareTrace(workloadBlocks(workload));
  return { title: `Workload ${name}`, source: describeWorkload(workload), trace, layout };
}

async function traceInput(path: string, options: Options, progress: Progress): Promise<Input> {
  if (options.maps !== undefined && options.ram !== undefined) throw new UsageError("give --maps or --ram, not both");
  const fixed = await fixedLayout(options);
  const { bytes, name, size } = openTrace(path);
  const reader = new TraceReader(bytes, {
    ...readerOptions(options, path),
    name,
    onProgress: (read) => progress.show(`reading ${name}, ${formatBytes(read)}`, shareRead(read, name, size)),
  });
  const trace = await prepareTrace(reader, {
    fetches: options.fetches === true ? "read" : "skip",
    ...(options.ram === undefined ? {} : { ramPages: fixed?.mappings[0]?.pageCount ?? 0 }),
    ...(options.maps === undefined ? {} : { mappings: fixed?.mappings ?? [] }),
  });
  progress.clear();
  reportSkipped(reader.summary);
  reportOutside(trace);
  const layout = fixed ?? layoutAroundPages(trace.store.touchedPages().pages);
  return {
    title: `Dirty tracking of ${basename(name)}`,
    source: `${name} (${reader.summary.format ?? "empty"})`,
    trace,
    layout,
  };
}

async function fixedLayout(options: Options): Promise<Layout | undefined> {
  if (options.maps !== undefined) return layoutFromMaps(await readFile(options.maps, "utf8"), options.maps);
  return options.ram === undefined ? undefined : layoutRam(parseSize(options.ram, "--ram"));
}

/** The size of a compressed file says nothing about the bytes that come out of it. */
function shareRead(read: number, name: string, size: number | undefined): number | undefined {
  return size === undefined || /\.(gz|xz|zst)$/.test(name) ? undefined : Math.min(1, read / size);
}

function reportOutside({ skippedOutside }: PreparedTrace): void {
  if (skippedOutside > 0)
    process.stderr.write(`${skippedOutside} accesses are outside the mappings and were left out\n`);
}

async function profileOf(name: string | undefined): Promise<CostProfile> {
  if (name === undefined) return defaultCostProfile();
  const known = COST_PROFILES.find((profile) => profile.name === name);
  if (known !== undefined) return known;
  const text = await readFile(name, "utf8");
  try {
    return readCostProfile(JSON.parse(text), name);
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new UsageError(`${name}: expected a cost profile in JSON: ${error.message}`);
    throw error;
  }
}

function trackersOf(options: Options): TrackerId[] {
  const all = TRACKERS.map((tracker) => tracker.id);
  if (options.trackers === undefined) return options.workload === "seed" ? all.filter((id) => id !== "wp-async") : all;
  return options.trackers.split(",").map((name) => {
    const id = all.find((known) => known === name.trim());
    if (id === undefined) throw new UsageError(`--trackers: expected names out of ${all.join(", ")}; got "${name}"`);
    return id;
  });
}

/** Records below which starting threads takes longer than they save. */
const FEW_RECORDS = 500_000;

function defaultJobs({ store }: PreparedTrace): number {
  return store.records < FEW_RECORDS ? 1 : availableParallelism();
}

function jobsOf({ jobs }: Options): number | undefined {
  if (jobs === undefined) return undefined;
  const number = numberOf(jobs, "--jobs");
  if (Number.isInteger(number) && number >= 1) return number;
  throw new UsageError(`--jobs: expected 1 or more threads, got "${jobs}"`);
}

function snapshotAt(text: string, accesses: number): number {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text);
  const at = match?.[2] === "%" ? Math.floor((accesses * Number(match[1])) / 100) : Number(match?.[1] ?? NaN);
  if (Number.isInteger(at) && at >= 0 && at <= accesses) return at;
  throw new UsageError(`--snapshot: expected 0 to ${accesses} accesses, or 0% to 100%; got "${text}"`);
}

function numberOf(text: string, option: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new UsageError(`${option}: expected a number, got "${text}"`);
}

function defaultRam(name: Pattern | "seed"): number {
  return name === "seed" ? SEED_EXPERIMENT_BYTES : 2 ** 30;
}
