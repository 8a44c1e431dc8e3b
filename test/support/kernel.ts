import { whyNotMeasurable } from "../../ts/verify/measure/program.js";

/**
 * Says why tests that measure this machine's kernel must be skipped; undefined where they need not.
 * Throws an Error instead when PTE_REQUIRE_ALL is 1.
 */
export async function reasonToSkipMeasuring(): Promise<string | undefined> {
  const reason = await whyNotMeasurable();
  if (reason !== undefined && process.env["PTE_REQUIRE_ALL"] === "1") throw new Error(reason);
  return reason;
}
