/** Errors of the library. Wrong arguments are TypeError or RangeError; what a kernel refuses is a KernelError. */

/** Linux errno names that calls of this library give, with their numbers. */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  EINVAL: 22,
  ENOTTY: 25,
  ENOSPC: 28,
  EHWPOISON: 133,
} as const;

/** Name of an errno, as in errno(3). */
export type ErrnoName = keyof typeof ERRNO;

/** A call that the modelled kernel refuses, with the errno that Linux gives. */
export class KernelError extends Error {
  override readonly name: string = "KernelError";
  /** The name of the errno. */
  readonly code: ErrnoName;
  /** Its number. */
  readonly errno: number;
  /** The call, in the man page's words. */
  readonly call: string;
  /**
   * What the call left in its result field (`copy`, `zeropage`): bytes done, or the errno's name with a minus sign. Absent where the call
   * has no such field or did not write it.
   */
  readonly progress: number | `-${ErrnoName}` | undefined;

  constructor(call: string, code: ErrnoName, detail: string, progress?: number | `-${ErrnoName}`) {
    super(`${call}: ${code}: ${detail}`);
    this.call = call;
    this.code = code;
    this.errno = ERRNO[code];
    this.progress = progress;
  }
}

/** The engine's linear memory is used up. What was done before stays, and every table is consistent. */
export class OutOfMemoryError extends Error {
  override readonly name: string = "OutOfMemoryError";
  /** What needed memory. */
  readonly operation: string;
  /** Bytes of linear memory in use. */
  readonly memoryBytes: number;

  constructor(operation: string, memoryBytes: number) {
    super(`${operation}: the engine's memory is used up (${memoryBytes} bytes, the limit of this engine)`);
    this.operation = operation;
    this.memoryBytes = memoryBytes;
  }
}
