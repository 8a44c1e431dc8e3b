/** What the first view gives away. */
import { csv } from "../../../ts/report/csv.js";
import { profile } from "../app/profile.js";
import type { TextFile } from "../share/download.js";
import type { Offer } from "../share/offers.js";
import { svgFile } from "../share/svg.js";
import { SEED_MODES } from "../state/seed.js";
import { state } from "../state/store.js";
import { modeName } from "./controls.js";
import { arms, outcome } from "./experiment.js";
import { armTimes } from "./times.js";

export const SEED_OFFERS: readonly Offer[] = [
  { label: "Four ways to arm", kind: "CSV", make: armsFile },
  { label: "What the writes met", kind: "CSV", make: writesFile },
  { label: "Time to arm", kind: "SVG", make: () => svgFile("arm-times", "Time to arm, modelled and published") },
];

const ARM_HEAD = [
  ...["way", "bytes", "thp", "armed_none", "armed_page", "armed_zero_page", "prefaulted", "table_bytes"],
  ...["modelled_ns", "profile"],
];

function armsFile(): TextFile | null {
  const { bytes, thp } = state.seed.value;
  const found = arms.value;
  if (found === null) return null;
  const times = armTimes(found, { bytes, thp, profile: profile.value });
  const rows = SEED_MODES.map((mode) => {
    const { armed, prefaulted, tableBytes } = found[mode];
    const ns = times.find((time) => time.mode === mode)?.modelledNs ?? null;
    return [
      ...[modeName(mode), bytes, thp ? "always" : "never", armed.none, armed.page, armed.zeroPage, prefaulted],
      ...[tableBytes, ns, profile.value.name],
    ];
  });
  return { name: "arming.csv", type: "text/csv", text: csv(ARM_HEAD, rows) };
}

const WRITE_HEAD = [
  ...["way", "writes", "pages_changed", "reported", "missed", "messages"],
  ...["exceptions_0x6", "exceptions_0x7", "table_bytes"],
];

function writesFile(): TextFile | null {
  if (outcome.value === null) return null;
  const { params, write } = outcome.value;
  const row = [
    ...[modeName(params.mode), write.writes, write.dirty, write.reported, write.missed, write.messages],
    ...[write.writeNotPresent, write.writeProtected, write.tableBytes],
  ];
  return { name: "writes.csv", type: "text/csv", text: csv(WRITE_HEAD, [row]) };
}
