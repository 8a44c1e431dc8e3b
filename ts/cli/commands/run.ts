import { createReadStream, createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Command } from "commander";
import type { Engine } from "../../engine/engine.js";
import { createEngine } from "../../node.js";
import { describeReport, describeRequest } from "../../scenario/account.js";
import type { Scenario, Transcript } from "../../scenario/document.js";
import { ScenarioError } from "../../scenario/error.js";
import { unmetExpectations } from "../../scenario/expectations.js";
import { runScenario } from "../../scenario/run.js";
import { transcriptText } from "../../scenario/transcript-text.js";
import { UsageError } from "../errors.js";
import { readScenario } from "../read-scenario.js";

interface Options {
  json?: true;
  jsonl?: true;
}

/** Exit codes of the command beside 0. */
const UNMET = 1;
const WRONG_DOCUMENT = 2;

/** Transcripts are written in pieces of about this many characters. */
const PIECE_LENGTH = 1 << 16;

/** `pte-engine run FILE…`: carries scenarios out and tells what happened, or prints transcripts. */
export function runCommand(makeEngine: () => Promise<Engine> = () => createEngine()): Command {
  return new Command("run")
    .description("run scenarios: lists of memory-management steps, as JSON or YAML")
    .argument("<file...>", "scenarios, or - for standard input; with --jsonl, the input and the output")
    .option("--json", "print transcripts instead of an account")
    .option("--jsonl", "read a scenario from each line of IN and write its transcript, or its error, as a line of OUT")
    .action(async (paths: string[], options: Options) => {
      if (options.jsonl === true) await runLines(paths, await makeEngine());
      else for (const path of paths) await runFile(path, options, await makeEngine());
    });
}

async function runFile(path: string, options: Options, engine: Engine): Promise<void> {
  const document = await readScenario(path);
  const lines: string[] = [];
  try {
    const transcript = options.json === true ? runScenario(document, engine) : runWithAccount(document, engine, lines);
    if (options.json === true) lines.push(transcriptText(transcript));
    process.stdout.write(`${lines.join("\n")}\n`);
    complain(unmetExpectations(document, transcript), path);
  } catch (error) {
    if (error instanceof ScenarioError) throw new UsageError(`${path}: ${error.message}`);
    throw error;
  }
}

function runWithAccount(document: unknown, engine: Engine, lines: string[]): Transcript {
  return runScenario(document, engine, {
    onStep: (report) => {
      const scenario = document as Scenario; // it has been checked by then
      const step = scenario.steps[report.index];
      if (report.index === 0) lines.push(...[scenario.name, scenario.about].filter((text) => text !== undefined));
      if (step !== undefined) lines.push(`${String(report.index).padStart(3)}  ${describeRequest(step)}`);
      lines.push(...describeReport(report).map((line, i) => `     ${i === 0 ? "→" : " "} ${line}`));
    },
  });
}

async function runLines(paths: readonly string[], engine: Engine): Promise<void> {
  const [input, output] = paths;
  if (input === undefined || output === undefined || paths.length > 2) {
    throw new UsageError("--jsonl expected an input and an output");
  }
  const source = input === "-" ? process.stdin : createReadStream(input);
  const transcripts = Readable.from(pieces(transcriptLines(createInterface({ input: source }), engine)));
  if (output === "-") await pipeline(transcripts, process.stdout, { end: false });
  else await pipeline(transcripts, createWriteStream(output));
}

async function* transcriptLines(lines: AsyncIterable<string>, engine: Engine): AsyncGenerator<string> {
  let number = 0;
  for await (const line of lines) {
    number++;
    if (line.trim() !== "") yield `${runLine(line, `line ${number}`, engine)}\n`;
  }
}

function runLine(line: string, place: string, engine: Engine): string {
  try {
    const document: unknown = JSON.parse(line);
    const transcript = runScenario(document, engine);
    complain(unmetExpectations(document, transcript), place);
    return JSON.stringify(transcript);
  } catch (error) {
    if (!(error instanceof ScenarioError || error instanceof SyntaxError)) throw error;
    process.stderr.write(`${place}: ${error.message}\n`);
    process.exitCode = WRONG_DOCUMENT;
    return JSON.stringify({ error: error.message });
  }
}

function complain(unmet: readonly string[], place: string): void {
  for (const line of unmet) process.stderr.write(`${place}: ${line}\n`);
  if (unmet.length > 0 && process.exitCode !== WRONG_DOCUMENT) process.exitCode = UNMET;
}

/** Joins short texts to pieces that are worth a write. */
async function* pieces(lines: AsyncIterable<string>): AsyncGenerator<string> {
  let piece = "";
  for await (const line of lines) {
    piece += line;
    if (piece.length < PIECE_LENGTH) continue;
    yield piece;
    piece = "";
  }
  if (piece !== "") yield piece;
}
