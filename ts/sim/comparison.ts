/** What a comparison of dirty trackers found: plain data, which the table, the JSON and the HTML report are made from. */

import type { SeedMeasurement } from "./measurement.js";

/** The ways to track dirty pages that are compared. */
export type TrackerId = "wp" | "wp-pre-read" | "wp-populate-read" | "wp-unpopulated" | "wp-async";

/** Modelled time of one phase: each item is a number of operations times the profile's cost of one. */
export interface ModelledTime {
  readonly totalNs: number;
  readonly items: readonly ModelledItem[];
}

/** One summand of a modelled time. */
export interface ModelledItem {
  /** Name of the cost in the profile. */
  readonly cost: string;
  readonly count: number;
  readonly nsEach: number;
}

/** Faults of the run after the snapshot point, by what they did. */
export interface FaultCounts {
  /** Page-fault exceptions by x86 error code: 0x4, 0x6, 0x7. */
  readonly exceptions: {
    readonly readNotPresent: number;
    readonly writeNotPresent: number;
    readonly writeProtected: number;
  };
  readonly zeroPage: number;
  readonly allocate: number;
  readonly copy: number;
  /** Faults on a marker, which keep its protection; they are part of `zeroPage` and `allocate`. */
  readonly marker: number;
  /** Write-protect faults resolved by a handler (one message each). */
  readonly wpSync: number;
  /** Write-protect faults resolved by the kernel itself. */
  readonly wpAsync: number;
}

/** Cumulated counts at points of the trace, for plots. All arrays have one number a point. */
export interface Timeline {
  /** Accesses of the trace done at the point. */
  readonly accesses: readonly number[];
  /** Faults that mapped something: zero page, new page, copy. */
  readonly mapFaults: readonly number[];
  /** Write-protect faults, sync or async. */
  readonly wpFaults: readonly number[];
}

/** One tracker's row. */
export interface TrackerResult {
  readonly tracker: TrackerId;
  readonly label: string;
  /** Entries that arming changed, by what they were. */
  readonly armed: { readonly none: number; readonly page: number; readonly zeroPage: number };
  /** Pages that arming mapped first, by reading or populating. */
  readonly prefaulted: number;
  /** Page-table bytes before arming, after it, and at the end. */
  readonly tableBytes: { readonly before: number; readonly armed: number; readonly end: number };
  /** Last-level page tables among them, which map 2 MiB each, at the same moments. */
  readonly pteTables: { readonly before: number; readonly armed: number; readonly end: number };
  readonly faults: FaultCounts;
  readonly messages: number;
  readonly dirty: {
    /** Pages that the tracker reported. */
    readonly found: number;
    /** Pages whose content changed after the point and that the tracker did not report. */
    readonly missed: number;
    /** Pages that it reported although their content is what it was. */
    readonly false: number;
    /** First missed pages, as page numbers. */
    readonly missedPages: readonly number[];
  };
  readonly modelled: {
    /** Pre-fault and protect. */
    readonly arm: ModelledTime;
    /** Faults that the program takes after the point, all of them. */
    readonly fault: ModelledTime;
    /** What collecting the dirty set costs. */
    readonly collect: ModelledTime;
  };
  readonly timeline: Timeline;
}

/** Returns the modelled nanoseconds of a tracker: arming, the program's faults, collecting. */
export function totalNs({ modelled }: TrackerResult): number {
  return modelled.arm.totalNs + modelled.fault.totalNs + modelled.collect.totalNs;
}

/** A published measurement that stands beside a row. */
export interface PublishedFigure {
  readonly source: string;
  /** Microseconds, total and the pre-fault part. */
  readonly totalUs: number;
  readonly prefaultUs?: number;
}

/** A whole comparison. */
export interface Comparison {
  readonly title: string;
  /** What was replayed, in words: file and format, or the workload with its seed. */
  readonly source: string;
  readonly memory: {
    /** How addresses became mappings, in words. */
    readonly layout: string;
    readonly mappings: number;
    readonly pages: number;
  };
  readonly accesses: {
    readonly total: number;
    readonly reads: number;
    readonly writes: number;
    readonly skipped: number;
  };
  readonly snapshot: {
    /** Accesses before the point. */
    readonly at: number;
    /** Pages mapped at the point: with a page of their own, with the zero page. */
    readonly pages: number;
    readonly zeroPages: number;
  };
  /** Pages whose content changed after the point. */
  readonly dirtyPages: number;
  readonly profile: { readonly name: string; readonly provenance: string };
  readonly trackers: readonly TrackerResult[];
  /** By tracker; only where somebody has published figures for the same experiment. */
  readonly published?: Readonly<Partial<Record<TrackerId, readonly PublishedFigure[]>>>;
  /** What this host's kernel takes for the same experiment; only where it was asked to. */
  readonly measured?: SeedMeasurement;
  readonly elapsedMs: number;
}
