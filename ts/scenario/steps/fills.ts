import type { Userfaultfd } from "../../uffd/userfaultfd.js";
import type { StepResult } from "../document.js";
import { FIRST_COPIED_VALUE } from "../handler.js";
import type { Checked, StepFields } from "../plan.js";
import { withUffd } from "./descriptors.js";

export function readCopy(step: StepFields): Checked {
  const name = step.uffd();
  const { start, length } = step.range();
  const wake = readWake(step);
  const writeProtect = step.flag("wp");
  const hasValue = step.has("value");
  const value = step.get("value").or(FIRST_COPIED_VALUE).count();
  const options = { value, step: hasValue ? 0 : 1, writeProtect, wake } as const;
  return { action: filling(name, "copied", (uffd) => uffd.copy(start, length, options)) };
}

export function readZeropage(step: StepFields): Checked {
  const name = step.uffd();
  const { start, length } = step.range();
  const wake = readWake(step);
  return { action: filling(name, "zeroed", (uffd) => uffd.zeropage(start, length, wake)) };
}

export function readContinue(step: StepFields): Checked {
  const name = step.uffd();
  const { start, length } = step.range();
  const options = { writeProtect: step.flag("wp"), wake: readWake(step) };
  return { action: filling(name, "mapped", (uffd) => uffd.continue(start, length, options)) };
}

export function readPoison(step: StepFields): Checked {
  const name = step.uffd();
  const { start, length } = step.range();
  const wake = readWake(step);
  return { action: filling(name, "updated", (uffd) => uffd.poison(start, length, wake)) };
}

export function readMove(step: StepFields): Checked {
  const name = step.uffd();
  const { start, length } = step.range();
  const from = step.names.place(step.get("from"));
  const options = { allowSourceHoles: step.flag("allowSrcHoles"), wake: readWake(step) };
  const action = filling(name, "moved", (uffd) => uffd.move(start, length, from, options));
  return {
    isCall: true,
    action: (execution) => {
      const uffd = execution.uffd(name);
      // only the process whose memory it is may move pages in it
      if (typeof uffd === "object" && uffd.space !== execution.space) return { errno: "EINVAL", moved: 0 };
      return action(execution);
    },
  };
}

function readWake(step: StepFields): "now" | "later" {
  return step.flag("dontwake") ? "later" : "now";
}

/** The action of a call that fills pages; `field` of the result says how many bytes it did. */
function filling(
  name: string,
  field: "copied" | "zeroed" | "mapped" | "updated" | "moved",
  call: (uffd: Userfaultfd) => number,
): ReturnType<typeof withUffd> {
  const result = (bytes: number): StepResult => ({ [field]: bytes });
  return withUffd(name, result(0), (uffd) => ({ ok: true, ...result(call(uffd)) }));
}
