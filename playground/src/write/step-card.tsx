import type { JSX } from "preact";
import { decodeEntry } from "../../../ts/mm/entry-bits.js";
import type { WriteEvent } from "../../../ts/sim/one-write.js";
import { hex64 } from "../worker/inspect.js";
import { detailsOf, LANES, messageBytes } from "./words.js";
import { events, step } from "./write.js";

/** What is seen of the event that is shown last. */
export function StepCard(): JSX.Element | null {
  const event = events.value[step.value];
  if (event === undefined) return null;
  const lane = LANES.find(({ actor }) => actor === event.actor);
  return (
    <div class="step-card" aria-live="polite" aria-atomic="true">
      <p>
        <b>{lane?.name}</b> {event.what}
      </p>
      {event.change !== undefined && <EntryChange change={event.change} />}
      {event.message !== undefined && <MessageBytes event={event} message={event.message} />}
      {event.exception !== undefined && <p class="quiet">{detailsOf(event).join("; ")}</p>}
    </div>
  );
}

/** The entry before and after, and which of its bits are others. */
function EntryChange({
  change: { before, after },
}: {
  readonly change: NonNullable<WriteEvent["change"]>;
}): JSX.Element {
  const changed = before.entry ^ after.entry;
  const fields = decodeEntry(after.entry, after.level).fields.filter(
    ({ high, low }) => ((changed >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n)) !== 0n,
  );
  return (
    <>
      <dl class="before-after">
        <dt>before</dt>
        <dd>
          <code>{hex64(before.entry)}</code>
        </dd>
        <dt>after</dt>
        <dd>
          <code>{hex64(after.entry)}</code>
        </dd>
      </dl>
      <BitRow word={after.entry} changed={changed} />
      <ul class="changed-bits">
        {fields.map(({ high, low, name, value, meaning }) => (
          <li key={high}>
            <code>{high === low ? high : `${high}–${low}`}</code> <b>{name}</b>{" "}
            {high === low ? value.toString() : `0x${value.toString(16)}`}
            {meaning !== "" && <small> {meaning}</small>}
          </li>
        ))}
      </ul>
    </>
  );
}

/** All 64 bits, from the highest; the list says the same in words. */
function BitRow({ word, changed }: { readonly word: bigint; readonly changed: bigint }): JSX.Element {
  return (
    <div class="bit-row" aria-hidden="true">
      {Array.from({ length: 64 }, (_, i) => {
        const bit = BigInt(63 - i);
        const classes = [((word >> bit) & 1n) === 1n ? "set" : "", ((changed >> bit) & 1n) === 1n ? "changed" : ""];
        return <i key={i} class={classes.join(" ")} title={`bit ${bit}`} />;
      })}
    </div>
  );
}

function MessageBytes({ event, message }: { readonly event: WriteEvent; readonly message: Uint8Array }): JSX.Element {
  return (
    <>
      <pre class="message-bytes" aria-label="struct uffd_msg">
        {messageBytes(message).map((row, index) => `${(8 * index).toString(16).padStart(2, "0")}  ${row}\n`)}
      </pre>
      <ul class="changed-bits">
        {detailsOf(event).map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </>
  );
}
