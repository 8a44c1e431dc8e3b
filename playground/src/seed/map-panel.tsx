import type { JSX } from "preact";

/** Where the map is. */
export function MapPanel(): JSX.Element {
  return <div class="map-mount" />;
}
