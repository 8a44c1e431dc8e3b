import { beforeAll, describe, expect, it } from "vitest";
import {
  COST_PROFILES,
  createEngine,
  defaultCostProfile,
  describeEntry,
  type Engine,
  oneWrite,
  type OneWrite,
  WRITE_PAGES,
  WRITE_TRACKERS,
  type WriteChoice,
} from "../../ts/node.js";
import { engineUrl } from "../support/engine-url.js";

let engine: Engine;

beforeAll(async () => {
  engine = await createEngine({}, engineUrl);
});

const CHOICES: WriteChoice[] = WRITE_TRACKERS.flatMap((tracker) =>
  WRITE_PAGES.flatMap((page) => [false, true].map((armed) => ({ tracker, page, armed }))),
);

function write(tracker: WriteChoice["tracker"], page: WriteChoice["page"], armed = true): OneWrite {
  return oneWrite(engine, { tracker, page, armed }, defaultCostProfile());
}

/** Exceptions, entries and answers of a write, in their order. */
function story({ events }: OneWrite): string[] {
  return events.flatMap(({ actor, exception, change, message }) => {
    if (exception !== undefined) return [`0x${exception.toString(16)}`];
    if (change !== undefined) return [describeEntry(change.after)];
    return message !== undefined || actor === "handler" ? [actor] : [];
  });
}

describe("one write", () => {
  it.each(CHOICES)("of $tracker to $page, armed $armed, hangs together", (choice) => {
    const { events, spans, totalNs, minflt, reported } = oneWrite(engine, choice, defaultCostProfile());
    expect(events[0]).toMatchObject({ actor: "thread" });
    const changes = events.flatMap(({ change }) => (change === undefined ? [] : [change]));
    changes.slice(1).forEach(({ before }, i) => {
      expect(before).toEqual(changes[i]?.after);
    });
    expect(events.filter(({ exception }) => exception !== undefined)).toHaveLength(minflt);
    for (const { first, last } of spans) expect(first <= last && last < events.length).toBe(true);
    expect(totalNs).toBe(spans.reduce((sum, { ns }) => sum + (ns ?? NaN), 0));
    expect(events.some(({ message }) => message !== undefined)).toBe(reported === "by a message");
    expect(oneWrite(engine, choice, defaultCostProfile())).toEqual(oneWrite(engine, choice, defaultCostProfile()));
  });

  it("to a marker takes two exceptions and a message", () => {
    const found = write("sync-unpopulated", "none");
    expect(story(found)).toEqual([
      "0x6",
      "page, dirty, read-only, uffd-wp",
      "0x7",
      "queue",
      "handler",
      "handler",
      "page, dirty, writable",
    ]);
    expect(found.spans.map(({ cost }) => cost)).toEqual(["writeFault", "wpSyncFault"]);
    const { message } = found.events.find((event) => event.message !== undefined) ?? {};
    expect([...(message ?? [])].slice(0, 24)).toEqual([
      ...[0x12, 0, 0, 0, 0, 0, 0, 0],
      ...[3, 0, 0, 0, 0, 0, 0, 0],
      ...[0, 0, 0, 0, 0, 0x10, 0, 0],
    ]);
  });

  it("to a marker takes two exceptions with async, and nobody answers", () => {
    const found = write("async", "none");
    expect(story(found)).toEqual(["0x6", "page, dirty, read-only, uffd-wp", "0x7", "page, dirty, writable"]);
    expect(found).toMatchObject({ reported: "by a scan", minflt: 2 });
  });

  it("to what did not exist is reported to nobody without WP_UNPOPULATED", () => {
    expect(write("sync", "none")).toMatchObject({ reported: "to nobody", minflt: 1 });
    expect(write("none", "page", false)).toMatchObject({ reported: "to nobody", minflt: 0, totalNs: 0 });
  });

  it("to the protected zero page copies it after the answer", () => {
    expect(story(write("sync", "zero-page"))).toEqual([
      "0x7",
      "queue",
      "handler",
      "handler",
      "zero page, read-only",
      "page, dirty, writable",
    ]);
  });

  it("to a protected huge page splits it", () => {
    for (const tracker of ["sync", "async"] as const) {
      const [change] = write(tracker, "huge-page").events.flatMap((event) => event.change ?? []);
      expect([change?.before.level, change?.after.level]).toEqual(["pmd", "pte"]);
    }
  });

  it("has no time where the profile has no figure", () => {
    const [, armingOnly = defaultCostProfile()] = COST_PROFILES;
    const { spans, totalNs } = oneWrite(engine, { tracker: "sync", page: "page", armed: true }, armingOnly);
    expect(spans).toMatchObject([{ cost: "wpSyncFault", ns: null }]);
    expect(totalNs).toBeNull();
  });
});
