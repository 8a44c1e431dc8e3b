import { blocksOf, boundsOf, outlineOf, type Rect, type Segment } from "./geometry.js";

/** A mapping as the map shows it. */
export interface MapMapping {
  /** What it is called: "guest RAM", "stack". */
  readonly name: string;
  readonly firstPage: number;
  readonly endPage: number;
}

/** A mapping with its shape on the plane. */
export interface MappingShape {
  readonly mapping: MapMapping;
  readonly blocks: readonly Rect[];
  readonly outline: readonly Segment[];
  readonly bounds: Rect;
}

/** Works out the shapes of mappings; those without any page have none. */
export function shapesOf(mappings: readonly MapMapping[]): MappingShape[] {
  return mappings.flatMap((mapping) => {
    const blocks = blocksOf(mapping.firstPage, mapping.endPage);
    const bounds = boundsOf(blocks);
    return bounds === null ? [] : [{ mapping, blocks, bounds, outline: outlineOf(blocks) }];
  });
}

/**
 * Returns the mappings to be shown at first: those near that of a page, else near the largest. A stack at the other end of the address space would
 * make a speck of everything.
 */
export function mainShapes(shapes: readonly MappingShape[], page: number | null): MappingShape[] {
  const pages = ({ mapping }: MappingShape): number => mapping.endPage - mapping.firstPage;
  const area = (rect: Rect): number => rect.width * rect.height;
  const bySize = [...shapes].sort((a, b) => pages(b) - pages(a));
  const first = bySize.find(({ mapping }) => isWithin(mapping, page)) ?? bySize[0];
  if (first === undefined) return [];
  const main = [first];
  for (const shape of bySize.filter((one) => one !== first)) {
    const around = boundsOf([...main, shape].map(({ bounds }) => bounds));
    if (around !== null && area(around) <= area(first.bounds) * ROOM_FOR_OTHERS) main.push(shape);
  }
  return main;
}

function isWithin({ firstPage, endPage }: MapMapping, page: number | null): boolean {
  return page !== null && page >= firstPage && page < endPage;
}

/** How many times as large as the first mapping the picture may get. */
const ROOM_FOR_OTHERS = 12;

/** Returns the mapping of a page. */
export function mappingAt(mappings: readonly MapMapping[], page: number): MapMapping | null {
  return mappings.find((mapping) => isWithin(mapping, page)) ?? null;
}
