import type { Scenario } from "../../scenario/document.js";

/** Scenarios that follow the kernel's own selftests of userfaultfd, PAGEMAP_SCAN and guard regions, case by case. */
export function selftests(): Scenario[] {
  return [];
}
