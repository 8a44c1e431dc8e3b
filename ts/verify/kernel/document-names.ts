import { ScenarioError } from "../../scenario/error.js";
import { Field } from "../../scenario/fields.js";
import { Names } from "../../scenario/names.js";
import type { ByteRange, NamedMapping } from "../../scenario/places.js";
import { MAX_DESCRIPTORS, MAX_MAPPINGS, MAX_PROCESSES, PATH_BYTES } from "./protocol.js";

/** In the order of `enum kind`. */
export const KINDS = ["anon", "shmem", "file", "hugetlb"] as const;
type Kind = (typeof KINDS)[number];

/** What a mapping is of. */
export interface Backing {
  readonly kind: Kind;
  /** Number of the object from 1; 0: none. */
  readonly object: number;
}

const ANONYMOUS: Backing = { kind: "anon", object: 0 };
/** The path of a descriptor that cannot be. */
const NO_PATH = [-1n, -1n];

/** The numbers by which the executor knows what a document has names for. Steps are to be read in their order. */
export class DocumentNames {
  readonly #names = new Names();
  readonly #backings = new Map<string, Backing>();
  readonly #processes = new Map([["main", 0]]);
  readonly #uffds: string[] = [];
  readonly #accesses = new Map<string, number>();
  #objects = 0;
  #step = -1;

  /** Starts with the next step. */
  next(): void {
    this.#step++;
  }

  /** Number of the step that is being read. */
  get step(): number {
    return this.#step;
  }

  range(range: unknown): ByteRange {
    return this.#names.range(this.#field("range", range));
  }

  place(key: string, place: string): number {
    return this.#names.place(this.#field(key, place));
  }

  nextPlace(): number {
    return this.#names.nextPlace();
  }

  newObject(kind: Kind): Backing {
    return { kind, object: ++this.#objects };
  }

  /** What a named mapping is of. */
  backing(key: string, name: string): Backing {
    return this.#backings.get(this.#names.mapping(this.#field(key, name)).name) ?? ANONYMOUS;
  }

  backingAt(address: number): Backing {
    return this.#backings.get(this.#names.nearest(address)?.name ?? "") ?? ANONYMOUS;
  }

  addMapping(name: string, start: number, pages: number, backing: Backing): NamedMapping {
    const object = backing.object > 0 ? backing.object : null;
    const isHuge = backing.kind === "hugetlb";
    const mapping = this.#names.addMapping(this.#field("as", name), { start, pages, object, isHuge });
    this.#backings.set(name, backing);
    this.#limit(this.#backings.size, MAX_MAPPINGS, "mappings");
    return mapping;
  }

  addProcess(name: string): number {
    const number = this.#processes.size;
    this.#processes.set(this.#names.addProcess(this.#field("as", name)), number);
    this.#limit(number + 1, MAX_PROCESSES, "processes");
    return number;
  }

  process(name: string): number {
    return this.#processes.get(this.#names.process(this.#field("proc", name))) ?? 0;
  }

  /** Returns the path of the new descriptor. */
  addUffd(name: string): readonly bigint[] {
    this.#uffds.push(this.#names.addUffd(this.#field("as", name)));
    this.#limit(this.#uffds.length, MAX_DESCRIPTORS, "userfaultfds");
    return this.uffd(name);
  }

  /** Returns the path of a descriptor, two words: its number, then which of its forks, and which of that one's. */
  uffd(name: string): readonly bigint[] {
    const [base = "", ...forks] = this.#names.uffd(this.#field("uffd", name)).split(".");
    const path = new Uint8Array(PATH_BYTES);
    if (forks.length >= PATH_BYTES || forks.some((fork) => Number(fork) >= MAX_DESCRIPTORS)) return NO_PATH;
    path.set([this.#uffds.indexOf(base), ...forks.map((fork) => Number(fork) + 1)]);
    return [...new BigInt64Array(path.buffer)];
  }

  /** The name of the descriptor with a path. */
  uffdName(path: Uint8Array): string {
    const [base = 0, ...forks] = path;
    const end = forks.indexOf(0);
    const numbers = forks.slice(0, end < 0 ? forks.length : end).map((fork) => fork - 1);
    return [this.#uffds[base] ?? "", ...numbers].join(".");
  }

  nameAccess(name: string): void {
    this.#accesses.set(this.#names.addThread(this.#field("as", name)), this.#step);
  }

  /** Number of the step that started a named thread. */
  access(name: string): number {
    return this.#accesses.get(this.#names.thread(this.#field("thread", name))) ?? 0;
  }

  #field(key: string, value: unknown): Field {
    return new Field(`steps[${this.#step}].${key}`, value);
  }

  #limit(count: number, most: number, what: string): void {
    if (count > most)
      throw new ScenarioError(`steps[${this.#step}]`, `expected at most ${most} ${what} on a live kernel`);
  }
}
