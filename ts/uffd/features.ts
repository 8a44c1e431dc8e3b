import type { KernelChange } from "../base/kernel-version.js";

/** Features of UFFDIO_API: UFFD_FEATURE_ in lower case with dashes, in the order of their bits. */
export const FEATURES = [
  "pagefault-flag-wp",
  "event-fork",
  "event-remap",
  "event-remove",
  "missing-hugetlbfs",
  "missing-shmem",
  "event-unmap",
  "sigbus",
  "thread-id",
  "minor-hugetlbfs",
  "minor-shmem",
  "exact-address",
  "wp-hugetlbfs-shmem",
  "wp-unpopulated",
  "poison",
  "wp-async",
  "move",
] as const;

/** The change with which a kernel began to offer a feature; those that are not named are older than what is modelled. */
const FEATURE_CHANGES: Readonly<Partial<Record<Feature, KernelChange>>> = {
  "minor-hugetlbfs": "minor-hugetlbfs",
  "minor-shmem": "minor-shmem",
  "exact-address": "exact-address",
  "wp-hugetlbfs-shmem": "wp-hugetlbfs-shmem",
  "wp-unpopulated": "wp-unpopulated",
  poison: "poison",
  "wp-async": "wp-async",
  move: "move",
};

/** Returns the features that a kernel offers. */
export function offeredFeatures(kernel: { has(change: KernelChange): boolean }): Feature[] {
  return FEATURES.filter((feature) => {
    const change = FEATURE_CHANGES[feature];
    return change === undefined || kernel.has(change);
  });
}

/** A feature that Linux 6.18 offers (mask 0x1ffff). */
export type Feature = (typeof FEATURES)[number];

/** Modes of UFFDIO_REGISTER, in the order of their bits. */
export const MODES = ["missing", "wp", "minor"] as const;

/** A mode of UFFDIO_REGISTER. */
export type Mode = (typeof MODES)[number];

/** The ioctls that UFFDIO_API and UFFDIO_REGISTER name. */
export type IoctlName =
  "register" | "unregister" | "wake" | "copy" | "zeropage" | "move" | "writeprotect" | "continue" | "poison" | "api";

/** What UFFDIO_API answers: bits 0, 1 and 63 of the mask. */
export const API_IOCTLS: readonly IoctlName[] = ["api", "register", "unregister"];

/** What UFFDIO_REGISTER answers: it follows the modes that were asked for, not those that result, and promises too much for files. */
export function rangeIoctls(
  modes: readonly Mode[],
  memory: "hugetlb" | "other",
  kernel: { has(change: KernelChange): boolean },
): IoctlName[] {
  const names: IoctlName[] = ["copy", "wake"];
  if (kernel.has("poison")) names.push("poison");
  if (memory === "other") names.push("zeropage");
  if (memory === "other" && kernel.has("move")) names.push("move");
  if (modes.includes("wp")) names.push("writeprotect");
  if (modes.includes("minor")) names.push("continue");
  return names.sort();
}

/** Returns the bits of a list of names. @throws TypeError if one is unknown. */
export function bitsOf<Name extends string>(names: readonly Name[], all: readonly Name[], field: string): number {
  let bits = 0;
  for (const name of names) {
    const bit = all.indexOf(name);
    if (bit < 0) throw new TypeError(`"${field}" expected names out of ${all.join(", ")}; got "${name}"`);
    bits |= 1 << bit;
  }
  return bits;
}
