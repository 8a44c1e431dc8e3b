/** A scenario in the worker: its memory after any step, and what each step did. */
import type { Engine } from "../../../ts/engine/engine.js";
import { PAGE_SIZE } from "../../../ts/base/pages.js";
import { AddressSpace } from "../../../ts/mm/address-space.js";
import type { Scenario, Transcript } from "../../../ts/scenario/document.js";
import type { TextPlaces } from "../../../ts/scenario/text-places.js";
import { Timeline } from "../../../ts/scenario/timeline.js";
import type { EntryEvent } from "../map/entry-event.js";
import { hex64 } from "./inspect.js";
import type { OpenedScene } from "./protocol.js";
import { type Outline, outlineOf } from "./scenario-outline.js";
import { faultOf, readText, type TextFault } from "./scenario-text.js";
import type { Scene } from "./scene.js";

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
   * Reads a scenario (JSON or YAML), carries it out to its end and stands before its first step. A text that is wrong changes nothing.
   * @throws OutOfMemoryError
   */
  load(text: string): Promise<LoadedScenario>;
  /** Goes to where so many steps have been carried out; of more than there are, to the end. */
  goTo(position: number): ScenarioMoment;
  /** What the steps so far gave. */
  transcript(): Transcript;
}

const NOTHING: Scenario = { scenario: 1, steps: [] };
/** Going back is made quick when nothing was asked for so long. */
const IDLE_MS = 100;

/** Opens the scene; there are no steps yet. */
export async function openScenario(engineMaker: () => Promise<() => Engine>): Promise<OpenedScene<"scenario">> {
  const scene = new ScenarioScene(await engineMaker());
  return {
    scene,
    control: {
      load: (text) => scene.load(text),
      goTo: (position) => scene.goTo(position),
      transcript: () => scene.transcript(),
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
  #idle: ReturnType<typeof setTimeout> | undefined;

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

  async load(text: string): Promise<LoadedScenario> {
    let places: TextPlaces | null = null;
    try {
      const read = await readText(text);
      places = read.places;
      return { outline: this.#replace(new Timeline(read.document, this.#makeEngine), read.document, places) };
    } catch (error) {
      const fault = faultOf(error, text, places);
      if (fault === null) throw error;
      return { fault };
    }
  }

  goTo(position: number): ScenarioMoment {
    const timeline = this.#timeline;
    timeline.goTo(Math.min(position, timeline.length));
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => timeline.prepare(), IDLE_MS);
    return { position: timeline.position, processes: this.#living().map(([name]) => name) };
  }

  transcript(): Transcript {
    return this.#timeline.transcript;
  }

  history(process: string, page: number): EntryEvent[] {
    return this.#timeline.history(process, page).map(({ step, what, cause, before, after }) => ({
      moment: step,
      what,
      cause,
      before: hex64(before.entry),
      after: hex64(after.entry),
    }));
  }

  dispose(): void {
    clearTimeout(this.#idle);
    this.#timeline.dispose();
  }

  #living(): [name: string, space: AddressSpace][] {
    return [...this.#timeline.spaces].filter(([, space]) => !space.isDisposed);
  }

  /** Carries a new scenario out and puts it in the place of the one before. */
  #replace(timeline: Timeline, document: unknown, places: TextPlaces): Outline {
    timeline.goTo(timeline.length);
    const { reports, transcript, mappings } = timeline;
    const processes = [...timeline.spaces.keys()];
    for (const name of processes) this.#names.add(name);
    const outline = outlineOf({ document: document as Scenario, reports, transcript, mappings, processes, places });
    timeline.goTo(0);
    this.dispose();
    this.#timeline = timeline;
    return outline;
  }
}
