/** Seeded random numbers, so that every experiment can be repeated. Not for secrets. */
export class Random {
  #state: Uint32Array;

  /** @param seed any integer from 0 to 2^32 - 1. */
  constructor(seed: number) {
    this.#state = new Uint32Array(4);
    let mixed = seed >>> 0;
    for (let i = 0; i < 4; i++) {
      mixed = (mixed + 0x9e3779b9) >>> 0;
      this.#state[i] = scramble(mixed);
    }
  }

  /** Returns the next 32 random bits as an integer from 0 to 2^32 - 1 (xoshiro128**). */
  next(): number {
    const s = this.#state as unknown as [number, number, number, number];
    const result = Math.imul(rotateLeft(Math.imul(s[1], 5), 7), 9) >>> 0;
    const shifted = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotateLeft(s[3], 11);
    return result;
  }

  /** Returns a number from 0 up to but not including 1. */
  fraction(): number {
    return this.next() / 2 ** 32;
  }

  /** Returns an integer from 0 up to but not including `limit` (at most 2^32). */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** The finaliser of murmur3: neighbouring seeds give unrelated states. */
function scramble(value: number): number {
  let mixed = value;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
