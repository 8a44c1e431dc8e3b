import type { FaultWaiter } from "./vma.js";

/** Threads that were woken and have not gone on yet, of one process or of several, in the order of waking. */
export class WakeQueue {
  readonly #woken: FaultWaiter[] = [];

  push(waiters: readonly FaultWaiter[]): void {
    this.#woken.push(...waiters);
  }

  /** Lets every thread go on that is in the queue, one after the other. Returns whether there were any. @throws OutOfMemoryError */
  run(): boolean {
    let count = 0;
    try {
      for (const waiter of this.#woken) {
        waiter.goOn();
        count++;
      }
    } finally {
      this.#woken.splice(0, count); // one for which there was no memory stays, as do those after it
    }
    return count > 0;
  }
}
