/** Gives the reader a file to keep. */

/** A file before it is one. */
export interface TextFile {
  readonly name: string;
  readonly type: string;
  readonly text: string;
}

/** Has the browser save a file, as it saves everything. */
export function download({ name, type, text }: TextFile): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // the browser has taken it by the next task; some take it a moment later
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
