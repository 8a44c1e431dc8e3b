import type { Userfaultfd } from "./userfaultfd.js";

/** A page fault that waits to be resolved (UFFD_EVENT_PAGEFAULT). */
export interface PagefaultMessage {
  readonly event: "pagefault";
  /** Byte address: of the page, or of the access with the feature exact-address. */
  readonly address: number;
  /** Why: nothing is mapped, the page is write-protected, or the object has a page that is not mapped. A wp fault is always a write. */
  readonly kind: "missing" | "wp" | "minor";
  readonly access: "read" | "write";
}

/** A range that madvise drops (UFFD_EVENT_REMOVE), or that was unmapped (UFFD_EVENT_UNMAP). `end` is exclusive. */
export interface RangeMessage {
  readonly event: "remove" | "unmap";
  readonly start: number;
  readonly end: number;
}

/** A range that mremap moved (UFFD_EVENT_REMAP). `length` is that of the old range. */
export interface RemapMessage {
  readonly event: "remap";
  readonly from: number;
  readonly to: number;
  readonly length: number;
}

/** The process forked (UFFD_EVENT_FORK): a descriptor for the child's memory. */
export interface ForkMessage {
  readonly event: "fork";
  readonly child: Userfaultfd;
}

/** What a userfaultfd reads: `struct uffd_msg`. */
export type Message = PagefaultMessage | RangeMessage | RemapMessage | ForkMessage;

/** Flags of a page-fault message. */
export type MessageFlag = "write" | "wp" | "minor";

/** UFFD_PAGEFAULT_FLAG_WRITE, _WP and _MINOR of a message, in that order. */
export function flagsOf(message: PagefaultMessage): MessageFlag[] {
  const write: MessageFlag[] = message.access === "write" ? ["write"] : [];
  return message.kind === "missing" ? write : [...write, message.kind];
}

const EVENT_NUMBERS = { pagefault: 0x12, fork: 0x13, remap: 0x14, remove: 0x15, unmap: 0x16 } as const;
const FLAG_BITS = { write: 1, wp: 2, minor: 4 } as const;

/** Bytes of a `struct uffd_msg`. */
export const MESSAGE_BYTES = 32;

/** Writes a message as Linux does: a little-endian `struct uffd_msg`. A child's descriptor has no number here: -1 stands for it. */
export function encodeMessage(message: Message): Uint8Array {
  const bytes = new Uint8Array(MESSAGE_BYTES);
  const view = new DataView(bytes.buffer);
  const put = (...words: number[]): void => {
    words.forEach((word, i) => {
      view.setBigUint64(8 + 8 * i, BigInt(word), true);
    });
  };
  view.setUint8(0, EVENT_NUMBERS[message.event]);
  if (message.event === "pagefault") {
    put(
      flagsOf(message).reduce((bits, flag) => bits | FLAG_BITS[flag], 0),
      message.address,
    );
  } else if (message.event === "remap") put(message.from, message.to, message.length);
  else if (message.event === "fork") view.setInt32(8, -1, true);
  else put(message.start, message.end);
  return bytes;
}
