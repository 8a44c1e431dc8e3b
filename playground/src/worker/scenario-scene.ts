/** A scenario in the worker: its memory after any step, and what each step did. */
import type { Engine } from "../../../ts/engine/engine.js";
import { PAGE_SIZE } from "../../../ts/base/pages.js";
import { AddressSpace } from "../../../ts/mm/address-space.js";
import { stepEvents } from "../../../ts/report/step-events.js";
import type { Scenario, Transcript } from "../../../ts/scenario/document.js";
import type { TextPlaces } from "../../../ts/scenario/text-places.js";
import { Timeline } from "../../../ts/scenario/timeline.js";
import type { EntryEvent } from "../map/entry-event.js";
import { hex64 } from "./inspect.js";
import type { OpenedScene } from "./protocol.js";
import { type Outline, outlineOf } from "./scenario-outline.js";
import { faultOf, readText, type TextFault } from "./scenario-text.js";
import type { Scene } from "./scene.js";
import { inSlices } from "./slices.js";

/** A moment between two steps. */
export interface ScenarioMoment {
  /** Steps that have been carried out. */
  readonly position: number;
  /** The processes that live, "main" first. */
  readonly processes: readonly string[];
}

/** What came of a text: a scenario with what its steps did, or what is wrong with it. */
export type LoadedScenario = { readonly outline: Outline } | { readonly fault: TextFault };

/** What the view can have the scene do. */
export interface ScenarioControl {
  /**
   * Reads a scenario (JSON or YAML), carries it out to its end and stands before its first step; `report` is told of one that takes long how far it
   * is. A text that is wrong changes nothing, nor does one that was given up, by `cancel` or for another: then it returns null.
   * @throws OutOfMemoryError
   */
  load(text: string, report: (done: number, all: number) => void): Promise<LoadedScenario | null>;
  /** Gives up what is being loaded. */
  cancel(): void;
  /**
   * Goes to where so many steps have been carried out; of more than there are, to the end. Returns null where a call before was on the way
   * somewhere else: that one goes here, and returns.
   */
  goTo(position: number): Promise<ScenarioMoment | null>;
  /** What the steps so far gave. */
  transcript(): Transcript;
  /** The steps so far in Chrome's trace event format, as JSON. */
  traceEvents(): string;
}

const NOTHING: Scenario = { scenario: 1, steps: [] };
/** Going back is made quick when nothing was asked for so long. */
const IDLE_MS = 100;
const REPORT_MS = 100;

/** Opens the scene; there are no steps yet. */
export async function openScenario(engineMaker: () => Promise<() => Engine>): Promise<OpenedScene<"scenario">> {
  const scene = new ScenarioScene(await engineMaker());
  return {
    scene,
    control: {
      load: (text, report) => scene.load(text, report),
      cancel: () => scene.cancel(),
      goTo: (position) => scene.goTo(position),
      transcript: () => scene.transcript(),
      traceEvents: () => scene.traceEvents(),
    },
  };
}

class ScenarioScene implements Scene {
  readonly #makeEngine: () => Engine;
  /** The memory of processes that are not there yet, or not any more. */
  readonly #nobody: AddressSpace;
  /** Processes of all scenarios so far: who asks for one may not know yet that it is gone. */
  readonly #names = new Set<string>(["main"]);
  #timeline: Timeline;
  #document = NOTHING;
  #idle: ReturnType<typeof setTimeout> | undefined;
  /** Number of the text that was to be loaded last. */
  #loading = 0;
  /** Where to go, how often that was asked for, and whether somebody is on the way. */
  #target = 0;
  #asked = 0;
  #isMoving = false;
  #isDisposed = false;

  constructor(makeEngine: () => Engine) {
    this.#makeEngine = makeEngine;
    this.#nobody = new AddressSpace(makeEngine());
    this.#timeline = new Timeline(NOTHING, makeEngine);
  }

  get processes(): ReadonlyMap<string, AddressSpace> {
    const nobody = [...this.#names].map((name) => [name, this.#nobody] as const);
    return new Map([...nobody, ...this.#living()]);
  }

  mappingName(_process: string, firstPage: number): string | undefined {
    return this.#timeline.mappings.findLast(({ start }) => start === firstPage * PAGE_SIZE)?.name;
  }

  async load(text: string, report: (done: number, all: number) => void): Promise<LoadedScenario | null> {
    const number = ++this.#loading;
    const isWanted = (): boolean => number === this.#loading;
    let places: TextPlaces | null = null;
    try {
      const read = await readText(text);
      places = read.places;
      const timeline = new Timeline(read.document, this.#makeEngine);
      const isDone = (await inSlices(reported(timeline, report), isWanted)) !== null && isWanted();
      if (isDone) return { outline: this.#replace(timeline, read.document as Scenario, places) };
      timeline.dispose();
      return null;
    } catch (error) {
      const fault = faultOf(error, text, places);
      if (fault === null) throw error;
      return { fault };
    }
  }

  cancel(): void {
    this.#loading++;
  }

  async goTo(position: number): Promise<ScenarioMoment | null> {
    this.#target = position;
    this.#asked++;
    clearTimeout(this.#idle);
    if (this.#isMoving) return null;
    this.#isMoving = true;
    try {
      while (!(await this.#move()));
    } finally {
      this.#isMoving = false;
    }
    if (this.#isDisposed) return null;
    this.#idle = setTimeout(() => void this.#prepare(), IDLE_MS);
    return { position: this.#timeline.position, processes: this.#living().map(([name]) => name) };
  }

  transcript(): Transcript {
    return this.#timeline.transcript;
  }

  traceEvents(): string {
    return JSON.stringify(stepEvents(this.#document, this.#timeline.reports));
  }

  async history(process: string, page: number): Promise<EntryEvent[]> {
    const telling = this.#timeline.tellingHistory(process, page);
    const changes = (await inSlices(telling, () => !this.#isDisposed)) ?? [];
    return changes.map(({ step, what, cause, before, after }) => ({
      moment: step,
      what,
      cause,
      before: hex64(before.entry),
      after: hex64(after.entry),
    }));
  }

  dispose(): void {
    this.cancel();
    this.#isDisposed = true;
    clearTimeout(this.#idle);
    this.#timeline.dispose();
  }

  /** Goes to the target. Returns whether that is where it went: meanwhile there may be another one, or another scenario. */
  async #move(): Promise<boolean> {
    const [timeline, target] = [this.#timeline, this.#target];
    const isWanted = (): boolean => timeline === this.#timeline && target === this.#target && !this.#isDisposed;
    await inSlices(timeline.going(Math.min(target, timeline.length)), isWanted);
    return isWanted() || this.#isDisposed;
  }

  /** Makes going back quick, as long as nobody wants anything else. */
  async #prepare(): Promise<void> {
    const [timeline, asked] = [this.#timeline, this.#asked];
    const isWanted = (): boolean => timeline === this.#timeline && asked === this.#asked && !this.#isDisposed;
    await inSlices(timeline.preparing(), isWanted);
  }

  #living(): [name: string, space: AddressSpace][] {
    return [...this.#timeline.spaces].filter(([, space]) => !space.isDisposed);
  }

  /** Puts a scenario that has been carried out in the place of the one before. */
  #replace(timeline: Timeline, document: Scenario, places: TextPlaces): Outline {
    const { reports, transcript, mappings } = timeline;
    const processes = [...timeline.spaces.keys()];
    for (const name of processes) this.#names.add(name);
    const outline = outlineOf({ document, reports, transcript, mappings, processes, places });
    timeline.goTo(0);
    clearTimeout(this.#idle);
    this.#timeline.dispose();
    this.#timeline = timeline;
    this.#document = document;
    return outline;
  }
}

/** Goes to the end and reports now and then. */
function* reported(timeline: Timeline, report: (done: number, all: number) => void): Generator<void, void, undefined> {
  let told = performance.now();
  const going = timeline.going(timeline.length);
  while (going.next().done !== true) {
    if (performance.now() - told >= REPORT_MS) {
      report(timeline.position, timeline.length);
      told = performance.now();
    }
    yield;
  }
}
