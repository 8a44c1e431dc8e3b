import { describe, expect, it } from "vitest";
import { decodeHash, encodeHash } from "../../playground/src/state/hash.js";
import { SEED_PART } from "../../playground/src/state/seed.js";
import { DEFAULT_STATE, readState, type State } from "../../playground/src/state/state.js";

const CHANGED: State = {
  ...DEFAULT_STATE,
  profile: "series-2023",
  seed: { ...SEED_PART.defaults, mode: "wp-unpopulated", bytes: 2 ** 36, thp: true, seed: 4_000_000_000 },
  map: { process: "main", page: 2 ** 32 + 5, zoom: 3.5, pin: 2 ** 32 + 7 },
};

describe("a link", () => {
  it("carries nothing for the page as it comes", async () => {
    expect(await encodeHash(DEFAULT_STATE)).toBe("");
    expect(await decodeHash("")).toBeNull();
    expect(await decodeHash("#view")).toBeNull();
  });

  it("carries what was changed, in few characters that need no escapes", async () => {
    const hash = await encodeHash(CHANGED);
    expect(hash).toMatch(/^#s=[\w-]+$/);
    expect(hash.length).toBeLessThan(250);
    expect(await decodeHash(hash)).toEqual(CHANGED);
  });

  it("says that it is damaged, whatever was done to it", async () => {
    const hash = await encodeHash(CHANGED);
    const damaged = ["#s=", "#s=!", "#s=abc", hash.slice(0, -8), `${hash.slice(0, 20)}A${hash.slice(21)}`];
    for (const link of damaged) await expect(decodeHash(link), link).rejects.toThrow(/damaged|expected/);
  });

  it("is not unpacked without end", async () => {
    const stream = new Blob([new Uint8Array(1 << 24)]).stream().pipeThrough(new CompressionStream("deflate-raw"));
    const packed = Buffer.from(await new Response(stream).arrayBuffer()).toString("base64url");
    await expect(decodeHash(`#s=${packed}`)).rejects.toThrow("more than");
  });
});

describe("a state", () => {
  it("is as without a link where it says nothing", () => {
    expect(readState({})).toEqual(DEFAULT_STATE);
    expect(readState({ seed: { thp: true } }).seed).toEqual({ ...SEED_PART.defaults, thp: true });
  });

  it("has whole huge pages", () => {
    expect(readState({ seed: { bytes: 2 ** 30 + 4096 } }).seed.bytes).toBe(2 ** 30);
  });

  it.each([
    [3, "link: expected an object, found 3"],
    [{ sed: {} }, "link.sed: expected one of view"],
    [{ view: "map" }, 'view: expected one of experiment, scenario, snapshot, write; found "map"'],
    [{ profile: "mine" }, "profile: expected one of nested-vm-6.18"],
    [{ seed: [] }, "seed: expected an object, found []"],
    [{ seed: { size: 1 } }, "seed.size: expected one of mode, bytes"],
    [{ seed: { bytes: "10G" } }, 'seed.bytes: expected an integer from 67108864 to 1099511627776, found "10G"'],
    [{ seed: { mode: "wp-async" } }, "seed.mode: expected one of wp, wp-pre-read"],
    [{ seed: { thp: 1 } }, "seed.thp: expected true or false, found 1"],
    [{ seed: { writes: -1 } }, "seed.writes: expected an integer from 0 to 65536, found -1"],
    [{ map: { process: 1 } }, "map.process: expected a text"],
    [{ map: { page: 2 ** 40 } }, "map.page: expected an integer from 0"],
    [{ map: { zoom: 99 } }, "map.zoom: expected a number from"],
  ])("%j is refused: %s", (value, message) => {
    expect(() => readState(value)).toThrow(message);
  });
});
