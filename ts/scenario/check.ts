import { parseKernelVersion } from "../base/kernel-version.js";
import { Field, type Fields } from "./fields.js";
import { Names } from "./names.js";
import type { MachineOptions } from "../mm/machine.js";
import { type Plan, type PlannedStep, StepFields } from "./plan.js";
import { OPERATIONS } from "./steps/operations.js";

const THP = ["never", "madvise", "always"] as const;
const OPERATION_NAMES = Object.keys(OPERATIONS) as (keyof typeof OPERATIONS)[];

/**
 * Checks a whole document and resolves its names, before anything is run.
 * @throws ScenarioError that names the first place that is wrong.
 */
export function checkDocument(document: unknown): Plan {
  const fields = new Field("document", document).fields("a scenario").atTop();
  if (fields.get("scenario").value !== 1) fields.get("scenario").wrong("1");
  const name = fields.has("name") ? { name: fields.get("name").string("a text") } : {};
  fields.get("about").or("").string("a text");
  const machine = readMachine(fields.get("machine").or({}).fields("machine"));
  const list = fields.get("steps").list("a list of steps");
  fields.end();
  const names = new Names();
  return { ...name, machine, steps: list.map((field) => readStep(field, names)) };
}

function readMachine(fields: Fields): MachineOptions {
  const thp = fields.get("thp").or("never").choice(THP);
  const shmemThp = fields.get("shmemThp").or("never").choice(THP);
  const hugetlbPages = fields.get("hugetlbPages").or(0).count();
  const swapPages = fields.get("swapPages").or(0).count();
  const expected = "a version from 5.7 to 6.18, such as 6.4 or 6.18.44";
  const field = fields.get("kernel").or("6.18");
  const kernel = parseKernelVersion(field.string(expected)) ?? field.wrong(expected);
  fields.end();
  return { thp, shmemThp, hugetlbPages, swapPages, kernel };
}

function readStep(field: Field, names: Names): PlannedStep {
  const untyped = field.fields("a step");
  const op = untyped.get("op").choice(OPERATION_NAMES);
  const fields = field.fields(op);
  fields.get("op");
  const proc = names.process(fields.get("proc").or("main"));
  const step = OPERATIONS[op](new StepFields(fields, names));
  fields.get("expect").or({}).fields("expect");
  fields.end();
  return { ...step, proc };
}
