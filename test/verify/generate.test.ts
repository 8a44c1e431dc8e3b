import { Ajv2020 } from "ajv/dist/2020.js";
import { beforeAll, describe, expect, it } from "vitest";
import { checkDocument } from "../../ts/scenario/check.js";
import { ADVICE, type Scenario, type Step } from "../../ts/scenario/document.js";
import { SCENARIO_SCHEMA } from "../../ts/scenario/schema.js";
import { FEATURES } from "../../ts/uffd/features.js";
import { generateScenario, PROFILES, type ProfileName } from "../../ts/verify/generate/generate.js";
import { isHarmless } from "../../ts/verify/generate/hazards.js";

const SEEDS = 120;
/** Of the profile about misuse there are more, as it has to reach every way of every call. */
const SEEDS_OF_ERRORS = 500;
const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(SCENARIO_SCHEMA);
const all = new Map<ProfileName, Scenario[]>();

beforeAll(() => {
  for (const profile of PROFILES) {
    all.set(
      profile,
      Array.from({ length: profile === "errors" ? SEEDS_OF_ERRORS : SEEDS }, (_, seed) =>
        generateScenario(profile, seed),
      ),
    );
  }
});

function scenariosOf(profile: ProfileName): readonly Scenario[] {
  return all.get(profile) ?? [];
}

function stepsOf(...profiles: ProfileName[]): Step[] {
  return (profiles.length > 0 ? profiles : [...PROFILES]).flatMap((profile) =>
    scenariosOf(profile).flatMap(({ steps }) => steps),
  );
}

/** What a step is, as far as other answers are to be expected: its operation and what it asks for. */
function cellOf(step: Step): string {
  switch (step.op) {
    case "mmap":
      return `mmap ${step.kind ?? "anon"} ${step.sharing ?? "private"}`;
    case "madvise":
      return `madvise ${step.advice}`;
    case "register":
      return `register ${[...step.modes].sort().join("+")}`;
    case "writeprotect":
      return `writeprotect ${step.wp !== false} ${step.dontwake === true}`;
    case "mremap":
      return `mremap ${step.move === true} ${step.dontunmap === true}`;
    case "move":
      return `move ${step.allowSrcHoles === true}`;
    case "pagemap-scan":
      return `pagemap-scan ${step.flags?.join("+") ?? ""}`;
    default:
      return step.op;
  }
}

function countCells(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const step of stepsOf()) counts.set(cellOf(step), (counts.get(cellOf(step)) ?? 0) + 1);
  return counts;
}

describe.each(PROFILES)("profile %s", (profile) => {
  it("gives the same for the same seed, and others for others", () => {
    expect(generateScenario(profile, 7)).toEqual(scenariosOf(profile)[7]);
    expect(new Set(scenariosOf(profile).map((scenario) => JSON.stringify(scenario.steps))).size).toBe(
      scenariosOf(profile).length,
    );
  });

  it("gives valid documents that a live kernel survives", () => {
    for (const scenario of scenariosOf(profile)) {
      expect(() => checkDocument(scenario)).not.toThrow();
      expect(validate(scenario), JSON.stringify(validate.errors)).toBe(true);
      expect(isHarmless(scenario)).toBe(true);
    }
  });

  it("keeps to what an executor can do, at a moderate cost", () => {
    for (const { steps } of scenariosOf(profile)) {
      expect(steps.length >= 8 && steps.length <= 130, `${steps.length} steps`).toBe(true);
      expect(steps.filter((step) => step.op === "fork").length < 16).toBe(true);
    }
  });

  it("looks at what it changes", () => {
    const steps = stepsOf(profile);
    const looks = steps.filter(({ op }) => op === "pagemap" || op === "pagemap-scan" || op === "stat");
    expect(looks.length / steps.length).toBeGreaterThan(0.2);
  });
});

describe("all profiles together", () => {
  let counts = new Map<string, number>();
  beforeAll(() => {
    counts = countCells();
  });

  const modes = ["missing", "minor", "wp", "minor+missing", "missing+wp", "minor+wp", "minor+missing+wp", ""];
  const cells = [
    ...["anon", "shmem", "file", "hugetlb"].flatMap((kind) => [`mmap ${kind} private`, `mmap ${kind} shared`]),
    ...ADVICE.map((advice) => `madvise ${advice}`),
    ...modes.map((mode) => `register ${mode}`),
    ...["true false", "false false", "false true", "true true"].map((flags) => `writeprotect ${flags}`),
    ...["false false", "true false", "true true"].map((flags) => `mremap ${flags}`),
    ...["move false", "move true", "pagemap-scan ", "pagemap-scan wp-matching", "pagemap-scan check-wpasync"],
    ..."munmap mprotect fork exit uffd unregister close copy zeropage continue poison wake".split(" "),
    ..."read write touch resume pagemap stat".split(" "),
  ];

  it.each(cells)("reach: %s", (cell) => {
    expect(counts.get(cell) ?? 0).toBeGreaterThanOrEqual(10);
  });

  it("ask for every feature but the one whose messages depend on the run, and for every answer of a handler", () => {
    const opened = stepsOf().filter((step) => step.op === "uffd");
    const asked = new Set(opened.flatMap(({ features }) => features ?? []));
    expect([...asked].sort()).toEqual(FEATURES.filter((feature) => feature !== "thread-id").sort());
    const answers = new Set(opened.flatMap(({ handler }) => Object.entries(handler ?? {}).map(String)));
    for (const answer of ["missing,copy", "missing,zeropage", "missing,poison", "missing,none", "wp,none"]) {
      expect(answers).toContain(answer);
    }
    expect(answers).toContain("minor,poison");
    expect(opened.some(({ userModeOnly }) => userModeOnly === true)).toBe(true);
  });

  it.each(["register", "unregister", "wake", "writeprotect", "copy", "zeropage", "continue", "poison", "move"])(
    "misuse %s: places inside pages, odd lengths, none at all, closed descriptors",
    (op) => {
      const ranges = stepsOf("errors", "all").flatMap((step) =>
        step.op === op && "range" in step ? [step.range] : [],
      );
      const odd = ranges.filter((range) => typeof range !== "string");
      expect(odd.some(({ start }) => start.includes("+"))).toBe(true);
      expect(odd.some(({ length }) => length === 0)).toBe(true);
      expect(odd.some(({ length }) => typeof length === "number" && length % 4096 > 0)).toBe(true);
      expect(odd.some(({ start }) => start === "0x7ffffffff000")).toBe(true);
      expect(countClosed(op)).toBeGreaterThan(0);
    },
  );

  it("use huge pages, swap and the pool where a profile is about them", () => {
    const machines = (profile: ProfileName): unknown[] => scenariosOf(profile).map(({ machine }) => machine);
    expect(machines("thp").every((machine) => machine !== undefined)).toBe(true);
    expect(machines("swap").every((machine) => machine !== undefined)).toBe(true);
    expect(machines("hugetlb").every((machine) => machine !== undefined)).toBe(true);
    expect(new Set(machines("all").map((machine) => JSON.stringify(machine))).size).toBeGreaterThan(3);
  });
});

/** Calls with a descriptor that a step before closed. */
function countClosed(op: string): number {
  let count = 0;
  for (const { steps } of PROFILES.flatMap(scenariosOf)) {
    const closed = new Set<string>();
    for (const step of steps) {
      if (step.op === "close") closed.add(step.uffd);
      else if (step.op === op && "uffd" in step && closed.has(step.uffd)) count++;
    }
  }
  return count;
}
