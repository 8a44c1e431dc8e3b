import { effect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { PAGE_SIZE } from "../../../ts/base/pages.js";
import { theme } from "../app/theme.js";
import { MapView } from "../map/map-view.js";
import { change, state } from "../state/store.js";
import { revision, scene } from "./film.js";

export function FilmMap(): JSX.Element {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (host.current === null) return undefined;
    const opened = () => {
      const o = scene.value;
      if (o === null) throw new Error("x");
      return o;
    };
    const map = new MapView(host.current, {
      process: "main",
      theme: theme(),
      source: { tile: async (...p) => opened().tile(...p), entries: async (...r) => opened().entries(...r) },
      onPin: (pin) => change("map", { pin }),
      onMove: (p) => change("map", { page: p?.page ?? null, zoom: p?.zoom ?? null }),
    });
    map.canvas.setAttribute("role", "application");
    map.canvas.setAttribute("aria-label", "Map of the guest's memory");
    const stops = [
      effect(() => {
        map.setTheme(theme());
      }),
      effect(() => {
        map.setPin(state.map.value.pin);
      }),
      effect(() => {
        const { page, zoom } = state.map.value;
        if (page !== null && zoom !== null && map.position?.page !== page) map.setPosition({ page, zoom });
      }),
      effect(() => {
        if (scene.value)
          void scene.value.mappings("main").then((m) =>
            map.setMappings(
              m.map(({ start, end }) => ({
                name: "guest RAM",
                firstPage: start / PAGE_SIZE,
                endPage: end / PAGE_SIZE,
              })),
            ),
          );
      }),
      effect(() => {
        if (revision.value) map.invalidate();
      }),
    ];
    return () => {
      for (const stop of stops) stop();
      map.destroy();
    };
  }, []);
  return <div class="map-mount" ref={host} />;
}
