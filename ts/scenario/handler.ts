import { KernelError } from "../base/errors.js";
import { PAGE_SIZE } from "../base/pages.js";
import type { PagefaultMessage } from "../uffd/messages.js";
import type { Userfaultfd } from "../uffd/userfaultfd.js";
import type { Fields } from "./fields.js";
import type { Places } from "./places.js";

/** Number of the first page that a handler copies in; the next page has the next number. */
export const FIRST_COPIED_VALUE = 1000000;

const MISSING = ["copy", "zeropage", "poison", "none"] as const;
const WP = ["unprotect", "none"] as const;
const MINOR = ["continue", "poison", "none"] as const;

/** What is done at once with each page-fault message, for the page that it names. */
export interface Handler {
  readonly missing: (typeof MISSING)[number];
  readonly wp: (typeof WP)[number];
}

/** Checks the field `handler` of a step. Anonymous memory has no minor faults, so what is to be done with them is not kept. */
export function readHandler(fields: Fields): Handler {
  const missing = fields.get("missing").or("copy").choice(MISSING);
  const wp = fields.get("wp").or("unprotect").choice(WP);
  fields.get("minor").or("continue").choice(MINOR);
  fields.end();
  return { missing, wp };
}

/** Answers a page fault. An answer that the kernel refuses is not repeated, and wakes nobody. */
export function answer(handler: Handler, uffd: Userfaultfd, message: PagefaultMessage, mapped: Places): void {
  const page = message.address - (message.address % PAGE_SIZE);
  try {
    if (message.kind === "wp") {
      if (handler.wp === "unprotect") uffd.removeWriteProtection(page, PAGE_SIZE);
    } else if (handler.missing === "copy") {
      const start = mapped.nearest(page)?.start ?? page;
      uffd.copy(page, PAGE_SIZE, { value: FIRST_COPIED_VALUE + Math.floor((page - start) / PAGE_SIZE) });
    } else if (handler.missing === "zeropage") {
      uffd.zeropage(page, PAGE_SIZE);
    } else if (handler.missing === "poison") {
      uffd.poison(page, PAGE_SIZE);
    }
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
  }
}
