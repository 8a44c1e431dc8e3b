import { KernelError } from "../base/errors.js";
import { hex, PAGE_SIZE } from "../base/pages.js";
import { type Progress } from "../engine/engine.js";
import { isWaiting, type Outcome } from "../engine/outcome.js";
import type { FaultWaiter, Vma } from "./vma.js";

/** What a populate does its work on: the address space. */
export interface PopulateTarget {
  readonly isDisposed: boolean;
  vmaAt(page: number): Vma | undefined;
  /** Populates a part of one mapping; a fault that waits is the waiter's. */
  populatePart(
    vma: Vma,
    firstPage: number,
    endPage: number,
    access: "read" | "write",
    waiter: FaultWaiter,
  ): Progress<Outcome>;
}

/**
 * An madvise(MADV_POPULATE_…) that is under way. It waits where a fault is a userfaultfd's to resolve, and goes on when that wakes it.
 */
export class PopulateCall implements FaultWaiter {
  readonly #space: PopulateTarget;
  readonly #access: "read" | "write";
  readonly #endPage: number;
  #page: number;
  #isBlocked = false;
  #isEndless = false;
  #error: KernelError | null = null;

  /** @internal Made by `AddressSpace.madvise`. */
  constructor(space: PopulateTarget, firstPage: number, endPage: number, access: "read" | "write") {
    this.#space = space;
    this.#page = firstPage;
    this.#endPage = endPage;
    this.#access = access;
  }

  /** Whether the call never ends: a fault of it starts again for ever. */
  get isEndless(): boolean {
    return this.#isEndless;
  }

  /** Whether the call waits. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** What the call failed with. */
  get error(): KernelError | null {
    return this.#error;
  }

  /** Goes on until the call ends or waits. */
  goOn(): void {
    this.#isBlocked = false;
    while (this.#isUnderWay()) this.#populateVma();
  }

  #isUnderWay(): boolean {
    return (
      this.#page < this.#endPage &&
      !this.#isBlocked &&
      !this.#isEndless &&
      this.#error === null &&
      !this.#space.isDisposed
    );
  }

  #populateVma(): void {
    const vma = this.#space.vmaAt(this.#page);
    if (vma === undefined) {
      this.#fail("ENOMEM", "nothing is mapped");
      return;
    }
    const isAllowed = this.#access === "write" ? vma.protection === "rw" : vma.protection !== "none";
    if (!isAllowed) {
      this.#fail("EINVAL", `the mapping does not allow to ${this.#access}`);
      return;
    }
    const end = Math.min(vma.endPage, this.#endPage);
    const progress = this.#space.populatePart(vma, this.#page, end, this.#access, this);
    this.#page += progress.pages;
    this.#isBlocked = isWaiting(progress.reason);
    this.#isEndless = progress.reason === "hang";
    if (progress.reason === "poisoned") this.#fail("EHWPOISON", "the page is poisoned");
    if (progress.reason === "sigbus" || progress.reason === "sigsegv")
      this.#fail("EFAULT", "the fault ended in a signal");
  }

  #fail(code: "ENOMEM" | "EINVAL" | "EFAULT" | "EHWPOISON", detail: string): void {
    this.#error = new KernelError("madvise", code, `${detail} at ${hex(this.#page * PAGE_SIZE)}`);
  }
}
