import { SPACE_COUNTERS } from "./abi";

/**
 * Counters of an address space: an array of u64 in its control block, indexed by the COUNTER_ numbers of `abi.ts`. Passes sum up in
 * locals and add once a table, since a counter that lives in memory costs more than the entry it counts.
 */

/** Adds `amount` to a counter. */
export function addTo(space: usize, counter: u32, amount: u64): void {
  const slot = counterSlot(space, counter);
  store<u64>(slot, load<u64>(slot) + amount);
}

/** Takes `amount` from a counter that says how many there are now. */
export function takeFrom(space: usize, counter: u32, amount: u64): void {
  const slot = counterSlot(space, counter);
  assert(load<u64>(slot) >= amount);
  store<u64>(slot, load<u64>(slot) - amount);
}

/** Returns the value of a counter. */
export function counterOf(space: usize, counter: u32): u64 {
  return load<u64>(counterSlot(space, counter));
}

function counterSlot(space: usize, counter: u32): usize {
  return space + SPACE_COUNTERS + ((<usize>counter) << 3);
}
