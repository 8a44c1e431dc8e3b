/** A mistake of the user's: its message goes to standard error as it is, and the program ends with exit code 2. */
export class UsageError extends Error {
  override readonly name: string = "UsageError";
}
