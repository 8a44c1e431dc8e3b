/**
 * What memory allows at best, in the same virtual machine as the engine: passes over some bytes that do nothing else. Constants are in
 * locals before the loops, since some machines make them anew at every use.
 */

const STEP: usize = 64;
/** Between the source and the target of a copy. */
const WASM_PAGE: usize = 65536;
const OS_PAGE: usize = 4096;

let start: usize = 0;
const pool: usize = memory.data(32, 16);

/** Grows the memory by so many bytes that nobody has touched. Returns 0 when there are none. */
export function grow(bytes: u32): i32 {
  const before = memory.grow(<i32>((<usize>bytes + WASM_PAGE - 1) / WASM_PAGE));
  start = <usize>before * WASM_PAGE;
  return before < 0 ? 0 : 1;
}

export function fill(bytes: u32, value: u32): void {
  memory.fill(start, <u8>value, bytes);
}

/** Copies the first half of so many bytes to the second. */
export function copy(bytes: u32): void {
  const half = (<usize>bytes) >> 1;
  memory.copy(start + half, start, half);
}

/** Returns whether any bit is set. */
export function read(bytes: u32): i32 {
  let any0 = v128.load(pool);
  let any1 = any0;
  for (let at = start, end = start + bytes; at < end; at += STEP) {
    any0 = v128.or(any0, v128.or(v128.load(at), v128.load(at, 16)));
    any1 = v128.or(any1, v128.or(v128.load(at, 32), v128.load(at, 48)));
  }
  return i32(v128.any_true(v128.or(any0, any1)));
}

/** Takes the bits of `clear` from every byte and adds those of `set`. */
export function modify(bytes: u32, clear: u32, set: u32): void {
  v128.store(pool, i8x16.splat(<i8>clear));
  v128.store(pool, i8x16.splat(<i8>set), 16);
  const mask = v128.load(pool);
  const bits = v128.load(pool, 16);
  for (let at = start, end = start + bytes; at < end; at += STEP) {
    v128.store(at, v128.or(v128.andnot(v128.load(at), mask), bits));
    v128.store(at, v128.or(v128.andnot(v128.load(at, 16), mask), bits), 16);
    v128.store(at, v128.or(v128.andnot(v128.load(at, 32), mask), bits), 32);
    v128.store(at, v128.or(v128.andnot(v128.load(at, 48), mask), bits), 48);
  }
  v128.store(pool, i8x16.splat(0));
}

/** Touches a byte of every 4 KiB. */
export function touch(bytes: u32): void {
  for (let at = start, end = start + bytes; at < end; at += OS_PAGE) store<u8>(at, 1);
}

/** Returns the byte at an offset. */
export function byteAt(offset: u32): u32 {
  return load<u8>(start + offset);
}
