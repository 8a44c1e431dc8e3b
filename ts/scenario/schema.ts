import { CATEGORIES } from "../mm/pagemap-scan.js";
import { PROTECTIONS } from "../mm/vma.js";
import { FEATURES, MODES } from "../uffd/features.js";
import { ADVICE } from "./document.js";

/** A JSON Schema, or a part of one. */
export type JsonSchema = { readonly [keyword: string]: unknown };

const NAME = "[A-Za-z][A-Za-z0-9_-]*";
const TEXT = { type: "string" };
const FLAG = { type: "boolean" };
const COUNT = { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER };
const name: JsonSchema = { type: "string", pattern: `^${NAME}$` };
const uffd: JsonSchema = { type: "string", pattern: `^${NAME}(\\.[0-9]+)*$` };
const place: JsonSchema = { type: "string", pattern: `^(0x[0-9A-Fa-f]+|${NAME}(\\[[0-9]+\\](\\+[0-9]+)?)?)$` };
const size: JsonSchema = { anyOf: [COUNT, { type: "string", pattern: "^[0-9]+[KMGT]$" }] };
const range: JsonSchema = {
  anyOf: [
    { type: "string", pattern: `^${NAME}(\\[[0-9]+(\\.\\.[0-9]+)?\\])?$` },
    {
      type: "object",
      required: ["start", "length"],
      properties: { start: place, length: size },
      additionalProperties: false,
    },
  ],
};

/** Fields of each operation; those whose name ends in `!` must be there. */
const OPERATIONS: Readonly<Record<string, Readonly<Record<string, JsonSchema>>>> = {
  mmap: {
    "as!": name,
    "pages!": COUNT,
    kind: oneOf(["anon", "shmem", "file", "hugetlb"]),
    sharing: oneOf(["private", "shared"]),
    prot: oneOf(PROTECTIONS),
    at: place,
    source: name,
    offset: COUNT,
  },
  munmap: { "range!": range },
  mprotect: { "range!": range, "prot!": oneOf(PROTECTIONS) },
  mremap: { "range!": range, "pages!": COUNT, move: FLAG, as: name, dontunmap: FLAG },
  madvise: { "range!": range, "advice!": oneOf(ADVICE) },
  fork: { "as!": name },
  exit: {},
  uffd: { "as!": name, features: listOf(FEATURES), userModeOnly: FLAG, handler: handlerSchema() },
  register: { "uffd!": uffd, "range!": range, "modes!": listOf(MODES) },
  unregister: { "uffd!": uffd, "range!": range },
  wake: { "uffd!": uffd, "range!": range },
  close: { "uffd!": uffd },
  writeprotect: { "uffd!": uffd, "range!": range, wp: FLAG, dontwake: FLAG },
  copy: { "uffd!": uffd, "range!": range, value: COUNT, wp: FLAG, dontwake: FLAG },
  zeropage: { "uffd!": uffd, "range!": range, dontwake: FLAG },
  continue: { "uffd!": uffd, "range!": range, wp: FLAG, dontwake: FLAG },
  poison: { "uffd!": uffd, "range!": range, dontwake: FLAG },
  move: { "uffd!": uffd, "range!": range, "from!": place, dontwake: FLAG, allowSrcHoles: FLAG },
  read: { "at!": place, as: name },
  write: { "at!": place, value: COUNT, as: name },
  touch: { "range!": range, "access!": oneOf(["read", "write"]), value: COUNT, stride: { ...COUNT, minimum: 1 } },
  resume: { "thread!": name },
  pagemap: { "range!": range },
  "pagemap-scan": {
    "range!": range,
    flags: listOf(["wp-matching", "check-wpasync"]),
    inverted: listOf(CATEGORIES),
    mask: listOf(CATEGORIES),
    anyof: listOf(CATEGORIES),
    return: listOf(CATEGORIES),
    maxPages: COUNT,
    vecLen: COUNT,
  },
  stat: {},
};

/**
 * JSON Schema (2020-12) of scenario documents, for editors and other programs. It says what a document may look like; whether its names
 * are known and its ranges make sense is only told by `runScenario`.
 */
export const SCENARIO_SCHEMA: JsonSchema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "pte-engine scenario, version 1",
  type: "object",
  required: ["scenario", "steps"],
  properties: {
    scenario: { const: 1 },
    name: TEXT,
    about: TEXT,
    machine: machineSchema(),
    steps: {
      type: "array",
      items: { oneOf: Object.entries(OPERATIONS).map(([op, fields]) => stepSchema(op, fields)) },
    },
  },
  additionalProperties: false,
};

function stepSchema(op: string, fields: Readonly<Record<string, JsonSchema>>): JsonSchema {
  const named = Object.entries(fields).map(([key, schema]) => [key.replace("!", ""), schema] as const);
  const required = Object.keys(fields).filter((key) => key.endsWith("!"));
  return {
    type: "object",
    title: op,
    required: ["op", ...required.map((key) => key.slice(0, -1))],
    properties: { op: { const: op }, proc: name, expect: { type: "object" }, ...Object.fromEntries(named) },
    additionalProperties: false,
  };
}

function handlerSchema(): JsonSchema {
  return {
    type: "object",
    properties: {
      missing: oneOf(["copy", "zeropage", "poison", "none"]),
      wp: oneOf(["unprotect", "none"]),
      minor: oneOf(["continue", "poison", "none"]),
    },
    additionalProperties: false,
  };
}

function machineSchema(): JsonSchema {
  const thp = oneOf(["never", "madvise", "always"]);
  return {
    type: "object",
    properties: {
      thp,
      shmemThp: thp,
      hugetlbPages: COUNT,
      swapPages: COUNT,
      kernel: { type: "string", pattern: "^(5\\.(7|8|9|1[0-9])|6\\.([0-9]|1[0-8]))(\\.[0-9]+)?$" },
    },
    additionalProperties: false,
  };
}

function oneOf(values: readonly string[]): JsonSchema {
  return { enum: [...values] };
}

function listOf(values: readonly string[]): JsonSchema {
  return { type: "array", items: oneOf(values) };
}
