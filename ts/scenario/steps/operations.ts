import type { Step } from "../document.js";
import type { StepReader } from "../plan.js";
import { readRead, readResume, readTouch, readWrite } from "./accesses.js";
import { readClose, readRegister, readUffd, readUnregister, readWake, readWriteprotect } from "./descriptors.js";
import { readContinue, readCopy, readMove, readPoison, readZeropage } from "./fills.js";
import { readExit, readFork, readMadvise, readMmap, readMprotect, readMremap, readMunmap } from "./mappings.js";
import { readPagemap, readPagemapScan, readStat } from "./observations.js";

/** Every operation of the format. */
export const OPERATIONS: Readonly<Record<Step["op"], StepReader>> = {
  mmap: readMmap,
  munmap: readMunmap,
  mprotect: readMprotect,
  mremap: readMremap,
  madvise: readMadvise,
  fork: readFork,
  exit: readExit,
  uffd: readUffd,
  register: readRegister,
  unregister: readUnregister,
  close: readClose,
  writeprotect: readWriteprotect,
  copy: readCopy,
  zeropage: readZeropage,
  continue: readContinue,
  poison: readPoison,
  move: readMove,
  wake: readWake,
  read: readRead,
  write: readWrite,
  touch: readTouch,
  resume: readResume,
  pagemap: readPagemap,
  "pagemap-scan": readPagemapScan,
  stat: readStat,
};
