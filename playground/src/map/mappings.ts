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

/** Returns the mapping of a page. */
export function mappingAt(mappings: readonly MapMapping[], page: number): MapMapping | null {
  return mappings.find(({ firstPage, endPage }) => page >= firstPage && page < endPage) ?? null;
}
