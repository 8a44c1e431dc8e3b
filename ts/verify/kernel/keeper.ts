import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { KernelUnavailableError } from "./errors.js";

/**
 * Changes settings of the machine by way of a process that puts them back when this one ends, however it ends. Calls are made one after
 * the other.
 */
export class Keeper {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting: ((answer: string) => void)[] = [];
  #waitsForLock = false;

  constructor(program: string) {
    this.#process = spawn(program, [], { stdio: ["pipe", "pipe", "inherit"] });
    this.#process.stdin.on("error", () => undefined); // its end is told by "close"
    createInterface(this.#process.stdout).on("line", (line) => this.#waiting.shift()?.(line));
    this.#process.on("close", () => {
      for (const answer of this.#waiting.splice(0)) answer("the process that keeps the machine's settings has ended");
    });
  }

  /** Waits until no other executor of scenarios runs on this machine. */
  async lock(path: string): Promise<void> {
    this.#waitsForLock = true;
    await this.#command(`lock ${path}`);
    this.#waitsForLock = false;
  }

  /** Writes a setting. Returns false where the machine does not have it. */
  set(path: string, value: string | number): Promise<boolean> {
    return this.#command(`set ${value} ${path}`);
  }

  /** Makes swap. Returns false where the machine cannot have any in memory. */
  addSwap(pages: number): Promise<boolean> {
    return this.#command(`swap ${pages}`);
  }

  /** Lets khugepaged have its turn, after which it sleeps. */
  async tireKhugepaged(): Promise<void> {
    await this.#command("tire");
  }

  /** Puts all settings back and lets others have the machine. */
  async restore(): Promise<void> {
    await this.#command("restore");
  }

  /** Puts all settings back and ends. */
  async close(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const closed = once(this.#process, "close");
    this.#process.stdin.end();
    if (this.#waitsForLock) this.#process.kill("SIGKILL"); // nothing has been changed yet
    await closed;
  }

  async #command(text: string): Promise<boolean> {
    const answer = await new Promise<string>((resolve) => {
      this.#waiting.push(resolve);
      this.#process.stdin.write(`${text}\n`);
    });
    if (answer === "ok" || answer === "none") return answer === "ok";
    throw new KernelUnavailableError(answer);
  }
}
