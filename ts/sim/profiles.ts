import type { CostProfile } from "./cost-profile.js";

/** Entries of the published experiment: 10 GiB of pages. */
const ENTRIES = 2_621_440;
/** The same in huge pages of 2 MiB. */
const HUGE_ENTRIES = ENTRIES / 512;

const HERE = "median of 9 rounds, 1 M pages";
const SERIES = "commit message of the patch, THP off";
const SERIES_HUGE = "commit message of the patch, THP on";
const IN_A_VM = "mail on the patch's thread, 27 February 2023";

/** Measured for this project on the real kernel: complete, and the default. */
const NESTED_VM: CostProfile = {
  profile: 1,
  name: "nested-vm-6.18",
  provenance:
    "Linux 6.18 in a nested 2-vCPU virtual machine on Xeon (Sapphire Rapids), THP madvise; medians over 9 rounds",
  costs: {
    call: { ns: 421, source: "UFFDIO_WRITEPROTECT of one page, median" },
    protectNone: { ns: 9.0, source: `UFFDIO_WRITEPROTECT of untouched memory, tables allocated on the way; ${HERE}` },
    protectPage: { ns: 81, source: `UFFDIO_WRITEPROTECT of written pages; ${HERE}` },
    protectZeroPage: { ns: 32, source: `UFFDIO_WRITEPROTECT of zero pages; ${HERE}` },
    protectVisited: { ns: 4.6, source: `UFFDIO_WRITEPROTECT of entries protected already; ${HERE}` },
    preRead: { ns: 782, source: "read loop over 10 GiB: 817 ns a page with protecting, of which protecting is 35" },
    populateRead: { ns: 227, source: `MADV_POPULATE_READ; ${HERE}` },
    readFault: { ns: 830, source: `first read of a page; ${HERE}` },
    writeFault: { ns: 1890, source: `first write to a page; ${HERE}` },
    copyFault: { ns: 3290, source: `write to the zero page; ${HERE}` },
    wpSyncFault: {
      ns: 6705,
      source: "handler thread on the same CPU, awake; on the other virtual CPU it took 40,000 to 117,700",
    },
    wpAsyncFault: { ns: 1025, source: `write to a protected page; ${HERE}` },
    scanPage: { ns: 3.1, source: `PAGEMAP_SCAN of written pages, none written; ${HERE}` },
  },
};

/** What the patch series published: arming only. */
const SERIES_2023: CostProfile = {
  profile: 1,
  name: "series-2023",
  provenance:
    "figures in the commit message of WP_UNPOPULATED (March 2023), THP off (huge pages: THP on), hardware not stated; arming only",
  costs: {
    call: { ns: 4000, source: `DEFAULT row, 4 us for the whole ioctl; ${SERIES}` },
    protectNone: { ns: 11_712_000 / ENTRIES, source: `WP-UNPOPULATE row, 11,712 us; ${SERIES}` },
    protectZeroPage: {
      ns: (278_276_000 - 266_378_000) / ENTRIES,
      source: `MADVISE row without its pre-fault; ${SERIES}`,
    },
    preRead: { ns: 1_101_011_000 / ENTRIES, source: `pre-fault of the PRE-READ row, 1,101,011 us; ${SERIES}` },
    populateRead: { ns: 266_378_000 / ENTRIES, source: `pre-fault of the MADVISE row, 266,378 us; ${SERIES}` },
  },
  figures: {
    preReadHuge: { ns: 22_348_000 / HUGE_ENTRIES, source: `pre-fault of the PRE-READ row, 22,348 us; ${SERIES_HUGE}` },
    populateReadHuge: {
      ns: 4_743_000 / HUGE_ENTRIES,
      source: `pre-fault of the MADVISE row, 4,743 us; ${SERIES_HUGE}`,
    },
    protectHugeZeroPage: {
      ns: (4_909_000 - 4_743_000) / HUGE_ENTRIES,
      source: `MADVISE row without its pre-fault; ${SERIES_HUGE}`,
    },
  },
};

/** The same experiment by the series' author, in a virtual machine: arming only. */
const VM_2023: CostProfile = {
  profile: 1,
  name: "vm-2023",
  provenance: "the series' author's run in a virtual machine (27 February 2023), hardware not stated; arming only",
  costs: {
    call: { ns: 2000, source: `DEFAULT row, 2 us; ${IN_A_VM}` },
    protectNone: { ns: 20_850_000 / ENTRIES, source: `WP-UNPOPULATE row, 20,850 us; ${IN_A_VM}` },
    protectZeroPage: {
      ns: (2_250_361_000 - 2_226_310_000) / ENTRIES,
      source: `MADVISE row without its pre-fault; ${IN_A_VM}`,
    },
    preRead: { ns: 3_253_826_000 / ENTRIES, source: `pre-fault of the PRE-READ row; ${IN_A_VM}` },
    populateRead: { ns: 2_226_310_000 / ENTRIES, source: `pre-fault of the MADVISE row; ${IN_A_VM}` },
  },
};

/** The profiles that come with the package; the first is the default. */
export const COST_PROFILES: readonly CostProfile[] = [NESTED_VM, SERIES_2023, VM_2023];

/** Returns the profile that is used when none is asked for. */
export function defaultCostProfile(): CostProfile {
  return NESTED_VM;
}
