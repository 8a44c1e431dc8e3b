import type { Scenario } from "../../scenario/document.js";
import { guardCases } from "./guards.js";
import { protectionCases } from "./protection.js";
import { scanCases } from "./scan.js";
import { userfaultfdCases } from "./userfaultfd.js";

/** Scenarios that follow the kernel's own selftests of userfaultfd, PAGEMAP_SCAN and guard regions, case by case. */
export function selftests(): Scenario[] {
  return [...userfaultfdCases(), ...protectionCases(), ...scanCases(), ...guardCases()];
}
