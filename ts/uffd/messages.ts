/** A page fault that waits to be resolved (UFFD_EVENT_PAGEFAULT). */
export interface PagefaultMessage {
  readonly event: "pagefault";
  /** Byte address: of the page, or of the access with the feature exact-address. */
  readonly address: number;
  /** Why: nothing is mapped, or the page is write-protected. A wp fault is always a write. */
  readonly kind: "missing" | "wp";
  readonly access: "read" | "write";
}

/** A range that MADV_DONTNEED drops (UFFD_EVENT_REMOVE), or that was unmapped (UFFD_EVENT_UNMAP). `end` is exclusive. */
export interface RangeMessage {
  readonly event: "remove" | "unmap";
  readonly start: number;
  readonly end: number;
}

/** What a userfaultfd reads: `struct uffd_msg`. */
export type Message = PagefaultMessage | RangeMessage;

/** UFFD_PAGEFAULT_FLAG_WRITE and _WP of a message, in that order. */
export function flagsOf(message: PagefaultMessage): ("write" | "wp")[] {
  if (message.kind === "wp") return ["write", "wp"];
  return message.access === "write" ? ["write"] : [];
}
