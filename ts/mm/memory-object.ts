import type { ObjectHandle } from "../engine/engine.js";

/** Kinds of memory that can be mapped. */
export const MEMORY_KINDS = ["anon", "shmem", "file", "hugetlb"] as const;

/** What a mapping maps: anonymous memory, tmpfs (memfd, MAP_SHARED|MAP_ANONYMOUS), a regular file, or huge pages of hugetlbfs. */
export type MemoryKind = (typeof MEMORY_KINDS)[number];

/** Pages of a huge page. */
export const HUGE_PAGES = 512;

/** A file, of which only its page cache matters here: what several mappings, also of several processes, can share. */
export interface MemoryObject {
  readonly kind: Exclude<MemoryKind, "anon">;
  /** Its size in pages. Mapping more of a hugetlbfs file for writing makes it larger. */
  pages: number;
  /** @internal Handle of its pages in the engine. */
  readonly handle: ObjectHandle;
}
