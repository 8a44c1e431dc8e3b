import { Random } from "../../base/random.js";

/** Things to choose from with how likely each is, relative to the others. */
export type Weighted<Item> = readonly (readonly [weight: number, item: Item])[];

/** Random decisions, all from one seed. */
export class Chooser {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  /** Whether something of this probability happens. */
  chance(probability: number): boolean {
    return this.#random.fraction() < probability;
  }

  /** Returns an integer from 0 up to but not including `limit`; 0 where there is none. */
  below(limit: number): number {
    return limit > 0 ? this.#random.below(limit) : 0;
  }

  /** Returns an integer from `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + this.below(to - from + 1);
  }

  /** @throws RangeError if there is nothing to pick from. */
  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError("expected something to pick from");
    return item;
  }

  /** @throws RangeError if nothing has a weight. */
  weighted<Item>(items: Weighted<Item>): Item {
    const candidates = items.filter(([weight]) => weight > 0);
    let at = this.#random.fraction() * candidates.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, item] of candidates) {
      at -= weight;
      if (at < 0) return item;
    }
    return this.pick(candidates)[1];
  }

  /** Returns those that happened to be chosen, in their order. */
  some<Item>(items: readonly Item[], probability: number): Item[] {
    return items.filter(() => this.chance(probability));
  }
}
