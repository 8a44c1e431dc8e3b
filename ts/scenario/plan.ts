import type { Action, PlannedStep } from "./execution.js";
import type { Field, Fields } from "./fields.js";
import type { Names } from "./names.js";
import type { ByteRange } from "./places.js";

export type { Action, Answer, PlannedStep } from "./execution.js";

/** A document that has been checked, with all names resolved. */
export interface Plan {
  readonly name?: string;
  readonly steps: readonly PlannedStep[];
}

/** The machine that the document asks for, as far as it matters for anonymous memory. */
export interface Machine {
  readonly thp: "never" | "madvise" | "always";
}

/** The fields of one step while it is being checked. */
export class StepFields {
  readonly #fields: Fields;
  readonly names: Names;
  readonly machine: Machine;

  constructor(fields: Fields, names: Names, machine: Machine) {
    this.#fields = fields;
    this.names = names;
    this.machine = machine;
  }

  get(key: string): Field {
    return this.#fields.get(key);
  }

  has(key: string): boolean {
    return this.#fields.has(key);
  }

  /** A field that is true or false, and false where it is absent. */
  flag(key: string): boolean {
    return this.get(key).or(false).flag();
  }

  range(): ByteRange {
    return this.names.range(this.get("range"));
  }

  uffd(): string {
    return this.names.uffd(this.get("uffd"));
  }
}

/** Checks the fields of one kind of step. @throws ScenarioError */
export type StepReader = (step: StepFields) => PlannedStep;

/** What a step gives that this executor does not model. Nothing is known of the memory after it. */
export const notModelled: Action = (execution) => execution.giveUp();
