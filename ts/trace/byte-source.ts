/** Reads exact numbers of bytes from a stream of chunks. */
export class ByteSource {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);
  #position = 0;
  #offset = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Number of bytes read so far. */
  get offset(): number {
    return this.#offset;
  }

  /** Says whether no byte is left. */
  async isAtEnd(): Promise<boolean> {
    while (this.#position === this.#chunk.length) {
      const next = await this.#chunks.next();
      if (next.done === true) return true;
      this.#chunk = next.value;
      this.#position = 0;
    }
    return false;
  }

  /** Returns a copy of the next `count` bytes. Throws an Error when there are fewer; allocates what is asked for. */
  async take(count: number): Promise<Uint8Array> {
    const taken = new Uint8Array(count);
    let filled = 0;
    while (filled < count) {
      const part = await this.#some(count - filled);
      taken.set(part, filled);
      filled += part.length;
    }
    return taken;
  }

  /** Passes over `count` bytes without keeping them. Throws an Error when there are fewer. */
  async skip(count: number): Promise<void> {
    let rest = count;
    while (rest > 0) rest -= (await this.#some(rest)).length;
  }

  /** Returns 1 to `limit` bytes of the current chunk. */
  async #some(limit: number): Promise<Uint8Array> {
    if (await this.isAtEnd()) throw new Error(`the data ends at byte ${this.#offset}`);
    const part = this.#chunk.subarray(this.#position, this.#position + limit);
    this.#position += part.length;
    this.#offset += part.length;
    return part;
  }
}
