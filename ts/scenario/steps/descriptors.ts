import { FEATURES, MODES } from "../../uffd/features.js";
import type { Userfaultfd } from "../../uffd/userfaultfd.js";
import type { StepResult } from "../document.js";
import { attempt } from "../execution.js";
import { readHandler } from "../handler.js";
import { type Action, type Checked, type StepFields } from "../plan.js";

export function readUffd(step: StepFields): Checked {
  const name = step.names.addUffd(step.get("as"));
  const features = step.get("features").or([]).names(FEATURES);
  const userModeOnly = step.flag("userModeOnly");
  const handler = readHandler(step.get("handler").or({}).fields("handler"));
  return {
    isCall: true,
    action: (execution) => {
      return attempt(() => {
        const uffd = execution.openUffd(name, { features, userModeOnly }, handler);
        return { ok: true, features: [...uffd.offeredFeatures].sort(), ioctls: uffd.ioctls };
      });
    },
  };
}

export function readRegister(step: StepFields): Checked {
  const name = step.uffd();
  const { start, length } = step.range();
  const modes = step.get("modes").names(MODES);
  return { action: withUffd(name, {}, (uffd) => ({ ok: true, ioctls: uffd.register(start, length, modes) })) };
}

export function readUnregister(step: StepFields): Checked {
  const name = step.uffd();
  const { start, length } = step.range();
  return {
    action: doing(name, (uffd) => {
      uffd.unregister(start, length);
    }),
  };
}

export function readClose(step: StepFields): Checked {
  const name = step.uffd();
  const close = doing(name, (uffd) => {
    uffd.close();
  });
  return {
    action: (execution) => {
      if (execution.uffd(name) !== "unready") return close(execution);
      execution.closeUnready(name);
      return { ok: true };
    },
  };
}

export function readWake(step: StepFields): Checked {
  const name = step.uffd();
  const { start, length } = step.range();
  return {
    action: doing(name, (uffd) => {
      uffd.wake(start, length);
    }),
  };
}

export function readWriteprotect(step: StepFields): Checked {
  const name = step.uffd();
  const { start, length } = step.range();
  const protects = step.get("wp").or(true).flag();
  const dontwake = step.flag("dontwake");
  if (protects && dontwake) return { action: withUffd(name, {}, () => ({ errno: "EINVAL" })) };
  const wake = dontwake ? "later" : "now";
  return {
    action: doing(name, (uffd) => {
      if (protects) uffd.writeProtect(start, length);
      else uffd.removeWriteProtection(start, length, wake);
    }),
  };
}

/**
 * Returns the action of a call on a descriptor. `untouched` is what its result field holds where the kernel did not write it: where the
 * descriptor is closed, or the call was refused before it began.
 */
export function withUffd(name: string, untouched: StepResult, call: (uffd: Userfaultfd) => StepResult): Action {
  return (execution) => {
    const uffd = execution.uffd(name);
    if (uffd === "closed") return { errno: "EBADF", ...untouched };
    if (uffd === "unready") return { errno: "EINVAL", ...untouched };
    return attempt(
      () => call(uffd),
      (error) => progressOf(untouched, error.progress),
    );
  };
}

/** The action of a call on a descriptor that returns nothing. */
function doing(name: string, call: (uffd: Userfaultfd) => void): Action {
  return withUffd(name, {}, (uffd) => {
    call(uffd);
    return { ok: true };
  });
}

function progressOf(untouched: StepResult, progress: number | string | undefined): StepResult {
  if (progress === undefined) return untouched;
  return Object.fromEntries(Object.keys(untouched).map((field) => [field, progress]));
}
