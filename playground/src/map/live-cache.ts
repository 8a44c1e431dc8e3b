/** What is known of one thing that is shown. */
interface Known<Value> {
  value: Value | null;
  /** The generation that it is of, and the one that was asked for last. */
  generation: number;
  asked: number;
  lastWanted: number;
}

/**
 * Values that come from elsewhere and grow old. What is wanted is asked for, first what is missing, and after `invalidate` what is old; until an
 * answer comes the old value stays. A few questions are under way at once, so that what is not wanted any more is not asked for.
 */
export class LiveCache<Key, Value> {
  readonly #known = new Map<string, Known<Value>>();
  readonly #load: (key: Key) => Promise<Value>;
  readonly #changed: () => void;
  readonly #limit: number;
  #wanted: readonly (readonly [id: string, key: Key])[] = [];
  #generation = 0;
  #round = 0;
  #underWay = 0;

  /** `load` answers; `changed` is called when a value has come. `limit`: values that are kept. */
  constructor(load: (key: Key) => Promise<Value>, changed: () => void, limit: number) {
    this.#load = load;
    this.#changed = changed;
    this.#limit = limit;
  }

  /** Returns the value that is known, which may be old. */
  get(id: string): Value | null {
    return this.#known.get(id)?.value ?? null;
  }

  /** Says what is shown now, the most important first. */
  want(wanted: readonly (readonly [id: string, key: Key])[]): void {
    this.#wanted = wanted;
    this.#round++;
    for (const [id] of wanted) this.#entry(id).lastWanted = this.#round;
    this.#ask();
    if (this.#known.size > this.#limit) this.#forgetOldest();
  }

  /** Makes all values old. */
  invalidate(): void {
    this.#generation++;
    this.#ask();
  }

  #entry(id: string): Known<Value> {
    let known = this.#known.get(id);
    if (known === undefined) {
      known = { value: null, generation: -1, asked: -1, lastWanted: this.#round };
      this.#known.set(id, known);
    }
    return known;
  }

  #ask(): void {
    while (this.#underWay < UNDER_WAY) {
      const isDue = ([id]: readonly [string, Key]): boolean => this.#entry(id).asked < this.#generation;
      const next =
        this.#wanted.find((one) => isDue(one) && this.#entry(one[0]).value === null) ?? this.#wanted.find(isDue);
      if (next === undefined) return;
      void this.#answer(next[0], next[1], this.#generation);
    }
  }

  async #answer(id: string, key: Key, generation: number): Promise<void> {
    const known = this.#entry(id);
    known.asked = generation;
    this.#underWay++;
    try {
      const value = await this.#load(key);
      if (generation > known.generation) {
        known.value = value;
        known.generation = generation;
        this.#changed();
      }
    } catch {
      // nobody answers: what is known stays, and the next generation asks again
    } finally {
      this.#underWay--;
      this.#ask();
    }
  }

  #forgetOldest(): void {
    const byAge = [...this.#known].sort(([, a], [, b]) => a.lastWanted - b.lastWanted);
    for (const [id] of byAge.slice(0, this.#known.size - this.#limit)) this.#known.delete(id);
  }
}

const UNDER_WAY = 4;
