import { describe, expect, it } from "vitest";
import { SEED_MODES, SEED_PART, type SeedState } from "../../playground/src/state/seed.js";
import { leafOf } from "../../playground/src/worker/inspect.js";
import { openSeed } from "../../playground/src/worker/seed-scene.js";
import { SeedRun } from "../../playground/src/worker/seed-run.js";
import { createEngine, type Engine } from "../../ts/node.js";
import { engineUrl } from "../support/engine-url.js";

const newEngine = (): Promise<Engine> => createEngine({}, engineUrl);
const SMALL: SeedState = { ...SEED_PART.defaults, bytes: 2 ** 27 };

/** The first page that the guest writes. */
async function firstWritten(params: SeedState): Promise<number> {
  return new SeedRun(await newEngine(), params).writes[0] ?? NaN;
}

describe("the scene of the first view", () => {
  it.each(SEED_MODES.flatMap((mode) => [false, true].map((thp) => ({ mode, thp }))))(
    "tells for $mode, huge pages $thp, how an entry came to be what it is",
    async ({ mode, thp }) => {
      const params = { ...SMALL, mode, thp };
      const { scene, control } = await openSeed(params, newEngine);
      await control.run(0, () => undefined);
      const space = scene.processes.get("main");
      if (space === undefined) throw new Error("no process");
      const page = await firstWritten(params);
      for (const one of [page, page ^ 1]) {
        const events = await scene.history("main", one);
        expect(events.at(-1)?.after ?? `0x${"0".repeat(16)}`).toBe(leafOf(space, one));
        events.slice(1).forEach((event, i) => expect(event.before).toBe(events[i]?.after));
        expect(events.map(({ moment }) => moment)).toEqual(events.map(({ moment }) => moment).sort((a, b) => a - b));
      }
      scene.dispose();
    },
  );

  it("says which exceptions and messages a write to a marker takes", async () => {
    const params = { ...SMALL, mode: "wp-unpopulated" } as const;
    const { scene } = await openSeed(params, newEngine);
    const events = await scene.history("main", await firstWritten(params));
    expect(events.map(({ moment, what, cause }) => ({ moment, what, cause }))).toEqual([
      { moment: 2, what: "UFFDIO_WRITEPROTECT of the whole range", cause: undefined },
      { moment: 3, what: "write faults; the thread waits", cause: "exception 0x6, then 0x7" },
      { moment: 3, what: "handler removes the protection; the write is done", cause: "message wp" },
    ]);
    expect(events[0]?.after).toBe("0xfffffffffffffc00");
  });

  it("reports how far it is, and ends when it is disposed of", async () => {
    const { scene, control } = await openSeed({ ...SMALL, mode: "wp-pre-read" }, newEngine);
    const phases: string[] = [];
    const running = control.run(50, ({ phase, done }) => {
      phases.push(phase);
      if (phase === "arm" && done >= 0.5) scene.dispose();
    });
    expect(await running).toBeNull();
    expect(new Set(phases)).toEqual(new Set(["prefault", "arm"]));
  });
});
