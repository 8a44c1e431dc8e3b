import { KernelError } from "../base/errors.js";
import { PAGE_SIZE } from "../base/pages.js";
import { HUGE_PAGES } from "../mm/memory-object.js";
import type { PagefaultMessage } from "../uffd/messages.js";
import type { Userfaultfd } from "../uffd/userfaultfd.js";
import type { Fields } from "./fields.js";
import type { DeclaredMapping } from "./names.js";
import type { Places } from "./places.js";

/** Number of the first page that a handler copies in; the next page has the next number. */
export const FIRST_COPIED_VALUE = 1000000;

/** Pages of a 64-bit address space: indexes of pages count modulo this, so a page below its mapping's start has a large one. */
const ADDRESS_SPACE_PAGES = 2 ** 52;

const MISSING = ["copy", "zeropage", "poison", "none"] as const;
const WP = ["unprotect", "none"] as const;
const MINOR = ["continue", "poison", "none"] as const;

/** What is done at once with each page-fault message, for the page that it names. */
export interface Handler {
  readonly missing: (typeof MISSING)[number];
  readonly wp: (typeof WP)[number];
  readonly minor: (typeof MINOR)[number];
}

/** Checks the field `handler` of a step. */
export function readHandler(fields: Fields): Handler {
  const missing = fields.get("missing").or("copy").choice(MISSING);
  const wp = fields.get("wp").or("unprotect").choice(WP);
  const minor = fields.get("minor").or("continue").choice(MINOR);
  fields.end();
  return { missing, wp, minor };
}

/** Answers a page fault for the page, or the huge page of hugetlbfs, that it names. An answer that the kernel refuses is not repeated. */
export function answer(
  handler: Handler,
  uffd: Userfaultfd,
  message: PagefaultMessage,
  mapped: Places<DeclaredMapping>,
): void {
  const mapping = mapped.nearest(message.address);
  const bytes = mapping?.isHuge === true ? HUGE_PAGES * PAGE_SIZE : PAGE_SIZE;
  const page = message.address - (message.address % bytes);
  const index = Math.floor((page - (mapping?.start ?? page)) / PAGE_SIZE);
  try {
    ANSWERS[handler[message.kind]](uffd, page, bytes, index < 0 ? index + ADDRESS_SPACE_PAGES : index);
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
  }
}

type Answer = (uffd: Userfaultfd, start: number, bytes: number, index: number) => void;

const ANSWERS: Readonly<Record<Handler["missing"] | Handler["wp"] | Handler["minor"], Answer>> = {
  copy: (uffd, start, bytes, index) => uffd.copy(start, bytes, { value: FIRST_COPIED_VALUE + index, step: 1 }),
  zeropage: (uffd, start, bytes) => uffd.zeropage(start, bytes),
  poison: (uffd, start, bytes) => uffd.poison(start, bytes),
  continue: (uffd, start, bytes) => uffd.continue(start, bytes),
  unprotect: (uffd, start, bytes) => {
    uffd.removeWriteProtection(start, bytes);
  },
  none: () => undefined,
};
