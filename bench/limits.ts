import { type Case, expectEqual } from "./harness.js";

/** What `bench/limits/index.ts` exports. */
interface LimitExports {
  grow(bytes: number): number;
  fill(bytes: number, value: number): void;
  copy(bytes: number): void;
  read(bytes: number): number;
  modify(bytes: number, clear: number, set: number): void;
  touch(bytes: number): void;
  byteAt(offset: number): number;
}

const WARM_BYTES = 2 ** 20;
const WARM_PASSES = 100;

/** What memory can do at best: the cases that entries are compared with. */
export class Limits {
  readonly #module: WebAssembly.Module;

  constructor(bytes: BufferSource) {
    this.#module = new WebAssembly.Module(bytes);
    this.#warmUp();
  }

  /** memory.fill over bytes that were filled before. */
  fill(bytes: number): Case {
    const exports = this.#memory(bytes);
    return {
      prepare: () => exports.fill(bytes, 1),
      run: () => exports.fill(bytes, 2),
      check: () => expectEqual(exports.byteAt(bytes - 1), 2, "the last byte"),
    };
  }

  /** A load and a store of every 16 bytes. */
  modify(bytes: number): Case {
    const exports = this.#memory(bytes);
    return {
      prepare: () => exports.fill(bytes, 3),
      run: () => exports.modify(bytes, 2, 4),
      check: () => expectEqual(exports.byteAt(bytes - 1), 5, "the last byte"),
    };
  }

  /** A load of every 16 bytes. */
  read(bytes: number): Case {
    const exports = this.#memory(bytes);
    let found = 0;
    return {
      prepare: () => {
        exports.fill(bytes, 0);
        found = 1;
      },
      run: () => {
        found = exports.read(bytes);
      },
      check: () => expectEqual(found, 0, "bits that are set"),
    };
  }

  /** memory.copy: half of the bytes are read, the other half is written. */
  copy(bytes: number): Case {
    const exports = this.#memory(bytes);
    return {
      prepare: () => exports.fill(bytes, 7),
      run: () => exports.copy(bytes),
      check: () => expectEqual(exports.byteAt(bytes - 1), 7, "the last byte"),
    };
  }

  /** A byte of every 4 KiB of memory that is new: growing it is not timed. */
  touch(bytes: number): Case {
    let exports = this.#memory(bytes);
    return {
      prepare: () => {
        exports = this.#memory(bytes);
      },
      run: () => exports.touch(bytes),
      check: () => expectEqual(exports.byteAt(bytes - 4096), 1, "the last page"),
    };
  }

  /** Loops that are called often enough are compiled for speed; the first one that is timed has to be. */
  #warmUp(): void {
    const exports = this.#memory(WARM_BYTES);
    for (let pass = 0; pass < WARM_PASSES; pass++) {
      exports.touch(WARM_BYTES);
      exports.modify(WARM_BYTES, 2, 4);
      exports.read(WARM_BYTES);
    }
  }

  /** Instances share the machine code, so a fresh one is not slow. */
  #memory(bytes: number): LimitExports {
    const exports = new WebAssembly.Instance(this.#module).exports as unknown as LimitExports;
    if (exports.grow(bytes) === 0) throw new Error("no memory for the limits");
    return exports;
  }
}
