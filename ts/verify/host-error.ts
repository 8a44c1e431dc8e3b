/** What this host lacks or does not allow, so that its kernel cannot be asked: a message for a person. */
export class HostError extends Error {
  override readonly name: string = "HostError";
}
