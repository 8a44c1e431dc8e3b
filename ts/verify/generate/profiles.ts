import type { ActionName, Feature, Machine, Memory, Mode, Profile } from "./profile.js";
import type { Chooser, Weighted } from "./chooser.js";

const ANON: Memory = { kind: "anon", sharing: "private" };
const ANON_SHARED: Memory = { kind: "anon", sharing: "shared" };
const SHMEM: Memory = { kind: "shmem", sharing: "shared" };
const SHMEM_PRIVATE: Memory = { kind: "shmem", sharing: "private" };
const FILE: Memory = { kind: "file", sharing: "shared" };
const FILE_PRIVATE: Memory = { kind: "file", sharing: "private" };
const HUGETLB: Memory = { kind: "hugetlb", sharing: "shared" };
const HUGETLB_PRIVATE: Memory = { kind: "hugetlb", sharing: "private" };

const SMALL = [1, 2, 3, 4, 5, 6, 8, 12, 4, 6, 8];
const MIXED = [...SMALL, 31, 509, 512, 513, 1025];
const LARGE = [512, 512, 1024, 1025, 1536, 513];

const EVENTS: Readonly<Partial<Record<Feature, number>>> = {
  "event-fork": 0.6,
  "event-remap": 0.6,
  "event-remove": 0.6,
  "event-unmap": 0.6,
};
const FEATURES: Readonly<Partial<Record<Feature, number>>> = {
  "pagefault-flag-wp": 0.05,
  "event-fork": 0.04,
  "event-remap": 0.04,
  "event-remove": 0.08,
  "event-unmap": 0.06,
  "missing-hugetlbfs": 0.03,
  "missing-shmem": 0.03,
  sigbus: 0.08,
  "minor-hugetlbfs": 0.03,
  "minor-shmem": 0.03,
  "exact-address": 0.2,
  "wp-hugetlbfs-shmem": 0.05,
  "wp-unpopulated": 0.5,
  poison: 0.05,
  "wp-async": 0.15,
  move: 0.1,
};
const SYNC = { ...FEATURES, "wp-async": 0 };

const MISSING: Weighted<readonly Mode[]> = [
  [3, ["missing"]],
  [1, ["missing", "wp"]],
  [0.3, ["wp"]],
];
const WRITES: Weighted<readonly Mode[]> = [
  [3, ["wp"]],
  [1.5, ["missing", "wp"]],
  [0.3, ["missing"]],
];
const ALL_MODES: Weighted<readonly Mode[]> = [
  [2, ["missing"]],
  [2, ["wp"]],
  [2, ["minor"]],
  [1, ["missing", "wp"]],
  [1, ["missing", "minor"]],
  [1, ["wp", "minor"]],
  [1, ["missing", "wp", "minor"]],
];

const ADVICE: Profile["advice"] = [
  [4, "dontneed"],
  [2, "free"],
  [1, "remove"],
  [3, "populate-read"],
  [3, "populate-write"],
  [0.3, "hugepage"],
  [0.3, "nohugepage"],
  [0.2, "collapse"],
  [0.6, "cold"],
  [0.5, "pageout"],
  [0.6, "guard-install"],
  [0.6, "guard-remove"],
  [0.2, "dontfork"],
  [0.1, "dofork"],
  [0.2, "wipeonfork"],
  [0.1, "keeponfork"],
];

const COMMON: Readonly<Partial<Record<ActionName, number>>> = {
  map: 1.5,
  munmap: 1.5,
  mprotect: 2,
  advise: 5,
  open: 0.4,
  register: 1.5,
  unregister: 1,
  close: 0.4,
  writeprotect: 4,
  fill: 3,
  wake: 0.8,
  access: 6,
  touch: 4,
  resume: 0.8,
  wait: 2,
  trap: 2,
  scan: 2,
  observe: 2,
  misuse: 0.4,
};

/** What most profiles have in common. */
const BASE: Profile = {
  about: "",
  machine: () => ({}),
  memory: [[1, ANON]],
  sizes: MIXED,
  isHuge: false,
  mappings: [1, 3],
  descriptors: [1, 2],
  features: FEATURES,
  modes: WRITES,
  advice: ADVICE,
  actions: COMMON,
  wildness: [0.05, 0.2, 0.2, 0.7],
  silence: [0.1, 0.3, 0.9],
};

export type ProfileName = (typeof PROFILES)[number];

/** Every profile. */
export const PROFILES = [
  "core",
  "wp",
  "async",
  "events",
  "thp",
  "hugetlb",
  "swap",
  "fork",
  "mremap",
  "poison-guard",
  "scan",
  "errors",
  "file",
  "move",
  "all",
] as const;

const OBJECTS: Profile["memory"] = [
  [3, SHMEM],
  [2, SHMEM_PRIVATE],
  [1, ANON_SHARED],
];
const ANY_SMALL: Profile["memory"] = [[4, ANON], ...OBJECTS];
const ANY: Profile["memory"] = [...ANY_SMALL, [1, FILE], [1, FILE_PRIVATE]];

function withHugePool(choose: Chooser): Machine {
  return { hugetlbPages: choose.pick([1, 2, 3, 4, 8, 8, 8]) };
}

function withThp(choose: Chooser): Machine {
  const settings = ["never", "madvise", "always", "always"] as const;
  return { thp: choose.pick(["madvise", "always", "always"] as const), shmemThp: choose.pick(settings) };
}

function withSwap(choose: Chooser): Machine {
  return { swapPages: choose.pick([64, 2048, 2048]) };
}

export const PROFILE_TABLE: Readonly<Record<ProfileName, Profile>> = {
  core: { ...BASE, about: "anonymous memory that is filled on demand", modes: MISSING },
  wp: {
    ...BASE,
    about: "synchronous write-protection of anonymous and shared memory",
    memory: ANY_SMALL,
    features: SYNC,
  },
  async: {
    ...BASE,
    about: "asynchronous write-protection of every kind of memory",
    memory: ANY,
    features: { ...FEATURES, "wp-async": 0.93 },
    modes: [
      [6, ["wp"]],
      [1, ["missing", "wp"]],
      [0.5, ["wp", "minor"]],
    ],
    actions: { ...COMMON, mapAgain: 1, scan: 5, trap: 4, wait: 0.5 },
    silence: [0.1],
  },
  events: {
    ...BASE,
    about: "messages about forks, moves, removals and unmappings",
    memory: ANY_SMALL,
    sizes: SMALL,
    features: { ...FEATURES, ...EVENTS },
    actions: { ...COMMON, fork: 2, mremap: 4, munmap: 3, advise: 6, exit: 0.5 },
    modes: [...WRITES, [1, ["missing"]]],
  },
  thp: {
    ...BASE,
    about: "transparent huge pages",
    machine: withThp,
    memory: [
      [5, ANON],
      [2, SHMEM],
      [1, SHMEM_PRIVATE],
    ],
    sizes: LARGE,
    isHuge: true,
    mappings: [1, 2],
    descriptors: [0, 2],
    features: { ...FEATURES, "wp-async": 0.35 },
    advice: [...ADVICE, [4, "hugepage"], [1, "nohugepage"], [3, "collapse"]],
    actions: { ...COMMON, collapse: 3, fork: 0.4, mremap: 0.6, move: 0.5 },
  },
  hugetlb: {
    ...BASE,
    about: "huge pages of a pool",
    machine: withHugePool,
    memory: [
      [1, HUGETLB],
      [1, HUGETLB_PRIVATE],
      [0.1, ANON],
    ],
    isHuge: true,
    mappings: [1, 2],
    modes: ALL_MODES,
    actions: { ...COMMON, mapAgain: 1.5, minorFault: 2, fork: 0.5, mremap: 0.6, exit: 0.3 },
  },
  swap: {
    ...BASE,
    about: "pages that are paged out and come back",
    machine: withSwap,
    memory: [
      [4, ANON],
      [2, SHMEM],
      [1, SHMEM_PRIVATE],
      [1, ANON_SHARED],
    ],
    sizes: SMALL,
    advice: [...ADVICE, [4, "pageout"]],
    actions: { ...COMMON, swapOut: 6, fork: 0.7, mremap: 0.7, move: 0.7, mapAgain: 0.5 },
  },
  fork: {
    ...BASE,
    about: "processes that share pages until one writes",
    memory: ANY_SMALL,
    sizes: SMALL,
    features: { ...FEATURES, "event-fork": 0.5 },
    advice: [...ADVICE, [2, "dontfork"], [1, "dofork"], [2, "wipeonfork"], [1, "keeponfork"]],
    actions: { ...COMMON, fork: 4, exit: 1.5, mremap: 0.5, mapAgain: 0.7, move: 0.4, open: 0.8 },
  },
  mremap: {
    ...BASE,
    about: "mappings that are moved, grown and shrunk",
    memory: ANY,
    features: { ...FEATURES, "event-remap": 0.5, "event-unmap": 0.2 },
    actions: { ...COMMON, mremap: 9, mapAgain: 1, fork: 0.3, munmap: 2 },
  },
  "poison-guard": {
    ...BASE,
    about: "pages that are poisoned or guarded",
    memory: [...ANY_SMALL, [2, ANON], [0.5, FILE_PRIVATE]],
    advice: [...ADVICE, [6, "guard-install"], [5, "guard-remove"]],
    modes: [...WRITES, ...MISSING],
    actions: { ...COMMON, fill: 7, advise: 8, fork: 0.5, mremap: 0.8, mapAgain: 0.5 },
  },
  scan: {
    ...BASE,
    about: "scans with all masks and limits",
    memory: [...ANY, [2, ANON]],
    sizes: [...MIXED, 1100, 1300],
    features: { ...FEATURES, "wp-async": 0.6 },
    actions: { ...COMMON, scan: 14, touch: 6, mapAgain: 0.5 },
  },
  errors: {
    ...BASE,
    about: "calls that Linux refuses",
    memory: ANY,
    sizes: MIXED,
    modes: ALL_MODES,
    features: { ...FEATURES, "event-fork": 0.1 },
    descriptors: [1, 3],
    actions: {
      ...COMMON,
      misuse: 12,
      close: 1,
      exit: 0.5,
      fork: 0.7,
      mremap: 1.5,
      mapAgain: 1,
      move: 2,
      register: 3,
      unregister: 2,
      open: 1,
    },
    wildness: [0.5, 1],
  },
  file: {
    ...BASE,
    about:
      "objects: mapped again, with holes, shorter than their mappings, with pages that are only missing in a table",
    memory: [...OBJECTS, [2, FILE], [2, FILE_PRIVATE]],
    sizes: MIXED,
    modes: ALL_MODES,
    features: { ...FEATURES, "wp-async": 0.35 },
    advice: [...ADVICE, [3, "remove"]],
    actions: { ...COMMON, mapAgain: 3, minorFault: 5, fork: 0.3, mremap: 0.6 },
  },
  move: {
    ...BASE,
    about: "pages that are moved to where they are missing",
    machine: (choose) =>
      choose.weighted<Machine>([
        [5, {}],
        [1, { swapPages: 512 }],
        [1, { thp: "always" }],
      ]),
    memory: [
      [8, ANON],
      [0.5, SHMEM_PRIVATE],
    ],
    modes: [...MISSING, [1, ["missing", "wp"]]],
    features: { ...FEATURES, move: 0.6 },
    sizes: [...SMALL, 8, 512, 1024],
    actions: { ...COMMON, move: 10, fork: 0.8, swapOut: 0.8, mremap: 0.3 },
  },
  all: {
    ...BASE,
    about: "everything",
    machine: (choose) =>
      choose.weighted<Machine>([
        [3, {}],
        [1, { thp: "madvise", shmemThp: "madvise" }],
        [1, { thp: "always", shmemThp: "always" }],
        [1, { swapPages: 2048 }],
        [0.5, { hugetlbPages: 4, swapPages: 1024, thp: "madvise" }],
      ]),
    memory: [...ANY, [1, HUGETLB], [1, HUGETLB_PRIVATE]],
    modes: [...ALL_MODES, [3, ["wp"]]],
    features: { ...FEATURES, "event-fork": 0.2, "event-remap": 0.2, "event-remove": 0.15, "wp-async": 0.3 },
    mappings: [2, 4],
    actions: {
      ...COMMON,
      mapAgain: 1.5,
      minorFault: 1.5,
      fork: 1,
      exit: 0.3,
      mremap: 2,
      move: 1.5,
      swapOut: 1,
      collapse: 1,
      misuse: 1,
    },
  },
};
