/** Something that changed an entry. */
export interface EntryEvent {
  /** Where to go back to. */
  readonly moment: number;
  /** What it was: "uffd.writeProtect", "write fault". */
  readonly what: string;
  /** The entry before and after, as hexadecimal digits of a u64, with or without 0x. */
  readonly before: string;
  readonly after: string;
  /** What brought it about: "exception 0x7". */
  readonly cause?: string;
}
