/** What is left of a time-out that spans several waits. */
export class Countdown {
  readonly #endMs: number;

  /** Milliseconds from now on; -1 for ever. */
  constructor(timeoutMs: number) {
    this.#endMs = timeoutMs < 0 ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs;
  }

  /** Milliseconds, 0 when it is over, -1 for ever. */
  leftMs(): number {
    if (this.#endMs === Number.POSITIVE_INFINITY) return -1;
    return Math.max(0, this.#endMs - performance.now());
  }
}
