/** What happens in a write, in words: the picture and the list for those who do not see it say the same. */
import { hex } from "../../../ts/base/pages.js";
import { describeEntry, type ExceptionCode, type PageEntry } from "../../../ts/engine/entry.js";
import { formatTime } from "../../../ts/report/format.js";
import type { CostSpan, WriteActor, WriteEvent } from "../../../ts/sim/one-write.js";
import { hex64 } from "../worker/inspect.js";

/** Who does something, from left to right. */
export const LANES: readonly { readonly actor: WriteActor; readonly name: string }[] = [
  { actor: "thread", name: "thread" },
  { actor: "processor", name: "processor" },
  { actor: "page tables", name: "page tables" },
  { actor: "kernel", name: "kernel" },
  { actor: "queue", name: "uffd queue" },
  { actor: "handler", name: "handler" },
];

/** Details below what an event is, a line each. */
export function detailsOf({ exception, change, message }: WriteEvent): string[] {
  return [
    ...(exception === undefined ? [] : [`#PF, error code ${hex(exception)}: ${errorCode(exception)}`]),
    ...(change === undefined ? [] : [`  ${entryText(change.before)}`, `→ ${entryText(change.after)}`]),
    ...(message === undefined ? [] : messageLines(message)),
  ];
}

/** An event as a sentence. */
export function sentence(event: WriteEvent): string {
  const name = LANES.find(({ actor }) => actor === event.actor)?.name ?? event.actor;
  const details = detailsOf(event).map((line) => line.trim());
  return [`${name}: ${event.what}`, ...details].join("; ");
}

/** What a figure of the profile comes to. */
export function spanTime({ ns }: CostSpan): string {
  return ns === null ? "?" : formatTime(ns);
}

/** An entry as a number and in words. */
export function entryText(found: PageEntry): string {
  return `${found.level.toUpperCase()} ${hex64(found.entry)} ${describeEntry(found)}`;
}

/** X86_PF_PROT, _WRITE and _USER. */
function errorCode(code: ExceptionCode): string {
  const protection = (code & 1) === 0 ? "page not present" : "protection";
  return `${protection}, ${(code & 2) === 0 ? "read" : "write"}, user`;
}

/** The fields of a `struct uffd_msg` for a page fault. */
function messageLines(message: Uint8Array): string[] {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const flags = view.getBigUint64(8, true);
  const names = ["WRITE", "WP", "MINOR"].filter((_, bit) => ((flags >> BigInt(bit)) & 1n) === 1n);
  return [
    `event 0x${view.getUint8(0).toString(16)} UFFD_EVENT_PAGEFAULT`,
    `flags 0x${flags.toString(16)} ${names.join(" | ")}`,
    `address 0x${view.getBigUint64(16, true).toString(16)}`,
  ];
}

/** The bytes of a message, eight in a row. */
export function messageBytes(message: Uint8Array): string[] {
  const bytes = Array.from(message, (byte) => byte.toString(16).padStart(2, "0"));
  return Array.from({ length: bytes.length / 8 }, (_, row) => bytes.slice(8 * row, 8 * row + 8).join(" "));
}
