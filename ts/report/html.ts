/** The comparison as one HTML file that needs nothing else: no network, no script, its data inside. */
import { hex, PAGE_SIZE } from "../base/pages.js";
import type { Comparison, ModelledItem, TrackerResult } from "../sim/comparison.js";
import { COSTS } from "../sim/cost-profile.js";
import { EVENT_DETAIL_GROUPS, EVENT_GROUPS, RESULT_DETAIL_GROUPS, RESULT_GROUPS } from "./columns.js";
import { facts } from "./facts.js";
import { type Finding, findings, profileSentence } from "./findings.js";
import { formatCount, formatTime } from "./format.js";
import { countCharts, timeCharts, timelineCharts } from "./html-charts.js";
import { STYLE } from "./html-style.js";
import { groupedTable, scrollable } from "./html-table.js";
import { type Markup, markup, scriptJson, trusted } from "./markup.js";
import { MEASURED_GROUPS, measuredLines, measuredSentences } from "./measured.js";
import { PUBLISHED_GROUPS, publishedRows } from "./published.js";

/** Nothing may be loaded and nothing may run, whatever a file name held. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

const MARKS: Readonly<Record<Finding["tone"], { readonly mark: string; readonly name: string }>> = {
  bad: { mark: "✗", name: "Problem" },
  good: { mark: "✓", name: "Good" },
  plain: { mark: "•", name: "Note" },
};

/**
 * Returns a whole HTML document: what the comparison found in sentences, tables, charts with their numbers in words,
 * and the comparison itself as JSON in the element `#comparison`. All text of the input is escaped.
 */
export function comparisonHtml(comparison: Comparison): string {
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${comparison.title}</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
<header>${headSection(comparison)}</header>
<main>
${tableSection(comparison)}
${chartSections(comparison)}
${itemSection(comparison)}
${originSection(comparison)}
</main>
<script type="application/json" id="comparison">${scriptJson(comparison)}</script>
</body>
</html>
`.markup;
}

function headSection(comparison: Comparison): Markup {
  const list = findings(comparison).map(({ tone, text }) => {
    const { mark, name } = MARKS[tone];
    return markup`<li class="${tone}"><b role="img" aria-label="${name}">${mark}</b>${text}</li>
`;
  });
  const terms = facts(comparison).map(
    ({ name, text }) => markup`<dt>${name}</dt><dd>${text}</dd>
`,
  );
  return markup`<h1>${comparison.title}</h1>
<ul class="findings">
${list}</ul>
<dl>
${terms}</dl>`;
}

function tableSection(comparison: Comparison): Markup {
  const { trackers } = comparison;
  const rows = { lead: "Tracker", name: ({ label }: TrackerResult) => label, rows: trackers };
  const results = {
    ...rows,
    caption: "What each tracker found and what it costs",
    groups: [...RESULT_GROUPS, ...RESULT_DETAIL_GROUPS],
  };
  const events = {
    ...rows,
    caption: "What happened: entries that arming changed, faults after the snapshot point",
    groups: [...EVENT_GROUPS, ...EVENT_DETAIL_GROUPS],
  };
  return markup`<section><h2>Results</h2>
${groupedTable(results, comparison)}${measuredTable(comparison)}${publishedTable(comparison)}${groupedTable(events, comparison)}</section>`;
}

function measuredTable(comparison: Comparison): Markup {
  const rows = measuredLines(comparison);
  if (rows.length === 0) return markup``;
  const table = groupedTable(
    {
      caption: "The model beside what this host's kernel took",
      lead: "Tracker and huge pages",
      name: ({ label }) => label,
      groups: MEASURED_GROUPS,
      rows,
    },
    comparison,
  );
  const sentences = measuredSentences(comparison).map(
    (sentence) => markup`<p>${sentence}</p>
`,
  );
  return markup`${table}${sentences}`;
}

function publishedTable(comparison: Comparison): Markup {
  const rows = publishedRows(comparison);
  if (rows.length === 0) return markup``;
  return groupedTable(
    {
      caption: "The model beside published measurements of the same experiment",
      lead: "Tracker and publication",
      name: ({ label, figure }) => `${label} (${figure.source})`,
      groups: PUBLISHED_GROUPS,
      rows,
    },
    comparison,
  );
}

function chartSections(comparison: Comparison): Markup {
  if (comparison.trackers.length === 0) return markup``;
  return markup`<section><h2>Pages, faults and page tables</h2>${countCharts(comparison)}</section>
<section><h2>Modelled time</h2>${timeCharts(comparison)}</section>
${comparison.accesses.total === 0 ? markup`` : timelineSection(comparison)}`;
}

function timelineSection(comparison: Comparison): Markup {
  return markup`<section><h2>Faults over the accesses</h2>${timelineCharts(comparison)}</section>`;
}

function itemSection(comparison: Comparison): Markup {
  const bodies = comparison.trackers.map((result) => {
    const { arm, fault, collect } = result.modelled;
    const phases = [
      { name: "arm", time: arm },
      { name: "faults", time: fault },
      { name: "collect", time: collect },
    ];
    const rows = phases.flatMap(({ name, time }) => time.items.map((item) => itemRow(name, item)));
    const none = markup`<tr><td class="text" colspan="5">nothing that costs time</td></tr>`;
    return markup`<tbody><tr><th scope="rowgroup" colspan="5">${result.label}</th></tr>${rows.length > 0 ? rows : none}</tbody>
`;
  });
  const heads = markup`<tr><th class="text" scope="col">Part</th><th class="text" scope="col">Cost</th><th scope="col">Count</th><th scope="col">ns each</th><th scope="col">Time</th></tr>`;
  const caption = "Modelled time, item by item: count times cost";
  const table = markup`<table><caption><span>${caption}</span></caption><thead>${heads}</thead>
${bodies}</table>`;
  const missed = comparison.trackers.filter(({ dirty }) => dirty.missedPages.length > 0).map(missedDetails);
  return markup`<section><h2>In detail</h2>
<details><summary>How the modelled times add up</summary>
${scrollable(caption, table)}</details>
${missed}</section>`;
}

function itemRow(part: string, { cost, count, nsEach }: ModelledItem): Markup {
  const meaning = cost in COSTS ? COSTS[cost as keyof typeof COSTS] : "";
  const each = nsEach.toLocaleString("en-US", { maximumFractionDigits: 2 });
  return markup`<tr><td class="text">${part}</td><td class="text">${cost}${meaning === "" ? "" : `: ${meaning}`}</td><td>${formatCount(count)}</td><td>${each}</td><td class="sum">${formatTime(count * nsEach)}</td></tr>
`;
}

function missedDetails({ label, dirty }: TrackerResult): Markup {
  const addresses = dirty.missedPages.map((page) => hex(page * PAGE_SIZE)).join(", ");
  const all =
    dirty.missedPages.length === dirty.missed ? "All" : `The first ${formatCount(dirty.missedPages.length)} of`;
  return markup`<details><summary>Pages that ${label} missed</summary>
<p>${all} ${formatCount(dirty.missed)}: ${addresses}</p></details>
`;
}

function originSection(comparison: Comparison): Markup {
  return markup`<section><h2>How this was made</h2>
<p>The accesses were replayed once for each tracker, in an executable model of x86-64 page tables and of userfaultfd
write-protection. Entries, page tables, faults, messages and dirty pages are counted there, not estimated. Whether a
page is dirty is told by its content before and after, not by any tracker.</p>
<p>${profileSentence(comparison)} A modelled time is a sum of counts, each times one cost: it knows nothing of caches,
of CPUs that wait for each other, or of how much a cost varies. Pages have 4 KiB; huge pages are not modelled.</p>
<p>This file loads nothing and runs nothing. The numbers behind it are in it, as JSON, in the element with the id
<code>comparison</code>. The comparison took ${formatTime(comparison.elapsedMs * 1e6)}.</p></section>`;
}
