/** The picture of a write: who does what, from the top down. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { OneWrite } from "../../../ts/sim/one-write.js";
import { type Bracket, DETAIL_LINE, type Face, type Layout, layoutOf, LINE, type Row } from "./layout.js";
import { LANES, spanTime } from "./words.js";
import { step, stopAt } from "./write.js";

/** Until the page has told how wide it is. */
const FIRST_WIDTH = 760;

/** The picture, as wide as there is room. Those who do not see it have the list. */
export function Sequence({ told }: { readonly told: OneWrite }): JSX.Element {
  const host = useRef<HTMLDivElement>(null);
  const width = useSignal(FIRST_WIDTH);
  useEffect(() => {
    if (host.current === null) return undefined;
    const observer = new ResizeObserver(
      ([entry]) => (width.value = Math.floor(entry?.contentRect.width ?? FIRST_WIDTH)),
    );
    observer.observe(host.current);
    return () => observer.disconnect();
  }, []);
  const layout = useMemo(() => layoutOf(told, width.value, ruler), [told, width.value]);
  return (
    <div class="sequence" ref={host}>
      <svg data-export="one-write" width={layout.width} height={layout.height} aria-hidden="true">
        <Grounds layout={layout} shown={step.value} />
        <Lanes layout={layout} />
        <Links rows={layout.rows} shown={step.value} />
        {layout.rows.map((row, number) => (
          <EventRow key={number} row={row} number={number} layout={layout} shown={step.value} />
        ))}
        {layout.brackets.map((bracket) => (
          <SpanBracket key={bracket.span.cost} bracket={bracket} isNarrow={layout.isNarrow} shown={step.value} />
        ))}
        <Token row={layout.rows[step.value]} />
      </svg>
    </div>
  );
}

const CLASSES: Readonly<Record<Face, readonly [parent: string, text: string]>> = {
  text: ["event", "what"],
  detail: ["event", "detail"],
  lane: ["lanes", ""],
};
const fonts = new Map<Face, string>();
const context = document.createElement("canvas").getContext("2d");

/** Measures with the fonts that the style sheet gives the picture. */
function ruler(text: string, face: Face): number {
  if (context === null) return 0;
  if (!fonts.has(face)) fonts.set(face, fontOf(face));
  context.font = fonts.get(face) ?? "";
  return context.measureText(text).width;
}

function fontOf(face: Face): string {
  const [parent, name] = CLASSES[face];
  const box = document.createElement("div");
  box.className = "sequence";
  box.innerHTML = `<svg><g class="${parent}"><text class="${name}"></text></g></svg>`;
  document.body.append(box);
  const text = box.querySelector("text");
  const font = text === null ? "" : getComputedStyle(text).font;
  box.remove();
  return font;
}

/** What is behind the rows; a click on one shows the events up to it. */
function Grounds({ layout, shown }: { readonly layout: Layout; readonly shown: number }): JSX.Element {
  return (
    <g>
      {layout.rows.map(({ top, height }, number) => (
        <rect
          key={number}
          class={number === shown ? "hit now" : "hit"}
          y={top - 4}
          width={layout.width}
          height={height}
          rx={4}
          onClick={() => stopAt(number)}
        />
      ))}
    </g>
  );
}

function Lanes({ layout }: { readonly layout: Layout }): JSX.Element {
  return (
    <g class="lanes">
      {LANES.map(({ actor, name }, index) => {
        const x = layout.laneX[index] ?? 0;
        return (
          <g key={actor} class={laneClass(actor)}>
            <line x1={x} x2={x} y1={layout.head - 6} y2={layout.height} />
            {layout.areNamesTurned ? (
              <text transform={`translate(${x + 3} ${layout.head - 8}) rotate(-38)`}>{name}</text>
            ) : (
              <text x={x} y={14} text-anchor="middle">
                {name}
              </text>
            )}
          </g>
        );
      })}
    </g>
  );
}

/** From each event to the next. */
function Links({ rows, shown }: { readonly rows: readonly Row[]; readonly shown: number }): JSX.Element {
  return (
    <g class="links">
      {rows.slice(1).map(({ dot }, index) => {
        const from = rows[index]?.dot ?? dot;
        const middle = dot.y - 9;
        const path =
          from.x === dot.x
            ? `M${from.x} ${from.y}V${dot.y}`
            : `M${from.x} ${from.y}V${middle - 6}Q${from.x} ${middle} ${from.x + Math.sign(dot.x - from.x) * 6} ${middle}H${dot.x - Math.sign(dot.x - from.x) * 6}Q${dot.x} ${middle} ${dot.x} ${dot.y}`;
        return <path key={index} class={index + 1 > shown ? "later" : ""} d={path} />;
      })}
    </g>
  );
}

interface EventRowProps {
  readonly row: Row;
  readonly number: number;
  readonly layout: Layout;
  readonly shown: number;
}

function EventRow({ row, number, layout, shown }: EventRowProps): JSX.Element {
  const { event, top, dot, text, details } = row;
  const classes = ["event", laneClass(event.actor), number > shown ? "later" : "", number === shown ? "now" : ""];
  const detailsTop = top + text.length * LINE;
  return (
    <g class={classes.join(" ")} onClick={() => stopAt(number)}>
      <circle cx={dot.x} cy={dot.y} r={event.exception === undefined ? 5 : 7} />
      {event.exception !== undefined && (
        <text class="bang" x={dot.x} y={dot.y + 4} text-anchor="middle">
          !
        </text>
      )}
      {text.map((line, index) => (
        <text key={index} class="what" x={layout.textX} y={top + 14 + index * LINE}>
          {line}
        </text>
      ))}
      {details.map((line, index) => (
        <text
          key={index}
          class="detail"
          x={layout.textX}
          y={detailsTop + 12 + index * DETAIL_LINE}
          xml:space="preserve"
        >
          {line.replaceAll("  ", "\u00a0\u00a0")}
        </text>
      ))}
    </g>
  );
}

function SpanBracket({
  bracket,
  isNarrow,
  shown,
}: {
  readonly bracket: Bracket;
  readonly isNarrow: boolean;
  readonly shown: number;
}): JSX.Element {
  const { span, x, top, bottom } = bracket;
  return (
    <g class={span.first > shown ? "span later" : "span"}>
      <path d={`M${x} ${top}h6V${bottom}h-6`} />
      {isNarrow ? (
        <text transform={`translate(${x + 11} ${(top + bottom) / 2}) rotate(90)`} text-anchor="middle">
          {spanTime(span)}
        </text>
      ) : (
        <text x={x + 12} y={(top + bottom) / 2 + 4}>
          {spanTime(span)}
        </text>
      )}
    </g>
  );
}

/** A ring that goes from event to event. */
function Token({ row }: { readonly row: Row | undefined }): JSX.Element | null {
  if (row === undefined) return null;
  const { x, y } = row.dot;
  return <circle class="token" r={10} style={{ transform: `translate(${x}px, ${y}px)` }} />;
}

function laneClass(actor: string): string {
  return `lane-${actor.replace(" ", "-")}`;
}
