/** The library without an environment; `node.ts` and `browser.ts` add how the engine is loaded. */
export { KernelError, OutOfMemoryError, type ErrnoName } from "./base/errors.js";
export { type Address, ADDRESS_LIMIT, PAGE_SIZE } from "./base/pages.js";
export { Random } from "./base/random.js";
export { type Counters, subtractCounters, tableBytes } from "./engine/counters.js";
export {
  Engine,
  type EngineOptions,
  type ReplayFault,
  type ReplayOptions,
  type ReplayResult,
  type Space,
} from "./engine/engine.js";
export { AddressSpace, type Advice, type MemoryStatus, type MmapOptions } from "./mm/address-space.js";
export {
  CATEGORIES,
  type Category,
  type PageRegion,
  type PagemapScan,
  type PagemapScanResult,
} from "./mm/pagemap-scan.js";
export { PopulateCall } from "./mm/populate-call.js";
export { Thread, type ThreadOutcome, type ThreadPlan } from "./mm/thread.js";
export type { Protection, Vma } from "./mm/vma.js";
export { type Feature, FEATURES, type IoctlName, type Mode } from "./uffd/features.js";
export { flagsOf, type Message, type PagefaultMessage, type RangeMessage } from "./uffd/messages.js";
export { type CopyOptions, Userfaultfd, type UserfaultfdOptions, type Wake } from "./uffd/userfaultfd.js";
