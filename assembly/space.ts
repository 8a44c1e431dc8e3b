import { PAGE_LIMIT_BITS, SPACE_KERNEL, SPACE_PGD, ZAP_DROP_MARKERS } from "./abi";
import { allocateBlock, freeABlock } from "./arena";
import { TABLE_BYTES } from "./geometry";
import { releaseRegions } from "./regions";
import { pgdOf } from "./table";
import { freeTables } from "./free-tables";
import { zap } from "./zap";

/**
 * Address spaces: a control block (layout: SPACE_ in `abi.ts`) and a PGD each. The offset of the control block is the space's handle.
 */

const ALL_PAGES: u64 = (<u64>1) << PAGE_LIMIT_BITS;

/** Returns a new, empty address space, or 0 when the memory is used up. */
export function createSpace(): usize {
  const space = allocateBlock();
  if (space == 0) return 0;
  const pgd = allocateBlock();
  if (pgd == 0) {
    freeABlock(space);
    return 0;
  }
  store<u32>(space, <u32>pgd, SPACE_PGD);
  return space;
}

/** Says by KERNEL_ bits what the kernel of a space does differently from the newest one. */
export function setKernel(space: usize, differences: u32): void {
  store<u32>(space, differences, SPACE_KERNEL);
}

/** Gives back everything that an address space holds. */
export function destroySpace(space: usize): void {
  zap(space, 0, ALL_PAGES, ZAP_DROP_MARKERS);
  freeTables(space, 0, ALL_PAGES, 0, ALL_PAGES);
  releaseRegions(space);
  freeABlock(pgdOf(space));
  memory.fill(space, 0, TABLE_BYTES);
  freeABlock(space);
}
