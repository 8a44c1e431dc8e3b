/** A single thread that answers messages one after the other, in the order in which they came. Times are in nanoseconds and only grow. */
export class HandlerQueue {
  readonly #serviceNs: number;
  /** When each message was answered, from `#head` on not before the time that was last asked about. */
  #answered: number[] = [];
  #head = 0;
  #freeAt = 0;

  /** `serviceNs`: how long one answer takes. */
  constructor(serviceNs: number) {
    this.#serviceNs = serviceNs;
  }

  /** Takes a message that arrives at `arrivalNs` and cannot be begun before `readyNs`. Returns when it has been answered. */
  add(arrivalNs: number, readyNs: number = arrivalNs): number {
    const startNs = this.#freeAt > arrivalNs ? this.#freeAt : readyNs;
    this.#freeAt = startNs + this.#serviceNs;
    this.#answered.push(this.#freeAt);
    return this.#freeAt;
  }

  /** Messages that have arrived before `nowNs` and are not answered then. */
  lengthAt(nowNs: number): number {
    while (this.#head < this.#answered.length && (this.#answered[this.#head] as number) <= nowNs) this.#head++;
    const length = this.#answered.length - this.#head;
    if (this.#head > 4096) {
      this.#answered = this.#answered.slice(this.#head);
      this.#head = 0;
    }
    return length;
  }
}
