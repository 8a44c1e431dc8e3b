import type { JSX } from "preact";
import { type BitField, decodeEntry, decodePagemap } from "../../../ts/mm/entry-bits.js";
import type { WalkStep } from "../../../ts/engine/page-walk.js";
import type { VmFlag } from "../../../ts/mm/vm-flags.js";
import type { TableLevel } from "./geometry.js";
import { addressText, pagesText } from "./map-facts.js";
import type { MapMapping } from "./mappings.js";
import type { EntryEvent } from "./entry-event.js";
import { ENTRY_STATES, stateColour, textOn, type Theme } from "./palette.js";

/** All that is known of one page. */
export interface ExplainedEntry {
  readonly page: number;
  /** STATE_ number. */
  readonly state: number;
  /** From the PGD to the entry that ends the way. */
  readonly walk: readonly WalkStep[];
  /** The word of /proc/PID/pagemap. */
  readonly pagemap: bigint;
  /** Null: nothing is mapped there. */
  readonly mapping: (MapMapping & { readonly flags: readonly VmFlag[] }) | null;
  /** What made the entry what it is, oldest first; null while that is being found out. */
  readonly history: readonly EntryEvent[] | null;
}

export interface EntryPanelProps {
  readonly entry: ExplainedEntry;
  readonly theme: Theme;
  /** The moment that is shown now, to be marked in the history; null: none. */
  readonly moment: number | null;
  readonly onGoTo: (moment: number) => void;
  /** Goes to a table, or to the page, on the map. */
  readonly onShow: (target: TableLevel | "page", page: number) => void;
  readonly onClose: () => void;
}

/** What one page's entry is, bit by bit, and why. */
export function EntryPanel(props: EntryPanelProps): JSX.Element {
  const { page, state, walk, pagemap, mapping, history } = props.entry;
  const last = walk.at(-1);
  const decoded = last === undefined ? null : decodeEntry(last.entry, last.level);
  return (
    <aside class="entry" aria-label={`Entry of page ${addressText(page)}`}>
      <header>
        <h2>
          <code>{addressText(page)}</code>
        </h2>
        <StateBadge state={state} theme={props.theme} />
        <button type="button" class="entry-close" aria-label="Unpin the page" onClick={props.onClose}>
          ×
        </button>
      </header>
      {decoded !== null && <p class="entry-summary">{decoded.summary}</p>}
      <Why history={history} moment={props.moment} onGoTo={props.onGoTo} />
      <Walk page={page} walk={walk} onShow={props.onShow} />
      {last !== undefined && decoded !== null && (
        <Bits title={`${last.level.toUpperCase()} entry`} word={last.entry} fields={decoded.fields} />
      )}
      <Bits title="/proc/PID/pagemap" word={pagemap} fields={decodePagemap(pagemap)} />
      <Mapping mapping={mapping} />
    </aside>
  );
}

function StateBadge({ state, theme }: { readonly state: number; readonly theme: Theme }): JSX.Element {
  return (
    <span class="entry-state" style={{ background: stateColour(state, theme), color: textOn(state, theme) }}>
      {ENTRY_STATES[state]?.name}
    </span>
  );
}

/** What an entry of a level leads to on the map. */
const BELOW = { pgd: "pud", pud: "pmd", pmd: "pte", pte: "page" } as const;

function Walk({
  page,
  walk,
  onShow,
}: Pick<EntryPanelProps, "onShow"> & Pick<ExplainedEntry, "page" | "walk">): JSX.Element {
  return (
    <section>
      <h3>Walk</h3>
      <table class="entry-walk">
        <thead>
          <tr>
            <th scope="col">Entry</th>
            <th scope="col">Table at</th>
            <th scope="col">Value</th>
          </tr>
        </thead>
        <tbody>
          {walk.map(({ level, table, isShared, index, entry }) => (
            <tr key={level}>
              <th scope="row">
                <button type="button" title="Show on the map" onClick={() => onShow(BELOW[level], page)}>
                  {level.toUpperCase()}[{index}]
                </button>
              </th>
              <td>
                <code>0x{table.toString(16)}</code>{" "}
                {isShared ? <em title="All tables like it are this one">shared</em> : "real"}
              </td>
              <td>
                <code>{hex64(entry)}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Bits({
  title,
  word,
  fields,
}: {
  readonly title: string;
  readonly word: bigint;
  readonly fields: readonly BitField[];
}): JSX.Element {
  const set = fields.filter(({ value }) => value !== 0n);
  return (
    <section>
      <h3>
        {title} <code>{hex64(word)}</code>
      </h3>
      <BitGrid word={word} fields={fields} />
      {set.length === 0 ? (
        <p class="entry-quiet">No bit is set.</p>
      ) : (
        <table class="entry-fields">
          <tbody>
            {set.map((field) => (
              <tr key={field.high}>
                <th scope="row">{placeText(field)}</th>
                <td>
                  <code>{field.name}</code>
                  {field.meaning !== "" && <small>{field.meaning}</small>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

/** Four rows of 16 bits; bits that belong together have a line under them. For the eye: the table beside it says the same. */
function BitGrid({ word, fields }: { readonly word: bigint; readonly fields: readonly BitField[] }): JSX.Element {
  const cells = Array.from({ length: 64 }, (_, i) => {
    const bit = 63 - i;
    const field = fields.find(({ high, low }) => bit <= high && bit >= low);
    const isSet = ((word >> BigInt(bit)) & 1n) === 1n;
    const classes = [isSet ? "is-set" : "", field?.high === bit ? "is-first" : "", field?.low === bit ? "is-last" : ""];
    return (
      <i key={bit} class={classes.join(" ")} title={`bit ${bit}: ${field?.name ?? ""}`}>
        {bit}
      </i>
    );
  });
  return (
    <div class="entry-bits" aria-hidden="true">
      {cells}
    </div>
  );
}

function Why({
  history,
  moment,
  onGoTo,
}: Pick<EntryPanelProps, "moment" | "onGoTo"> & Pick<ExplainedEntry, "history">): JSX.Element {
  return (
    <section>
      <h3>Why</h3>
      {history === null && <p class="entry-quiet">Looking back…</p>}
      {history?.length === 0 && <p class="entry-quiet">Nothing has changed this entry.</p>}
      {history !== null && history.length > 0 && (
        <ol class="entry-history">
          {history.map((event, i) => (
            <li key={i}>
              <button
                type="button"
                aria-current={event.moment === moment ? "step" : undefined}
                onClick={() => onGoTo(event.moment)}
              >
                <b>{event.what}</b>
                {event.cause !== undefined && <small>{event.cause}</small>}
                <code>
                  {withPrefix(event.before)} → {withPrefix(event.after)}
                </code>
              </button>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

function Mapping({ mapping }: Pick<ExplainedEntry, "mapping">): JSX.Element {
  if (mapping === null) return <p class="entry-quiet">Nothing is mapped at this address.</p>;
  return (
    <section>
      <h3>Mapping</h3>
      <p>
        {mapping.name}, {pagesText(mapping.endPage - mapping.firstPage)} from{" "}
        <code>{addressText(mapping.firstPage)}</code>
      </p>
      <p>
        VmFlags:{" "}
        {mapping.flags.map(({ name, constant }) => (
          <abbr key={name} title={constant}>
            {name}{" "}
          </abbr>
        ))}
      </p>
    </section>
  );
}

function placeText({ high, low }: BitField): string {
  return high === low ? `${high}` : `${high}–${low}`;
}

function hex64(word: bigint): string {
  return `0x${word.toString(16).padStart(16, "0")}`;
}

function withPrefix(digits: string): string {
  return digits.startsWith("0x") ? digits : `0x${digits}`;
}
