import { PAGE_SHIFT, PAGE_SIZE } from "../base/pages.js";
import { FIRST_PLACE, PLACE_SPACING } from "../mm/address-space.js";
import { ScenarioError } from "./error.js";
import { Field } from "./fields.js";
import { type ByteRange, type NamedMapping, Places } from "./places.js";

/** A mapping of the document: what other steps may say of it. */
export interface DeclaredMapping extends NamedMapping {
  /** Number of the object that it maps and that another mapping can map again; null for anonymous memory. */
  readonly object: number | null;
  /** Whether it maps huge pages of hugetlbfs. */
  readonly isHuge: boolean;
}

const NAME = /^[A-Za-z][A-Za-z0-9_-]*$/;
const PLACE = /^([A-Za-z][A-Za-z0-9_-]*)(?:\[([0-9]+)\](?:\+([0-9]+))?)?$/;
const RANGE = /^([A-Za-z][A-Za-z0-9_-]*)(?:\[([0-9]+)(?:\.\.([0-9]+))?\])?$/;
const ADDRESS = /^0x[0-9A-Fa-f]+$/;

/** Far above user space, and so far below 2^53 that twice as much can be added. */
const FAR: number = 2 ** 51;

const PLACE_EXPECTED = 'a place such as "ram", "ram[7]", "ram[7]+16" or "0x100000000000"';
const RANGE_EXPECTED = 'a range such as "ram", "ram[7]" or "ram[0..512]"';

/** All names of a document. They are resolved before the run, so a name means the same address whether or not its step succeeds. */
export class Names {
  readonly #mappings = new Map<string, DeclaredMapping>();
  readonly #places = new Places<DeclaredMapping>();
  readonly #processes = new Set(["main"]);
  readonly #uffds = new Set<string>();
  readonly #threads = new Set<string>();
  #placed = 0;
  #objects = 0;

  /** Returns the address of the next mapping without an address of its own, and uses it up. */
  nextPlace(): number {
    return FIRST_PLACE + this.#placed++ * PLACE_SPACING;
  }

  /** Returns the number of a new object. */
  nextObject(): number {
    return this.#objects++;
  }

  addMapping(field: Field, mapping: Omit<DeclaredMapping, "name">): DeclaredMapping {
    const declared = { ...mapping, name: this.#newName(field) };
    this.#mappings.set(declared.name, declared);
    this.#places.add(declared);
    return declared;
  }

  /** The mapping relative to which an address is written. */
  nearest(address: number): DeclaredMapping | undefined {
    return this.#places.nearest(address);
  }

  addProcess(field: Field): string {
    const name = this.#newName(field);
    this.#processes.add(name);
    return name;
  }

  addUffd(field: Field): string {
    const name = this.#newName(field);
    this.#uffds.add(name);
    return name;
  }

  addThread(field: Field): string {
    const name = this.#newName(field);
    this.#threads.add(name);
    return name;
  }

  process(field: Field): string {
    const name = field.string("the name of a process");
    return this.#processes.has(name) ? name : field.wrong("the name of a process");
  }

  /** The name of a descriptor: `u`, or `u.0` for what the first fork made of it. */
  uffd(field: Field): string {
    const name = field.string("the name of a userfaultfd");
    const match = /^([^.]*)((?:\.[0-9]+)*)$/.exec(name);
    return this.#uffds.has(match?.[1] ?? "") ? name : field.wrong("the name of a userfaultfd");
  }

  thread(field: Field): string {
    const name = field.string("the name of a thread");
    return this.#threads.has(name) ? name : field.wrong("the name of a thread");
  }

  mapping(field: Field): DeclaredMapping {
    return this.#mappingNamed(field, field.string("the name of a mapping"));
  }

  /** An address in bytes. */
  place(field: Field): number {
    const text = field.string(PLACE_EXPECTED);
    if (ADDRESS.test(text)) return representable(Number(text), Number(BigInt.asUintN(PAGE_SHIFT, BigInt(text))));
    const match = PLACE.exec(text);
    if (match === null) return field.wrong(PLACE_EXPECTED);
    const { start } = this.#mappingNamed(field, match[1] ?? "");
    const address = start + Number(match[2] ?? 0) * PAGE_SIZE + Number(match[3] ?? 0);
    return representable(address, address % PAGE_SIZE);
  }

  range(field: Field): ByteRange {
    if (typeof field.value === "object" && field.value !== null && !Array.isArray(field.value)) {
      const fields = field.fields("a range");
      const start = this.place(fields.get("start"));
      const length = fields.get("length").size();
      fields.end();
      return { start, length: representable(length, length % PAGE_SIZE) };
    }
    const match = RANGE.exec(field.string(RANGE_EXPECTED));
    if (match === null) return field.wrong(RANGE_EXPECTED);
    const mapping = this.#mappingNamed(field, match[1] ?? "");
    const first = Number(match[2] ?? 0);
    const end = match[3] !== undefined ? Number(match[3]) : match[2] !== undefined ? first + 1 : mapping.pages;
    if (end < first) return field.wrong("a range that does not end before it starts");
    const start = mapping.start + first * PAGE_SIZE;
    return {
      start: representable(start, mapping.start % PAGE_SIZE),
      length: representable((end - first) * PAGE_SIZE, 0),
    };
  }

  #newName(field: Field): string {
    const name = field.string("a name");
    if (!NAME.test(name)) field.wrong("a name: a letter, then letters, digits, _ or -");
    const taken = [this.#mappings, this.#processes, this.#uffds, this.#threads];
    if (taken.some((names) => names.has(name))) {
      throw new ScenarioError(field.where, `expected a new name, found "${name}", which is given twice`);
    }
    return name;
  }

  #mappingNamed(field: Field, name: string): DeclaredMapping {
    return this.#mappings.get(name) ?? new Field(field.where, name).wrong("the name of a mapping");
  }
}

/**
 * Returns `bytes`, or in place of more than FAR a number that means the same: it is as far from user space and has the same offset in its
 * page. So sums of an address and a length stay exact.
 */
function representable(bytes: number, offsetInPage: number): number {
  return bytes < FAR ? bytes : FAR + offsetInPage;
}
