/** Tables of the HTML report: what they are about is a caption, and every cell has heads of its row and its column. */
import type { Comparison } from "../sim/comparison.js";
import type { ColumnGroup } from "./columns.js";
import { type Markup, markup } from "./markup.js";

/** A table whose rows have names. */
export interface HtmlTable<Row> {
  readonly caption: string;
  readonly lead: string;
  readonly name: (row: Row) => string;
  readonly groups: readonly ColumnGroup<Row>[];
  readonly rows: readonly Row[];
}

/** Writes a table of grouped columns; one that is too wide scrolls, with the names of its rows held in place. */
export function groupedTable<Row>(table: HtmlTable<Row>, comparison: Comparison): Markup {
  const { caption, lead, groups } = table;
  const titles = groups.map(
    ({ title, columns }) => markup`<th class="first" scope="colgroup" colspan="${columns.length}">${title}</th>`,
  );
  const heads = groups.map(({ columns }) =>
    columns.map(
      ({ head, emphasis }, i) =>
        markup`<th class="${classes(i, emphasis === true ? "emphasis" : "")}" scope="col">${head}</th>`,
    ),
  );
  const head = markup`<tr><th class="lead" scope="col" rowspan="2">${lead}</th>${titles}</tr><tr>${heads.flat()}</tr>`;
  const colgroups = groups.map(({ columns }) => markup`<colgroup span="${columns.length}"></colgroup>`);
  return scrollable(
    caption,
    markup`<table><caption><span>${caption}</span></caption><colgroup></colgroup>${colgroups}
<thead>${head}</thead>
<tbody>${table.rows.map((row) => rowOf(table, row, comparison))}</tbody></table>`,
  );
}

/** Puts a table where it can be scrolled, by keyboard too. */
export function scrollable(name: string, table: Markup): Markup {
  return markup`<div class="scroll" role="region" tabindex="0" aria-label="${name}">${table}</div>
`;
}

function rowOf<Row>({ groups, name }: HtmlTable<Row>, row: Row, comparison: Comparison): Markup {
  const cells = groups.flatMap(({ columns }) =>
    columns.map(({ cell }, i) => {
      const { text, tone } = cell(row, comparison);
      const quiet = tone === "plain" && (text === "0" || text === "–");
      return markup`<td class="${classes(i, quiet ? "quiet" : tone)}">${text}</td>`;
    }),
  );
  return markup`<tr><th scope="row">${name(row)}</th>${cells}</tr>
`;
}

function classes(indexInGroup: number, name: string): string {
  return [indexInGroup === 0 ? "first" : "", name === "plain" ? "" : name].filter((one) => one !== "").join(" ");
}
