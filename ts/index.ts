/** The library without an environment; `node.ts` and `browser.ts` add how the engine is loaded. */
export { KernelError, OutOfMemoryError, type ErrnoName } from "./base/errors.js";
export { type Address, ADDRESS_LIMIT, PAGE_SIZE } from "./base/pages.js";
export { Random } from "./base/random.js";
export { type Counters, subtractCounters, tableBytes } from "./engine/counters.js";
export { AccessBuffer } from "./engine/access-buffer.js";
export { Engine, type EngineOptions, type ReplayOptions, type ReplayResult, type Space } from "./engine/engine.js";
export {
  describeEntry,
  entryKind,
  type EntryKind,
  type ExceptionCode,
  isUffdWp,
  type Level,
  type PageEntry,
} from "./engine/entry.js";
export { entryOf, walkPage, type WalkStep } from "./engine/page-walk.js";
export { engineFromModule } from "./engine/load.js";
export { replayFault, type ReplayFault, type ReplayFaults } from "./engine/replay-faults.js";
export {
  AddressSpace,
  type AddressSpaceOptions,
  type Advice,
  type MemoryStatus,
  type MremapOptions,
} from "./mm/address-space.js";
export { EndlessCallError } from "./mm/advice.js";
export { type BitField, type DecodedEntry, decodeEntry, decodePagemap, type DecodedKind } from "./mm/entry-bits.js";
export { Machine, type MachineOptions } from "./mm/machine.js";
export type { MmapOptions } from "./mm/mapping-calls.js";
export type { MemoryKind, MemoryObject } from "./mm/memory-object.js";
export {
  CATEGORIES,
  type Category,
  type PageRegion,
  type PagemapScan,
  type PagemapScanResult,
} from "./mm/pagemap-scan.js";
export { PopulateCall } from "./mm/populate-call.js";
export { Thread, type ThreadOutcome, type ThreadPlan } from "./mm/thread.js";
export { type VmFlag, vmFlags } from "./mm/vm-flags.js";
export type { Protection, Vma } from "./mm/vma.js";
export { type Feature, FEATURES, type IoctlName, type Mode } from "./uffd/features.js";
export {
  encodeMessage,
  flagsOf,
  type ForkMessage,
  type Message,
  MESSAGE_BYTES,
  type MessageFlag,
  type PagefaultMessage,
  type RangeMessage,
  type RemapMessage,
} from "./uffd/messages.js";
export {
  type ContinueOptions,
  type CopyOptions,
  type MoveOptions,
  Userfaultfd,
  type UserfaultfdOptions,
  type Wake,
} from "./uffd/userfaultfd.js";
export type {
  HandlerPolicy,
  PagemapRun,
  PlaceText,
  RangeText,
  Scenario,
  ScanRun,
  Step,
  StepResult,
  Transcript,
  TranscriptMessage,
} from "./scenario/document.js";
export type { Spread } from "./base/statistics.js";
export { ScenarioError } from "./scenario/error.js";
export { unmetExpectations } from "./scenario/expectations.js";
export { runScenario, type RunOptions, type StepReport } from "./scenario/run.js";
export { describeReport, describeRequest } from "./scenario/account.js";
export type { EntryChange } from "./scenario/history.js";
export { CHECKPOINT_STEPS, Timeline } from "./scenario/timeline.js";
export { comparisonHtml } from "./report/html.js";
export { comparisonTable } from "./report/table.js";
export { csv, type CsvValue } from "./report/csv.js";
export { stepEvents } from "./report/step-events.js";
export { type FilmRecord, type TraceEvent, type TraceEventFile, traceEvents } from "./report/trace-events.js";
export { type CompareOptions, compareTrackers } from "./sim/compare.js";
export type { Comparison, TrackerId, TrackerResult } from "./sim/comparison.js";
export {
  type Cost,
  type CostName,
  type CostProfile,
  COSTS,
  type FigureName,
  FIGURES,
  MissingCostError,
  readCostProfile,
} from "./sim/cost-profile.js";
export type { AnsweredFault, AnsweredKind, CopiedChunk, FilmCourse } from "./sim/film/film-log.js";
export { FILM_TRACKERS, filmTrackerLabel, type FilmOptions, type FilmTracker } from "./sim/film/film-options.js";
export type { FilmFaults, Frame } from "./sim/film/film-run.js";
export type { PatternGuest, TraceGuest } from "./sim/film/guest.js";
export type { FilmChange } from "./sim/film/page-watch.js";
export { type InconsistentPage, SAVED_STATES, type SavedBy, type Verdict } from "./sim/film/saved-pages.js";
export { type FilmSummary, SnapshotFilm } from "./sim/film/snapshot-film.js";
export type { StallSummary } from "./sim/film/stalls.js";
export type { MeasuredRow, MeasuringHost, SeedMeasurement } from "./sim/measurement.js";
export { type Layout, layoutAroundPages, layoutFromMaps, type LayoutMapping, layoutRam } from "./sim/layout.js";
export { type CostSpan, oneWrite, type OneWrite, type WriteActor, type WriteEvent } from "./sim/one-write.js";
export { WRITE_PAGES, WRITE_TRACKERS, type WriteChoice } from "./sim/write-choice.js";
export { type PreparedTrace, type PrepareOptions, prepareTrace } from "./sim/prepare.js";
export { COST_PROFILES, defaultCostProfile } from "./sim/profiles.js";
export { PUBLISHED_SEED_FIGURES, PUBLISHED_SEED_FIGURES_HUGE } from "./sim/published.js";
export { type Tracker, TRACKERS } from "./sim/trackers.js";
export {
  type Pattern,
  PATTERNS,
  SEED_EXPERIMENT_BYTES,
  workloadBlocks,
  type WorkloadOptions,
} from "./sim/workloads.js";
export { ACCESS_FETCH, ACCESS_WRITE, type AccessBlock } from "./trace/access.js";
export { TraceError, type TraceFormat, TraceReader, type TraceReadOptions, type TraceSummary } from "./trace/reader.js";
export { TraceStore } from "./trace/store.js";
export { type TraceHeader, writeTrace } from "./trace/pte-format.js";
export { type JsonSchema, SCENARIO_SCHEMA } from "./scenario/schema.js";
