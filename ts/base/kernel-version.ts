/**
 * Versions of Linux whose behaviour can be asked for, and what came with which. Where a row says "live", the difference to its predecessor was
 * seen on a kernel that runs; "source" means it is read from the source or its history only. Everything at the newest version is live.
 */

/** A version: 6.18 is `{ major: 6, minor: 18 }`. */
export interface KernelVersion {
  readonly major: number;
  readonly minor: number;
}

/** The oldest version that can be asked for: the first with write-protection by userfaultfd. */
export const OLDEST_KERNEL: KernelVersion = { major: 5, minor: 7 };
/** The newest, and the default. */
export const NEWEST_KERNEL: KernelVersion = { major: 6, minor: 18 };

/** Name of a change between versions. */
export type KernelChange =
  | "user-mode-only"
  | "minor-hugetlbfs"
  | "minor-shmem"
  | "populate"
  | "exact-address"
  | "wp-hugetlbfs-shmem"
  | "collapse"
  | "wp-notify"
  | "wp-restores-write"
  | "wp-unpopulated"
  | "poison"
  | "vma-lock"
  | "wp-async"
  | "move"
  | "guard"
  | "mremap-clears-wp"
  | "huge-zero-copy"
  | "table-reclaim"
  | "guard-files"
  | "scan-guard"
  | "mremap-several"
  | "unregister-own"
  | "scan-none-written"
  | "fault-around-folio"
  | "guard-flag";

/** Since when a change is there (major and minor), and how that is known. */
export interface ChangeRow {
  readonly since: readonly [number, number];
  readonly evidence: "live" | "source";
}

/** What a kernel has from a version on. */
export const KERNEL_CHANGES: Readonly<Record<KernelChange, ChangeRow>> = {
  /** UFFD_USER_MODE_ONLY. */
  "user-mode-only": { since: [5, 11], evidence: "source" },
  /** UFFDIO_CONTINUE, and minor faults of hugetlbfs. */
  "minor-hugetlbfs": { since: [5, 13], evidence: "source" },
  "minor-shmem": { since: [5, 14], evidence: "source" },
  /** MADV_POPULATE_READ and MADV_POPULATE_WRITE. */
  populate: { since: [5, 14], evidence: "source" },
  "exact-address": { since: [5, 18], evidence: "source" },
  /** PTE markers, and write-protection of tmpfs and hugetlbfs. */
  "wp-hugetlbfs-shmem": { since: [5, 19], evidence: "source" },
  /** MADV_COLLAPSE. */
  collapse: { since: [6, 1], evidence: "source" },
  /** Shared mappings that are registered for wp are mapped read-only by read faults. */
  "wp-notify": { since: [6, 2], evidence: "source" },
  /** Removing protection gives exclusive anonymous pages their write permission back. */
  "wp-restores-write": { since: [6, 3], evidence: "source" },
  "wp-unpopulated": { since: [6, 4], evidence: "source" },
  /** UFFDIO_POISON. */
  poison: { since: [6, 6], evidence: "source" },
  /** Faults of registered mappings begin under the VMA's lock, so that one wait does not make them major. */
  "vma-lock": { since: [6, 6], evidence: "source" },
  /** UFFD_FEATURE_WP_ASYNC and PAGEMAP_SCAN. */
  "wp-async": { since: [6, 7], evidence: "source" },
  /** UFFDIO_MOVE. */
  move: { since: [6, 8], evidence: "source" },
  /** MADV_GUARD_INSTALL for private anonymous writable memory. */
  guard: { since: [6, 13], evidence: "source" },
  /** mremap without UFFD_FEATURE_EVENT_REMAP leaves protection behind. */
  "mremap-clears-wp": { since: [6, 13], evidence: "source" },
  /** A write to the huge zero page makes a huge page at once. */
  "huge-zero-copy": { since: [6, 13], evidence: "source" },
  /** MADV_DONTNEED frees empty page tables (PT_RECLAIM). */
  "table-reclaim": { since: [6, 14], evidence: "source" },
  /** Guards in mappings of files and in read-only ones; bit 58 of pagemap. */
  "guard-files": { since: [6, 15], evidence: "source" },
  /** Category guard of PAGEMAP_SCAN. */
  "scan-guard": { since: [6, 16], evidence: "source" },
  /** mremap moves several mappings at once. */
  "mremap-several": { since: [6, 17], evidence: "source" },
  /** UFFDIO_UNREGISTER through another descriptor is refused. */
  "unregister-own": { since: [6, 17], evidence: "source" },
  /** PAGEMAP_SCAN calls pages written that do not exist. */
  "scan-none-written": { since: [6, 18], evidence: "live" },
  /** A read fault maps all of a huge page of the page cache. */
  "fault-around-folio": { since: [6, 18], evidence: "live" },
  /** A mapping with guards has a flag; until then it was given an `anon_vma`, also that of a file. */
  "guard-flag": { since: [6, 18], evidence: "live" },
};

/** Tells whether a kernel has what came with a change. */
export function hasChange(kernel: KernelVersion, change: KernelChange): boolean {
  const [major, minor] = KERNEL_CHANGES[change].since;
  return kernel.major > major || (kernel.major === major && kernel.minor >= minor);
}

/** Returns the version that a text such as `6.4` or `6.18.44` names, or null if it is none from 5.7 to 6.18. */
export function parseKernelVersion(text: string): KernelVersion | null {
  const match = /^([0-9]+)\.([0-9]+)(?:\.[0-9]+)?$/.exec(text);
  if (match === null) return null;
  const version = { major: Number(match[1]), minor: Number(match[2]) };
  return compare(version, OLDEST_KERNEL) < 0 || compare(version, NEWEST_KERNEL) > 0 || !exists(version)
    ? null
    : version;
}

/** The last 5.x was 5.19. */
function exists({ major, minor }: KernelVersion): boolean {
  return major !== 5 || minor <= 19;
}

function compare(a: KernelVersion, b: KernelVersion): number {
  return a.major === b.major ? a.minor - b.minor : a.major - b.major;
}
