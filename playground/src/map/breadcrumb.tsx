import type { JSX } from "preact";
import { indexesOf, type TableLevel } from "./geometry.js";
import { addressText } from "./map-facts.js";

export interface BreadcrumbProps {
  /** The page that the way leads to; null: none is pinned or hovered. */
  readonly page: number | null;
  /** Goes to all mappings, to the table of a level that is for the page, or to the page. */
  readonly onShow: (target: "all" | TableLevel | "page", page: number) => void;
}

/** What each index leads to. */
const TARGETS = [
  ["PGD", "pud"],
  ["PUD", "pmd"],
  ["PMD", "pte"],
  ["PTE", "page"],
] as const;

/** The way from the PGD to a page, each step of which goes there. */
export function Breadcrumb({ page, onShow }: BreadcrumbProps): JSX.Element {
  const indexes = page === null ? null : indexesOf(page);
  return (
    <nav class="map-breadcrumb" aria-label="Way through the page tables">
      <ol>
        <li>
          <button type="button" title="Show the mappings" onClick={() => onShow("all", page ?? 0)}>
            CR3
          </button>
        </li>
        {TARGETS.map(([name, target], i) => (
          <li key={name}>
            {page === null || indexes === null ? (
              <span>{name}</span>
            ) : (
              <button
                type="button"
                title={`Show what ${name}[${indexes[i]}] leads to`}
                onClick={() => onShow(target, page)}
              >
                {name}[{indexes[i]}]
              </button>
            )}
          </li>
        ))}
        {page !== null && (
          <li>
            <code>{addressText(page)}</code>
          </li>
        )}
      </ol>
    </nav>
  );
}
