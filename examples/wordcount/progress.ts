/** One line on a terminal that says how far the work has come; nothing anywhere else. */
import type { WriteStream } from 'node:tty';

const INTERVAL_MS = 100;
const MEBIBYTE = 1024 * 1024;

export class Progress {
  readonly #stream: WriteStream;
  #files = 0;
  #bytes = 0;
  #shown = false;
  #shownAtMs = Number.NEGATIVE_INFINITY;

  constructor(stream: WriteStream) {
    this.#stream = stream;
  }

  add(files: number, bytes: number): void {
    this.#files += files;
    this.#bytes += bytes;
    if (!this.#stream.isTTY || performance.now() - this.#shownAtMs < INTERVAL_MS) return;
    this.#shownAtMs = performance.now();
    this.#shown = true;
    const megabytes = (this.#bytes / MEBIBYTE).toFixed(0);
    this.#stream.write(`\r\u001b[K${this.#files} files, ${megabytes} MiB`);
  }

  /** Takes the line away, so that something else can be written. */
  clear(): void {
    if (this.#shown) this.#stream.write('\r\u001b[K');
    this.#shown = false;
  }
}
