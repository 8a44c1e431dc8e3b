import type { Step } from "../../../scenario/document.js";
import type { DocumentNames } from "../document-names.js";
import type { PlannedCommand } from "../results.js";

/** A step with one of some operations. */
export type StepOf<Op extends Step["op"]> = Op extends unknown ? WithOp<Step, Op> : never;
type WithOp<Each extends Step, Op> = Each extends unknown ? (Op extends Each["op"] ? Each : never) : never;

/** What a step asks of its process. */
export type Planned = Omit<PlannedCommand, "process">;

/** Plans steps of one operation. */
export type Planner<Op extends Step["op"]> = (step: StepOf<Op>, names: DocumentNames) => Planned;
