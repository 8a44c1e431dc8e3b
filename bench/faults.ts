import { ACCESS_PAGE_HIGH_MASK, ACCESS_WRITE } from "../ts/trace/access.js";

/** What accesses took: faults by what they did. */
export interface Faults {
  wp: number;
  zeroPage: number;
  allocate: number;
  copy: number;
}

export const NO_FAULTS: Readonly<Faults> = { wp: 0, zeroPage: 0, allocate: 0, copy: 0 };

/** What records do to pages that are all protected and of which nothing is mapped. */
export interface Expected {
  readonly faults: Faults;
  /** Pages that are never written to: they stay protected. */
  readonly protectedPages: number;
}

/**
 * Says what a replay has to come to, from the definition: the first access to a page maps the zero page or allocates, the first write meets
 * the protection, and copies if there is the zero page.
 */
export function expectedOf(records: Uint32Array, firstPage: number, pages: number): Expected {
  const wasRead = new Uint8Array(pages);
  const wasWritten = new Uint8Array(pages);
  const faults = { ...NO_FAULTS };
  for (let i = 0; i < records.length; i += 2) {
    const high = records[i + 1] as number;
    const index = (records[i] as number) + (high & ACCESS_PAGE_HIGH_MASK) * 2 ** 32 - firstPage;
    if (wasWritten[index] === 1) continue;
    const isRead = wasRead[index] === 1;
    if (high < ACCESS_WRITE) {
      if (!isRead) faults.zeroPage++;
      wasRead[index] = 1;
      continue;
    }
    faults.wp++;
    if (isRead) faults.copy++;
    else faults.allocate++;
    wasWritten[index] = 1;
  }
  return { faults, protectedPages: pages - faults.wp };
}
