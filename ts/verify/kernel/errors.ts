/** Scenarios cannot be carried out on this machine's kernel: the message says why, for a person. */
export class KernelUnavailableError extends Error {
  override readonly name: string = "KernelUnavailableError";
}
