import { readFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem } from "node:os";
import { formatBytes } from "../../base/pages.js";
import type { MeasuringHost } from "../../sim/measurement.js";

/** Says which machine this is, and when. */
export function measuringHost(): MeasuringHost {
  return {
    kernel: `Linux ${release()}`,
    cpu: cpus()[0]?.model.trim() ?? "unknown CPU",
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    hugePages: hugePageSetting(),
    at: new Date().toISOString(),
  };
}

/** Describes a host in a line. */
export function describeHost({ kernel, cpu, cpus, memoryBytes, hugePages, at }: MeasuringHost): string {
  const minute = at.slice(0, 16).replace("T", " ");
  return `${kernel}, ${cpu}, ${cpus} CPUs, ${formatBytes(memoryBytes)}, THP ${hugePages}; ${minute} UTC`;
}

function hugePageSetting(): string {
  try {
    const text = readFileSync("/sys/kernel/mm/transparent_hugepage/enabled", "utf8");
    return /\[(\w+)\]/.exec(text)?.[1] ?? "unknown";
  } catch {
    return "not built in";
  }
}
