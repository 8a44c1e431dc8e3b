import type { CellFacts } from "./cell-facts.js";
import { TABLE_LEVELS } from "./geometry.js";
import type { MapMapping } from "./mappings.js";
import { ENTRY_STATES } from "./palette.js";

/** A mapping with its pages counted by the engine, by STATE_ number. */
export interface CountedMapping extends MapMapping {
  readonly pages: ArrayLike<number>;
}

const PAGE_SIZE = 4096;

/** Writes the address of a page. */
export function addressText(page: number): string {
  return `0x${(page * PAGE_SIZE).toString(16)}`;
}

/** Writes how many pages there are. */
export function pagesText(pages: number): string {
  return `${pages.toLocaleString("en")} ${pages === 1 ? "page" : "pages"}`;
}

/** Says in one line what is under the pointer or the cursor. */
export function cellText(facts: CellFacts): string {
  const usual = stateName(facts.usual);
  const states =
    facts.usual === facts.notable ? usual : `${usual}, ${shareText(facts.share)} ${stateName(facts.notable)}`;
  const size = facts.pages === 1 ? "" : ` and ${(facts.pages - 1).toLocaleString("en")} more`;
  const where = facts.mapping === null ? "not mapped" : facts.mapping.name;
  return `${addressText(facts.page)}${size}: ${states} · ${where} · ${tablesText(facts)}`;
}

/** Says what an address space holds, mapping by mapping, for those who do not see the map. */
export function summaryText(mappings: readonly CountedMapping[]): string {
  if (mappings.length === 0) return "Nothing is mapped.";
  return mappings.map(mappingText).join(" ");
}

/** Says what a mapping holds. */
export function mappingText(mapping: CountedMapping): string {
  const states = ENTRY_STATES.map(({ name }, state) => ({ name, pages: mapping.pages[state] ?? 0 }))
    .filter(({ pages }) => pages > 0)
    .sort((a, b) => b.pages - a.pages)
    .map(({ name, pages }) => `${pages.toLocaleString("en")} ${name}`);
  return `${mapping.name}, ${pagesText(mapping.endPage - mapping.firstPage)}: ${states.join(", ")}.`;
}

function stateName(state: number): string {
  return ENTRY_STATES[state]?.name ?? "unknown";
}

function shareText(share: number): string {
  if (share < 0.01) return "under 1 %";
  return `${Math.round(share * 100)} %`;
}

/** The tables on the way to the page, from the top to the first that is not there. */
function tablesText({ tables }: CellFacts): string {
  const parts: string[] = [];
  for (const level of TABLE_LEVELS) {
    const kind = tables[level];
    if (kind === "huge") parts.push("huge page");
    else parts.push(`${kind === "missing" ? "no" : kind} ${level.toUpperCase()} table`);
    if (kind === "missing") break;
  }
  return parts.join(", ");
}
