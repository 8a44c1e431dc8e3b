/** What the view of one write gives away. */
import { csv } from "../../../ts/report/csv.js";
import type { TextFile } from "../share/download.js";
import type { Offer } from "../share/offers.js";
import { svgFile } from "../share/svg.js";
import { hex64 } from "../worker/inspect.js";
import { told } from "./write.js";

export const WRITE_OFFERS: readonly Offer[] = [
  { label: "Events", kind: "CSV", make: eventsFile },
  { label: "Sequence", kind: "SVG", make: () => svgFile("one-write", "One write, event by event") },
];

const HEAD = ["event", "actor", "what", "exception", "entry_before", "entry_after", "message"];

function eventsFile(): TextFile | null {
  if (told.value === null) return null;
  const rows = told.value.events.map(({ actor, what, exception, change, message }, index) => [
    ...[index + 1, actor, what, exception === undefined ? null : `0x${exception.toString(16)}`],
    ...(change === undefined ? [null, null] : [hex64(change.before.entry), hex64(change.after.entry)]),
    message === undefined ? null : Array.from(message, (byte) => byte.toString(16).padStart(2, "0")).join(""),
  ]);
  return { name: "one-write.csv", type: "text/csv", text: csv(HEAD, rows) };
}
