/** The report's style sheet: no address in it, light and dark, paper too. */

/**
 * Five hues after Okabe and Ito, which people who confuse colours can tell apart, each darkened or lightened until it
 * stands out from its background; lines have dashes and widths besides.
 */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #fff; --panel: #f5f6f8; --text: #1a1d21; --faint: #5a626d; --rule: #d5d9df; --grid: #e6e9ed;
  --c0: #0072b2; --c1: #c75000; --c2: #00795a; --c3: #a8477f; --c4: #8a6500; --neutral: #a3abb6; --shade: #0004;
  --bad: #b3001b; --bad-panel: #fdeef0; --good: #00694c; --good-panel: #e9f6f1;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #14171a; --panel: #1d2126; --text: #e8eaed; --faint: #a2abb7; --rule: #3a424c; --grid: #2a3038;
    --c0: #56b4e9; --c1: #f0883e; --c2: #2fc79a; --c3: #e38fc4; --c4: #e6c34a; --neutral: #6d7783; --shade: #000b;
    --bad: #ff7b86; --bad-panel: #3a1a1f; --good: #4fd1a5; --good-panel: #12302a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1.5rem clamp(1rem, 3vw, 2.5rem) 3rem; max-width: 84rem; background: var(--page);
  color: var(--text); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
  overflow-wrap: anywhere; -webkit-text-size-adjust: 100%;
}
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 0.75rem; }
h2 { font-size: 1.2rem; margin: 2.25rem 0 0.75rem; }
h3 { font-size: 1rem; margin: 0; }
p { margin: 0.5rem 0; max-width: 75ch; }
.findings { list-style: none; margin: 0 0 1.25rem; padding: 0; display: grid; gap: 0.5rem; }
.findings li { padding: 0.55rem 0.9rem 0.55rem 2.3rem; background: var(--panel); border-radius: 6px; position: relative; }
.findings li > b { position: absolute; left: 0.95rem; }
.findings .bad { background: var(--bad-panel); color: var(--bad); font-weight: 600; }
.findings .good { background: var(--good-panel); color: var(--good); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.15rem 1.25rem; margin: 0; }
dt { color: var(--faint); }
dd { margin: 0; }
.scroll {
  overflow-x: auto; margin: 0 0 1.5rem; border: 1px solid var(--rule); border-radius: 6px;
  background: /* a shadow where more is to the right, covered once it is scrolled to */
    linear-gradient(to left, var(--page) 30%, transparent) right / 3rem 100% no-repeat local,
    linear-gradient(to left, var(--shade), transparent) right / 1.1rem 100% no-repeat scroll;
}
.scroll:focus-visible, summary:focus-visible { outline: 2px solid var(--c0); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; font-size: 0.875rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding: 0.6rem 0.75rem; color: var(--faint); }
caption > span { display: inline-block; position: sticky; left: 0.75rem; max-width: min(100%, calc(100vw - 4rem)); }
th, td { padding: 0.4rem 0.55rem; text-align: right; white-space: nowrap; overflow-wrap: normal; }
thead th { color: var(--faint); font-weight: 500; vertical-align: bottom; }
thead tr:first-child th { border-top: 1px solid var(--rule); }
thead th[scope=colgroup] { text-align: left; font-weight: 600; color: var(--text); }
tbody tr { border-top: 1px solid var(--grid); }
tbody:not(:first-of-type), thead + tbody tr:first-child { border-top: 1px solid var(--rule); }
.first { border-left: 1px solid var(--grid); }
tbody th, thead th.lead {
  text-align: left; font-weight: 600; position: sticky; left: 0; background: var(--page); max-width: 22rem;
  white-space: normal; min-width: 8.5rem;
}
td.text, th.text { text-align: left; white-space: normal; min-width: 14rem; }
thead th.emphasis { color: var(--text); font-weight: 700; }
.quiet { color: var(--faint); }
td.bad { background: var(--bad-panel); font-weight: 700; }
.bad { color: var(--bad); }
.good { color: var(--good); }
td.sum { font-weight: 600; }
.charts { display: grid; gap: 0 2.25rem; margin-bottom: -1.75rem; }
@media (min-width: 38rem) { .charts { grid-template-columns: 1fr 1fr; } }
@media (min-width: 68rem) { .charts { grid-template-columns: repeat(4, 1fr); } .charts.lines { grid-template-columns: 1fr 1fr; } }
figure {
  display: grid; grid-template-rows: auto 1fr; grid-template-rows: subgrid; grid-row: span 2; row-gap: 0.5rem;
  align-content: start; margin: 0 0 1.75rem; min-width: 0; break-inside: avoid;
}
figure.wide { grid-column: 1 / -1; }
figcaption { margin: 0; }
figcaption p { margin: 0; color: var(--faint); font-size: 0.85rem; line-height: 1.4; }
.legend { list-style: none; margin: 0.35rem 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: 0.15rem 1rem; font-size: 0.8rem; }
.legend li { display: flex; align-items: center; gap: 0.4rem; }
svg.swatch { flex: none; overflow: visible; }
svg.chart { display: block; overflow: visible; }
svg text {
  font-size: 12.5px; fill: var(--text); font-variant-numeric: tabular-nums; paint-order: stroke; stroke: var(--page);
  stroke-width: 3px;
}
svg text.value { font-weight: 600; }
svg text.value.bad { fill: var(--bad); }
svg text.value.good { fill: var(--good); }
svg text.tick { font-size: 11.5px; fill: var(--faint); }
svg text.mark-text { font-size: 11.5px; }
.grid { stroke: var(--grid); }
.track { fill: var(--text); fill-opacity: 0.05; }
.mark { stroke: var(--text); stroke-dasharray: 3 3; }
.s0 { fill: var(--c0); } .s1 { fill: var(--c1); } .s2 { fill: var(--c2); } .s3 { fill: var(--c3); } .s4 { fill: var(--c4); }
.neutral { fill: var(--neutral); } .missed { fill: var(--bad); }
svg.chart rect:not(.track) { stroke: var(--page); stroke-width: 0.75px; }
.line { fill: none; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
.line-0 { stroke: var(--c0); stroke-width: 6px; stroke-opacity: 0.6; }
.line-1 { stroke: var(--c1); stroke-width: 4px; }
.line-2 { stroke: var(--c2); stroke-width: 3px; stroke-dasharray: 10 5; }
.line-3 { stroke: var(--c3); stroke-width: 2.5px; stroke-dasharray: 3 4; }
.line-4 { stroke: var(--text); stroke-width: 1.5px; }
details { border-top: 1px solid var(--rule); padding: 0.6rem 0; }
details:last-of-type { border-bottom: 1px solid var(--rule); }
summary { cursor: pointer; font-weight: 600; }
details .scroll { margin-top: 0.75rem; }
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  .scroll { overflow: visible; border: 0; }
  table { font-size: 7pt; }
  th, td { padding: 0.2rem 0.3rem; }
  tr { break-inside: avoid; }
  details:not([open])::details-content { content-visibility: visible; block-size: auto; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
