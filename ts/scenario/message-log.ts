import { isPageAligned, PAGE_SIZE } from "../base/pages.js";
import { flagsOf, type Message } from "../uffd/messages.js";
import type { TranscriptMessage } from "./document.js";
import type { Places } from "./places.js";

interface Run {
  readonly uffd: string;
  readonly message: Message;
  readonly child: string | undefined;
  /** Consecutive pages with faults that differ in nothing else. */
  pages: number;
}

/** The messages that were read during a step, in that order; runs of page faults on consecutive pages are kept as one. */
export class MessageLog {
  #runs: Run[] = [];

  /** `child`: the name of the descriptor that a fork message brings. */
  add(uffd: string, message: Message, child?: string): void {
    const last = this.#runs.at(-1);
    if (last !== undefined && goesOn(last, uffd, message)) last.pages++;
    else this.#runs.push({ uffd, message, pages: 1, child });
  }

  /** Returns what was read since the last time. */
  take(places: Places): TranscriptMessage[] {
    const messages = this.#runs.map((run) => written(run, places));
    this.#runs = [];
    return messages;
  }
}

function goesOn(run: Run, uffd: string, message: Message): boolean {
  const { message: first, pages } = run;
  return (
    run.uffd === uffd &&
    first.event === "pagefault" &&
    message.event === "pagefault" &&
    first.kind === message.kind &&
    first.access === message.access &&
    isPageAligned(message.address) &&
    message.address === first.address + pages * PAGE_SIZE
  );
}

function written({ uffd, message, child, pages }: Run, places: Places): TranscriptMessage {
  const { event } = message;
  if (event === "fork") return { uffd, event, child: child ?? "" };
  if (event === "remap") {
    const [from, to] = [places.placeText(message.from), places.placeText(message.to)];
    return { uffd, event, from, to, length: message.length };
  }
  if (event !== "pagefault") return { uffd, event, range: places.rangeText(message.start, message.end) };
  const flags = flagsOf(message);
  if (pages === 1) return { uffd, event, at: places.placeText(message.address), flags };
  return { uffd, event, range: places.rangeText(message.address, message.address + pages * PAGE_SIZE), flags };
}
