import { ROOT, run } from "./run.mjs";

/**
 * Compares the engine with the kernel of this machine for some minutes, with seeds that no run had before. A difference is a failure, and so
 * is a kernel that cannot be asked.
 */
export function runVerify(minutes) {
  const seed = String(Math.floor(Date.now() / 1000));
  console.log(`check: verify --minutes ${minutes} --seed ${seed}`);
  const args = [`${ROOT}/dist/cli.js`, "verify", "--minutes", minutes, "--seed", seed];
  const failed = run(process.execPath, args) === 0 ? 0 : 1;
  if (failed) console.error("check failed: verify");
  return { failed };
}
