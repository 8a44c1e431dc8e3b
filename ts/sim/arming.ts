/** What the trackers do: make pages exist, protect them, and learn which were written. */
import { PAGE_SIZE } from "../base/pages.js";
import { SCAN_REGION_NUMBERS } from "../engine/engine.js";
import type { AddressSpace } from "../mm/address-space.js";
import { Userfaultfd } from "../uffd/userfaultfd.js";
import type { CostName } from "./cost-profile.js";
import type { Layout, LayoutMapping } from "./layout.js";
import type { Tracker } from "./trackers.js";

/** Makes the pages of all mappings exist that the tracker wants to, and returns how many it touched for that. */
export function prefault(tracker: Tracker, space: AddressSpace, layout: Layout): number {
  if (tracker.prefault === "none") return 0;
  let pages = 0;
  for (const mapping of layout.mappings) {
    if (mapping.protection === "none") continue;
    pages += mapping.pageCount;
    if (tracker.prefault === "populate") space.madvise(addressOf(mapping), bytesOf(mapping), "populate-read");
    else space.start({ address: addressOf(mapping), access: "read", count: mapping.pageCount, stride: 1, value: 0 });
  }
  return pages;
}

/** Registers and write-protects all mappings. */
export function arm(tracker: Tracker, space: AddressSpace, layout: Layout): Userfaultfd {
  const uffd = Userfaultfd.open(space, { features: ["pagefault-flag-wp", ...tracker.features] });
  for (const mapping of layout.mappings) {
    uffd.register(addressOf(mapping), bytesOf(mapping), ["wp"]);
    uffd.writeProtect(addressOf(mapping), bytesOf(mapping));
  }
  return uffd;
}

/** Returns how often the costs of pre-faulting apply. */
export function prefaultCounts(tracker: Tracker, pages: number, mappings: number): Partial<Record<CostName, number>> {
  if (tracker.prefault === "read") return { preRead: pages };
  return tracker.prefault === "populate" ? { populateRead: pages, call: mappings } : {};
}

/** Yields the pages that PAGEMAP_SCAN reports as written, in ascending order, and counts its calls. */
export function* scanWritten(
  space: AddressSpace,
  layout: Layout,
  onCall: () => void,
): Generator<number, void, undefined> {
  for (const mapping of layout.mappings) {
    const end = addressOf(mapping) + bytesOf(mapping);
    for (let start = addressOf(mapping); start < end;) {
      const { raw, walkEnd } = space.pagemapScan({
        start,
        end,
        mask: ["written"],
        return: ["written"],
        vectorLength: 512,
      });
      onCall();
      for (let i = 0; i < raw.length; i += SCAN_REGION_NUMBERS) yield* pagesFrom(raw[i] ?? 0, raw[i + 1] ?? 0);
      start = walkEnd;
    }
  }
}

function* pagesFrom(firstPage: number, endPage: number): Generator<number, void, undefined> {
  for (let page = firstPage; page < endPage; page++) yield page;
}

function addressOf(mapping: LayoutMapping): number {
  return mapping.firstPage * PAGE_SIZE;
}

function bytesOf(mapping: LayoutMapping): number {
  return mapping.pageCount * PAGE_SIZE;
}
