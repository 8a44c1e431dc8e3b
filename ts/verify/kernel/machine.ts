import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Scenario } from "../../scenario/document.js";
import type { Keeper } from "./keeper.js";

const THP = "/sys/kernel/mm/transparent_hugepage";
const POOL = "/sys/kernel/mm/hugepages/hugepages-2048kB";
/** A large number of milliseconds: khugepaged must not work in the background. */
const ASLEEP_MS = 1000000000;

/** The machine that a scenario asks for. */
export interface Machine {
  readonly thp: "never" | "madvise" | "always";
  readonly shmemThp: "never" | "madvise" | "always";
  readonly hugetlbPages: number;
  readonly swapPages: number;
}

export function machineOf({ machine }: Scenario): Machine {
  const { thp = "never", shmemThp = "never", hugetlbPages = 0, swapPages = 0 } = machine ?? {};
  return { thp, shmemThp, hugetlbPages, swapPages };
}

/** Whether scenarios on this machine use something there is only one of, so that they have to run one at a time. */
export function isShared(machine: Machine): boolean {
  return machine.hugetlbPages > 0 || machine.swapPages > 0;
}

/** Makes the real machine so. Returns false if it cannot be had here. What was changed stays so until the keeper restores it. */
export async function makeMachine(machine: Machine, keeper: Keeper): Promise<boolean> {
  await makeQuiet(keeper);
  const hasThp = await keeper.set(`${THP}/enabled`, machine.thp);
  await keeper.set(`${THP}/defrag`, "madvise");
  const ofShmem = machine.shmemThp === "madvise" ? "advise" : machine.shmemThp;
  const hasShmemThp = await keeper.set(`${THP}/shmem_enabled`, ofShmem);
  if ((!hasThp && machine.thp !== "never") || (!hasShmemThp && machine.shmemThp !== "never")) return false;
  if (machine.thp !== "never" || machine.shmemThp !== "never") await keeper.tireKhugepaged();
  if (!(await makePool(machine.hugetlbPages, keeper))) return false;
  return machine.swapPages === 0 || (await keeper.addSwap(machine.swapPages));
}

/** What happens is to happen because of a step: no work in the background, no read-ahead from swap, pages of no third size. */
async function makeQuiet(keeper: Keeper): Promise<void> {
  await keeper.set(`${THP}/khugepaged/scan_sleep_millisecs`, ASLEEP_MS);
  await keeper.set("/proc/sys/vm/page-cluster", 0);
  const sizes = existsSync(THP) ? readdirSync(THP).filter((name) => /^hugepages-\d+kB$/.test(name)) : [];
  for (const size of sizes) {
    const value = size === "hugepages-2048kB" ? "inherit" : "never";
    await keeper.set(join(THP, size, "enabled"), value);
    await keeper.set(join(THP, size, "shmem_enabled"), value);
  }
}

async function makePool(pages: number, keeper: Keeper): Promise<boolean> {
  if (!existsSync(POOL)) return pages === 0;
  // Linux can lose reservations for good: such pages are there, but not to be had
  const wanted = pages + numberIn(`${POOL}/resv_hugepages`);
  await keeper.set(`${POOL}/nr_hugepages`, wanted);
  return numberIn(`${POOL}/nr_hugepages`) === wanted;
}

function numberIn(path: string): number {
  return Number(readFileSync(path, "utf8"));
}
