import { KernelUnavailableError } from "../../ts/verify/kernel/errors.js";
import { type LiveKernel, type KernelOptions, openKernel } from "../../ts/verify/kernel/live-kernel.js";

/**
 * Opens the kernel of this machine, or says why tests on it must be skipped.
 * Throws instead of a skip when PTE_REQUIRE_ALL is 1.
 */
export async function findKernel(options?: KernelOptions): Promise<{ kernel: LiveKernel } | { skip: string }> {
  try {
    return { kernel: await openKernel(options) };
  } catch (error) {
    if (!(error instanceof KernelUnavailableError) || process.env["PTE_REQUIRE_ALL"] === "1") throw error;
    return { skip: error.message };
  }
}
