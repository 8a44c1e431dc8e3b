/** A stretch of memory that the copier has written out. */
export interface CopiedChunk {
  readonly firstPage: number;
  readonly pageCount: number;
  /** Nanoseconds since the snapshot. */
  readonly startNs: number;
  readonly endNs: number;
}

/** What a write met whose fault the handler answered. */
export type AnsweredKind = "page" | "marker" | "zeroPage";

/** A write that faulted and was answered by the handler. */
export interface AnsweredFault {
  readonly page: number;
  readonly kind: AnsweredKind;
  /** Nanoseconds since the snapshot: when it was made, when the handler took its message, when that had answered, when it was done. */
  readonly writtenNs: number;
  readonly takenNs: number;
  readonly answeredNs: number;
  readonly doneNs: number;
}

/** What happened in a film, one by one: for pictures of its course in time. Plain data. */
export interface FilmCourse {
  readonly chunks: readonly CopiedChunk[];
  readonly faults: readonly AnsweredFault[];
  /** Answered faults that came after those. */
  readonly leftOut: number;
}

/** Writes down what happens in a film; of the faults only the first ones, since there may be millions. */
export class FilmLog {
  readonly #chunks: CopiedChunk[] = [];
  readonly #faults: AnsweredFault[] = [];
  readonly #limit: number;
  #leftOut = 0;

  /** `limit`: faults that are written down. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  addChunk(chunk: CopiedChunk): void {
    this.#chunks.push(chunk);
  }

  addFault(fault: AnsweredFault): void {
    if (this.#faults.length < this.#limit) this.#faults.push(fault);
    else this.#leftOut++;
  }

  /** What has been written down so far. */
  get course(): FilmCourse {
    return { chunks: this.#chunks, faults: this.#faults, leftOut: this.#leftOut };
  }
}
