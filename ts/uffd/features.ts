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
export function rangeIoctls(modes: readonly Mode[], memory: "hugetlb" | "other"): IoctlName[] {
  const names: IoctlName[] = ["copy", "poison", "wake"];
  if (memory === "other") names.push("move", "zeropage");
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
