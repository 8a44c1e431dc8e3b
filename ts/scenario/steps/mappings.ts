import { PAGE_LIMIT, PAGE_SIZE } from "../../base/pages.js";
import { MEMORY_KINDS } from "../../mm/memory-object.js";
import { PROTECTIONS } from "../../mm/vma.js";
import { ADVICE } from "../document.js";
import { attempt } from "../execution.js";
import type { DeclaredMapping } from "../names.js";
import type { Checked, StepFields } from "../plan.js";

/** Longer than any mapping can be. */
const TOO_MANY_PAGES: number = 2 * PAGE_LIMIT;

export function readMmap(step: StepFields): Checked {
  const pages = step.get("pages").count();
  const kind = step.get("kind").or("anon").choice(MEMORY_KINDS);
  const sharing = step.get("sharing").or("private").choice(["private", "shared"]);
  const protection = step.get("prot").or("rw").choice(PROTECTIONS);
  const start = step.has("at") ? step.names.place(step.get("at")) : step.names.nextPlace();
  const offset = step.get("offset").or(0).count();
  const source = readSource(step);
  const isNew = source === null && kind !== "anon";
  const object = source?.object ?? (isNew ? step.names.nextObject() : null);
  const isHuge = source?.isHuge ?? kind === "hugetlb";
  const mapping = step.names.addMapping(step.get("as"), { start, pages, object, isHuge });
  const length = Math.min(pages, TOO_MANY_PAGES) * PAGE_SIZE;
  return {
    mapping,
    isCall: true,
    action: (execution) => {
      if (isNew && object !== null) execution.createObject(object, kind, Math.min(pages, TOO_MANY_PAGES));
      const mapped = object === null ? undefined : execution.object(object);
      if (mapped === null) return { errno: "EBADF" };
      return attempt(() => {
        execution.space.mmap({
          length,
          at: start,
          protection,
          sharing,
          offset,
          ...(mapped === undefined ? {} : { object: mapped }),
        });
        return { ok: true };
      });
    },
  };
}

export function readMunmap(step: StepFields): Checked {
  const { start, length } = step.range();
  return {
    isCall: true,
    action: ({ space }) =>
      attempt(() => {
        space.munmap(start, length);
        return { ok: true };
      }),
  };
}

export function readMprotect(step: StepFields): Checked {
  const { start, length } = step.range();
  const protection = step.get("prot").choice(PROTECTIONS);
  return {
    isCall: true,
    action: ({ space }) =>
      attempt(() => {
        space.mprotect(start, length, protection);
        return { ok: true };
      }),
  };
}

export function readMadvise(step: StepFields): Checked {
  const { start, length } = step.range();
  const advice = step.get("advice").choice(ADVICE);
  return {
    isCall: true,
    action: (execution) =>
      attempt(() => {
        const call = execution.space.madvise(start, length, advice);
        return call === null ? { ok: true } : execution.callAnswer(call);
      }),
  };
}

export function readMremap(step: StepFields): Checked {
  const { start, length } = step.range();
  const old = step.names.nearest(start);
  const pages = step.get("pages").count();
  const newLength = Math.min(pages, TOO_MANY_PAGES) * PAGE_SIZE;
  const keepsSource = step.flag("dontunmap");
  const moves = step.flag("move");
  const to = moves ? step.names.nextPlace() : null;
  const declared = to === null ? null : { start: to, pages, object: old?.object ?? null, isHuge: old?.isHuge === true };
  const mapping = declared === null ? {} : { mapping: step.names.addMapping(step.get("as"), declared) };
  return {
    ...mapping,
    isCall: true,
    action: ({ space }) =>
      attempt(() => {
        space.mremap(start, length, { newLength, keepsSource, ...(to === null ? {} : { to }) });
        return { ok: true };
      }),
  };
}

export function readFork(step: StepFields): Checked {
  const name = step.names.addProcess(step.get("as"));
  return {
    isCall: true,
    action: (execution) => {
      execution.fork(name);
      return { ok: true };
    },
  };
}

export function readExit(): Checked {
  return {
    action: (execution) => {
      execution.exit();
      return { ok: true };
    },
  };
}

/** The mapping whose object is mapped again, or null. */
function readSource(step: StepFields): DeclaredMapping | null {
  if (!step.has("source")) return null;
  const field = step.get("source");
  const mapping = step.names.mapping(field);
  return mapping.object === null ? field.wrong("the name of a shmem, file or hugetlb mapping") : mapping;
}
