/** Who tracks: nobody, sync without and with WP_UNPOPULATED, or async. */
export const WRITE_TRACKERS = ["none", "sync", "sync-unpopulated", "async"] as const;

/** What is there before the tracker arms: nothing, the zero page, a written page, or a written huge page. */
export const WRITE_PAGES = ["none", "zero-page", "page", "huge-page"] as const;

/** Which write is looked at. */
export interface WriteChoice {
  readonly tracker: (typeof WRITE_TRACKERS)[number];
  readonly page: (typeof WRITE_PAGES)[number];
  /** Whether the tracker has write-protected the page; without a tracker nothing can be. */
  readonly armed: boolean;
}
