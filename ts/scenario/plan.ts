import type { MachineOptions } from "../mm/machine.js";
import type { Action, PlannedStep } from "./execution.js";
import type { Field, Fields } from "./fields.js";
import type { Names } from "./names.js";
import type { ByteRange } from "./places.js";

export type { Action, Answer, PlannedStep } from "./execution.js";

/** A document that has been checked, with all names resolved. */
export interface Plan {
  readonly name?: string;
  readonly machine: MachineOptions;
  readonly steps: readonly PlannedStep[];
}

/** The fields of one step while it is being checked. */
export class StepFields {
  readonly #fields: Fields;
  readonly names: Names;

  constructor(fields: Fields, names: Names) {
    this.#fields = fields;
    this.names = names;
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

/** A step of which all but its process has been checked. */
export type Checked = Omit<PlannedStep, "proc">;

/** Checks the fields of one kind of step. @throws ScenarioError */
export type StepReader = (step: StepFields) => Checked;

/** What a step gives that this executor does not model. Nothing is known of the memory after it. */
export const notModelled: Action = (execution) => execution.giveUp();
