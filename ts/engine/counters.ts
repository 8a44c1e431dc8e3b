import * as abi from "../../assembly/abi.js";
import { TABLE_SIZE } from "../base/pages.js";

/**
 * Counters of an address space, as the engine keeps them. Tables and anonymous pages are numbers of now; everything else has only grown
 * since the space was made, so that two readings can be subtracted.
 */
export interface Counters {
  /** Page tables below the PGD, by level, as the kernel would have them. */
  readonly pudTables: number;
  readonly pmdTables: number;
  readonly pteTables: number;
  /** Tables of these that take memory of their own; the others are uniform, and all of a kind are one (docs/uniform-tables.md). */
  readonly realTables: number;
  /** Resident anonymous pages (RssAnon); the shared zero page does not count. */
  readonly anonPages: number;
  /** Resident pages of files (RssFile) and of shared memory (RssShmem), and swap entries (VmSwap). */
  readonly filePages: number;
  readonly shmemPages: number;
  readonly swapEntries: number;
  /** Page-fault exceptions by x86 error code: 0x4, 0x6, 0x7. */
  readonly readNotPresent: number;
  readonly writeNotPresent: number;
  readonly writeProtected: number;
  /** Faults charged to the thread as minor and as major. */
  readonly minflt: number;
  readonly majflt: number;
  /** What faults did. */
  readonly zeroPageFaults: number;
  readonly allocateFaults: number;
  readonly copyFaults: number;
  readonly reuseFaults: number;
  readonly markerFaults: number;
  readonly wpAsyncFaults: number;
  readonly missingMessages: number;
  readonly minorMessages: number;
  readonly wpMessages: number;
  readonly sigsegv: number;
  readonly sigbus: number;
  /** Entries changed by write-protecting. */
  readonly armedNone: number;
  readonly armedPage: number;
  readonly armedZeroPage: number;
  /** Entries changed by removing write protection. */
  readonly disarmedMarker: number;
  readonly disarmedPage: number;
  readonly disarmedZeroPage: number;
  /** Entries that write-protecting looked at. */
  readonly protectVisited: number;
  /** Entries removed. */
  readonly zappedPage: number;
  readonly zappedZeroPage: number;
  readonly zappedMarker: number;
  /** Pages filled by UFFDIO_COPY and UFFDIO_ZEROPAGE. */
  readonly filledCopy: number;
  readonly filledZeroPage: number;
  /** Accesses carried out by replay. */
  readonly replayedReads: number;
  readonly replayedWrites: number;
  /** Last-level tables ever allocated and ever freed. */
  readonly pteTablesAllocated: number;
  readonly pteTablesFreed: number;
  /** Pages put out by scans, and entries that scans write-protected. */
  readonly scanPages: number;
  readonly scanProtected: number;
}

/** Where each counter is in the engine's array. */
export const COUNTER_INDEX: Readonly<Record<keyof Counters, number>> = {
  pudTables: abi.COUNTER_PUD_TABLES,
  pmdTables: abi.COUNTER_PMD_TABLES,
  pteTables: abi.COUNTER_PTE_TABLES,
  realTables: abi.COUNTER_REAL_TABLES,
  anonPages: abi.COUNTER_ANON_PAGES,
  filePages: abi.COUNTER_FILE_PAGES,
  shmemPages: abi.COUNTER_SHMEM_PAGES,
  swapEntries: abi.COUNTER_SWAP_ENTRIES,
  readNotPresent: abi.COUNTER_EXCEPTION_READ_NOT_PRESENT,
  writeNotPresent: abi.COUNTER_EXCEPTION_WRITE_NOT_PRESENT,
  writeProtected: abi.COUNTER_EXCEPTION_WRITE_PROTECTED,
  minflt: abi.COUNTER_MINFLT,
  majflt: abi.COUNTER_MAJFLT,
  zeroPageFaults: abi.COUNTER_ZERO_PAGE_FAULTS,
  allocateFaults: abi.COUNTER_ALLOCATE_FAULTS,
  copyFaults: abi.COUNTER_COPY_FAULTS,
  reuseFaults: abi.COUNTER_REUSE_FAULTS,
  markerFaults: abi.COUNTER_MARKER_FAULTS,
  wpAsyncFaults: abi.COUNTER_WP_ASYNC_FAULTS,
  missingMessages: abi.COUNTER_MISSING_MESSAGES,
  minorMessages: abi.COUNTER_MINOR_MESSAGES,
  wpMessages: abi.COUNTER_WP_MESSAGES,
  sigsegv: abi.COUNTER_SIGSEGV,
  sigbus: abi.COUNTER_SIGBUS,
  armedNone: abi.COUNTER_ARMED_NONE,
  armedPage: abi.COUNTER_ARMED_PAGE,
  armedZeroPage: abi.COUNTER_ARMED_ZERO,
  disarmedMarker: abi.COUNTER_DISARMED_MARKER,
  disarmedPage: abi.COUNTER_DISARMED_PAGE,
  disarmedZeroPage: abi.COUNTER_DISARMED_ZERO,
  protectVisited: abi.COUNTER_PROTECT_VISITED,
  zappedPage: abi.COUNTER_ZAPPED_PAGE,
  zappedZeroPage: abi.COUNTER_ZAPPED_ZERO,
  zappedMarker: abi.COUNTER_ZAPPED_MARKER,
  filledCopy: abi.COUNTER_FILLED_COPY,
  filledZeroPage: abi.COUNTER_FILLED_ZERO,
  replayedReads: abi.COUNTER_REPLAYED_READS,
  replayedWrites: abi.COUNTER_REPLAYED_WRITES,
  pteTablesAllocated: abi.COUNTER_PTE_TABLES_ALLOCATED,
  pteTablesFreed: abi.COUNTER_PTE_TABLES_FREED,
  scanPages: abi.COUNTER_SCAN_PAGES,
  scanProtected: abi.COUNTER_SCAN_PROTECTED,
};

/** The names of all counters. */
export const COUNTER_NAMES: readonly (keyof Counters)[] = Object.keys(COUNTER_INDEX) as (keyof Counters)[];

/** Bytes of page tables as the kernel counts them for VmPTE: all levels but the PGD. */
export function tableBytes(counters: Pick<Counters, "pudTables" | "pmdTables" | "pteTables">): number {
  return (counters.pudTables + counters.pmdTables + counters.pteTables) * TABLE_SIZE;
}

/** Returns `after - before`, counter by counter. */
export function subtractCounters(after: Counters, before: Counters): Counters {
  const difference: Partial<Record<keyof Counters, number>> = {};
  for (const name of COUNTER_NAMES) difference[name] = after[name] - before[name];
  return difference as Counters;
}
