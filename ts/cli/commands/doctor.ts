import { accessSync, constants, readFileSync } from "node:fs";
import { release } from "node:os";
import { delimiter, join } from "node:path";
import { Command } from "commander";
import { AddressSpace, createEngine, PAGE_SIZE, Userfaultfd } from "../../node.js";
import { packageVersion } from "../version.js";

/** One thing that was looked at. `ok` is null where it is only worth knowing. */
interface Check {
  readonly what: string;
  readonly ok: boolean | null;
  readonly found: string;
}

/** `pte-engine doctor`: what works here. Exit code 1 if the engine itself does not. */
export function doctorCommand(): Command {
  return new Command("doctor")
    .description("check this installation and say what the machine offers")
    .option("--json", "print JSON")
    .action(doctor);
}

async function doctor(options: { json?: true }): Promise<void> {
  const checks = [nodeCheck(), await engineCheck(), ...kernelChecks(), ...toolChecks()];
  if (options.json === true) process.stdout.write(`${JSON.stringify({ version: packageVersion(), checks })}\n`);
  else process.stdout.write(checks.map(checkText).join(""));
  if (checks.some((check) => check.ok === false)) process.exitCode = 1;
}

function checkText({ what, ok, found }: Check): string {
  const mark = ok === null ? "  -  " : ok ? "  ok " : "FAIL ";
  return `${mark} ${what.padEnd(28)} ${found}\n`;
}

function nodeCheck(): Check {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  return {
    what: "Node.js 20.19 or newer",
    ok: major > 20 || (major === 20 && minor >= 19),
    found: process.versions.node,
  };
}

/** Runs the smallest true experiment: a marker in an untouched page, and the two faults of a write to it. */
async function engineCheck(): Promise<Check> {
  const what = "engine";
  try {
    const space = new AddressSpace(await createEngine());
    const page = space.mmap({ length: PAGE_SIZE });
    const uffd = Userfaultfd.open(space, { features: ["wp-unpopulated"] });
    uffd.register(page, PAGE_SIZE, ["wp"]);
    uffd.writeProtect(page, PAGE_SIZE);
    const marker = space.engine.readEntries(space.handle, page / PAGE_SIZE, 1)[0] ?? 0n;
    const write = space.write(page, 1);
    uffd.removeWriteProtection(page, PAGE_SIZE);
    const isRight = marker === 0xfffffffffffffc00n && write.outcome === "ok" && write.minflt === 2;
    const found = `version ${packageVersion()}, marker 0x${marker.toString(16)}, a write to it takes ${write.minflt} faults`;
    return { what, ok: isRight, found };
  } catch (error) {
    return { what, ok: false, found: String(error) };
  }
}

function kernelChecks(): Check[] {
  if (process.platform !== "linux")
    return [{ what: "kernel", ok: null, found: `${process.platform}: simulation only` }];
  return [
    { what: "kernel", ok: null, found: `Linux ${release()}` },
    { what: "vm.unprivileged_userfaultfd", ok: null, found: contentOf("/proc/sys/vm/unprivileged_userfaultfd") },
    {
      what: "/dev/userfaultfd",
      ok: null,
      found: isAccessible("/dev/userfaultfd") ? "can be opened" : "cannot be opened",
    },
    { what: "transparent huge pages", ok: null, found: contentOf("/sys/kernel/mm/transparent_hugepage/enabled") },
  ];
}

function toolChecks(): Check[] {
  return [
    { what: "valgrind (lackey traces)", ok: null, found: programAt("valgrind") },
    { what: "perf (page-fault traces)", ok: null, found: programAt("perf") },
  ];
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "not there";
  }
}

function isAccessible(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function programAt(name: string): string {
  const found = (process.env["PATH"] ?? "").split(delimiter).find((folder) => isAccessibleProgram(join(folder, name)));
  return found === undefined ? "not found" : join(found, name);
}

function isAccessibleProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
