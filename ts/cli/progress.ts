/** A line on the terminal that says how far long work is. Where standard error is no terminal it says nothing. */
export class Progress {
  readonly #stream: NodeJS.WriteStream;
  #shownAt = 0;
  #isShown = false;

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream;
  }

  /** Shows a share from 0 to 1, at most ten times a second; undefined where the end is not known. */
  show(text: string, share?: number): void {
    const now = Date.now();
    if (!this.#stream.isTTY || now - this.#shownAt < 100) return;
    this.#shownAt = now;
    this.#isShown = true;
    const percent = share === undefined ? "" : `${String(Math.floor(share * 100)).padStart(3)} % `;
    this.#stream.write(`\r\x1b[2K${percent}${text}`);
  }

  /** Removes the line. */
  clear(): void {
    if (this.#isShown) this.#stream.write("\r\x1b[2K");
    this.#isShown = false;
  }
}
