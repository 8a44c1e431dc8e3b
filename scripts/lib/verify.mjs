import { ROOT, run } from "./run.mjs";

const DAY_MS = 24 * 60 * 60 * 1000;
/** More than a machine gets through of one profile, so that no day repeats what the day before did. */
const SEEDS_A_DAY = 100_000;

/**
 * Compares the engine with the kernel of this machine for so many minutes, on scenarios that are new each day. A difference is a failure,
 * and so is a kernel that cannot be asked.
 */
export function runVerify(minutes) {
  const seed = (Math.floor(Date.now() / DAY_MS) * SEEDS_A_DAY) % 2 ** 32;
  console.log(`check: verify --minutes ${minutes} --seed ${seed}`);
  const args = [`${ROOT}/dist/cli.js`, "verify", "--minutes", minutes, "--seed", String(seed)];
  const failed = run(process.execPath, args) === 0 ? 0 : 1;
  if (failed) console.error("check failed: verify");
  return { failed };
}
