import type { JSX } from "preact";
import { TransportButtons } from "../app/transport.js";
import { events, EVENTS, step } from "./write.js";

/** Goes from event to event, by hand or by itself. */
export function Stepper(): JSX.Element {
  return (
    <div class="stepper">
      <TransportButtons of={EVENTS} play="Slow motion" />
      <span class="step-count">
        event {step.value + 1} of {events.value.length}
      </span>
    </div>
  );
}
