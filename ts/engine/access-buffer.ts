import { ACCESS_RECORD_BYTES } from "../../assembly/abi.js";
import { checkCount } from "../base/pages.js";

/**
 * Access records (layout in `docs/abi.md`) in the memory of an engine: filled once, they are replayed where they are, as often as wanted and in
 * any address space of that engine. Records of an array are copied into the engine's memory each time, a quarter of the time of accesses that
 * fault no more. Made by `Engine.createAccessBuffer`.
 */
export class AccessBuffer {
  readonly #memory: WebAssembly.Memory;
  /** @internal Offset of the first record in linear memory. */
  readonly address: number;
  /** Number of records. */
  readonly length: number;

  /** @internal */
  constructor(memory: WebAssembly.Memory, address: number, length: number) {
    this.#memory = memory;
    this.address = address;
    this.length = length;
  }

  /** The records, two words each, to be read and written. Any call of the engine may take more memory, which voids the array: ask anew. */
  get words(): Uint32Array {
    return new Uint32Array(this.#memory.buffer, this.address, 2 * this.length);
  }

  /** Returns the records from number `first` on, in the same memory. @throws RangeError if there are not as many */
  from(first: number): AccessBuffer {
    checkCount(first, "first", this.length);
    return new AccessBuffer(this.#memory, this.address + first * ACCESS_RECORD_BYTES, this.length - first);
  }

  /** @internal Tells whether the records are in this memory. */
  isIn(memory: WebAssembly.Memory): boolean {
    return memory === this.#memory;
  }
}
