import { type ChildProcessByStdio, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import {
  type Command,
  decodeReply,
  decodeReplyFileHeader,
  encodeRequest,
  NOT_BEGUN,
  REPLY_FILE_HEADER_BYTES,
  REPLY_HEADER_BYTES,
  replyBytes,
  type ReplyRecord,
} from "./protocol.js";

/** The descriptor under which the executor has its replies, so that they can be read when it does not go on. */
const REPLY_DESCRIPTOR = 3;
const WATCH_EVERY_MS = 1000;
/** How much longer than a step's time limit the executor may be silent before it counts as stuck in the kernel itself. */
const SILENCE_MS = 5000;
/** How often a scenario is tried that cannot be begun: what hung before may keep the CPU for a while. */
const MAX_STARTS = 20;
const RESTART_AFTER_MS = 500;

/** How to start an executor. */
export interface ExecutorOptions {
  readonly program: string;
  readonly cpu: number;
  /** Where it makes files; not in memory. */
  readonly folder: string;
  /** After which a step counts as one that never ends. */
  readonly stepTimeoutMs: number;
}

interface Request {
  readonly bytes: Buffer;
  readonly resolve: (reply: ReplyRecord[]) => void;
  readonly reject: (error: Error) => void;
}

/** Runs scenarios on one CPU, in the order of the calls. The process behind it is started when it is needed, again and again. */
export class Executor {
  readonly #options: ExecutorOptions;
  readonly #requests: Request[] = [];
  #process: ExecutorProcess | null = null;
  /** Processes in succession that could not begin a scenario. */
  #failedStarts = 0;
  #restart: NodeJS.Timeout | undefined;

  constructor(options: ExecutorOptions) {
    this.#options = options;
  }

  /** Carries out the steps of a scenario in processes of its own. A reply ends early if a step never ends. */
  run(commands: readonly Command[]): Promise<ReplyRecord[]> {
    const bytes = encodeRequest(commands, this.#options.stepTimeoutMs);
    return new Promise((resolve, reject) => {
      this.#requests.push({ bytes, resolve, reject });
      if (this.#process === null) this.#start();
      else this.#process.send(bytes);
    });
  }

  /** Ends the process. Scenarios under way are given up. */
  async close(): Promise<void> {
    clearTimeout(this.#restart);
    for (const { reject } of this.#requests.splice(0)) reject(new Error("the executor was closed"));
    await this.#process?.end();
  }

  #start(): void {
    const started = new ExecutorProcess(this.#options, {
      reply: (bytes) => {
        this.#failedStarts = 0;
        this.#requests.shift()?.resolve(decodeReply(bytes));
      },
      stuck: (bytes) => {
        const request = this.#requests.shift();
        void started.end();
        request?.resolve(decodeReply(bytes));
      },
      notBegun: (complaint) => {
        this.#process = null;
        if (++this.#failedStarts % MAX_STARTS === 0) this.#fail(complaint);
        this.#restart = setTimeout(() => this.#startIfNeeded(), RESTART_AFTER_MS);
      },
      end: (complaint) => {
        this.#process = null;
        if (complaint !== "") this.#fail(complaint);
        this.#startIfNeeded();
      },
    });
    this.#process = started;
    for (const { bytes } of this.#requests) started.send(bytes);
  }

  #startIfNeeded(): void {
    if (this.#process === null && this.#requests.length > 0) this.#start();
  }

  #fail(complaint: string): void {
    this.#requests.shift()?.reject(new Error(complaint));
  }
}

interface Events {
  /** A whole reply, without its first word. */
  readonly reply: (bytes: Uint8Array) => void;
  /** The process does not go on; these are the replies to the steps before. */
  readonly stuck: (bytes: Uint8Array) => void;
  /** The process has ended before it could begin a scenario. */
  readonly notBegun: (complaint: string) => void;
  /** The process has ended. `complaint` is empty if it gave a reply before that which says that a step hangs. */
  readonly end: (complaint: string) => void;
}

/** One run of executor.c. */
class ExecutorProcess {
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #events: Events;
  readonly #watch: NodeJS.Timeout;
  readonly #patienceMs: number;
  #received: Buffer[] = [];
  #receivedBytes = 0;
  #neededBytes = REPLY_HEADER_BYTES;
  #complaint = "";
  #heartbeat = -1n;
  #heartbeatMs = 0;
  #unanswered = 0;
  #answered = 0;
  #isStuck = false;
  #couldNotBegin = false;
  #hasEnded = false;

  constructor({ program, cpu, folder, stepTimeoutMs }: ExecutorOptions, events: Events) {
    this.#events = events;
    this.#patienceMs = stepTimeoutMs + SILENCE_MS;
    this.#process = spawn(program, [String(cpu), folder], { stdio: ["pipe", "pipe", "pipe"] });
    this.#process.stdin.on("error", () => undefined); // its end is told by "close"
    this.#process.stdout.on("data", (chunk: Buffer) => this.#receive(chunk));
    this.#process.stderr.setEncoding("utf8").on("data", (text: string) => (this.#complaint += text));
    this.#process.on("error", (error) => (this.#complaint += error.message));
    this.#process.on("close", () => this.#ended());
    this.#watch = setInterval(() => this.#look(), WATCH_EVERY_MS);
  }

  send(request: Buffer): void {
    if (this.#unanswered++ === 0) this.#heartbeatMs = Date.now();
    this.#process.stdin.write(request);
  }

  /** Kills the process. Returns when it has ended, or when it is clear that the kernel does not let it. */
  async end(): Promise<void> {
    if (this.#hasEnded) return;
    const closed = new Promise((resolve) => this.#process.once("close", resolve));
    this.#process.kill("SIGKILL");
    let timer: NodeJS.Timeout | undefined;
    const givenUp = new Promise((resolve) => (timer = setTimeout(resolve, SILENCE_MS)));
    await Promise.race([closed, givenUp]);
    clearTimeout(timer);
    this.#ended();
  }

  #receive(chunk: Buffer): void {
    this.#received.push(chunk);
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes < this.#neededBytes) return;
    let all = Buffer.concat(this.#received);
    while (all.length >= this.#neededBytes) {
      const end = REPLY_HEADER_BYTES + replyBytes(all);
      if (all.length < end) {
        this.#neededBytes = end;
        break;
      }
      this.#unanswered--;
      this.#answered++;
      this.#events.reply(all.subarray(REPLY_HEADER_BYTES, end));
      all = all.subarray(end);
      this.#neededBytes = REPLY_HEADER_BYTES;
    }
    this.#received = [all];
    this.#receivedBytes = all.length;
  }

  #ended(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearInterval(this.#watch);
    if (this.#couldNotBegin || this.#process.exitCode === NOT_BEGUN) {
      this.#events.notBegun(this.#complaint.trim() || "executor: it does not get the CPU");
      return;
    }
    const endsAfterHang = this.#process.exitCode === 0 && this.#answered > 0;
    const isExpected = endsAfterHang || this.#isStuck || this.#unanswered === 0;
    this.#events.end(isExpected ? "" : this.#complaint.trim() || "the executor was killed");
  }

  /** Finds out whether the process is stuck: a call of its own does not return. */
  #look(): void {
    if (this.#unanswered === 0 || this.#isStuck || this.#hasEnded) return;
    const replies = `/proc/${String(this.#process.pid)}/fd/${REPLY_DESCRIPTOR}`;
    if (!existsSync(replies)) return; // it has not made them yet
    const file = openSync(replies, "r");
    try {
      const header = Buffer.alloc(REPLY_FILE_HEADER_BYTES + REPLY_HEADER_BYTES);
      readSync(file, header, 0, header.length, 0);
      const { heartbeat, scenariosBegun } = decodeReplyFileHeader(header);
      if (heartbeat !== this.#heartbeat) {
        this.#heartbeat = heartbeat;
        this.#heartbeatMs = Date.now();
      } else if (Date.now() - this.#heartbeatMs > this.#patienceMs) {
        this.#isStuck = true;
        this.#couldNotBegin = scenariosBegun === this.#answered;
        if (this.#couldNotBegin) {
          void this.end();
          return;
        }
        const reply = Buffer.alloc(replyBytes(header.subarray(REPLY_FILE_HEADER_BYTES)));
        readSync(file, reply, 0, reply.length, header.length);
        this.#events.stuck(reply);
      }
    } finally {
      closeSync(file);
    }
  }
}
