/** One write in the worker. Its memory is gone when it has been told, so no process can be looked at. */
import type { Engine } from "../../../ts/engine/engine.js";
import type { CostProfile } from "../../../ts/sim/cost-profile.js";
import { oneWrite, type OneWrite } from "../../../ts/sim/one-write.js";
import type { WriteChoice } from "../../../ts/sim/write-choice.js";
import type { OpenedScene } from "./protocol.js";

/** Which write, and whose figures. */
export interface WriteParams {
  readonly choice: WriteChoice;
  readonly profile: CostProfile;
}

/** What the view can have the scene do. */
export interface WriteControl {
  /** The write, event by event. */
  tell(): OneWrite;
}

/** Carries the write out. */
export function open({ choice, profile }: WriteParams, engine: Engine): OpenedScene<"write"> {
  const told = oneWrite(engine, choice, profile);
  return {
    scene: { processes: new Map(), history: () => [], dispose: () => undefined },
    control: { tell: () => told },
  };
}
