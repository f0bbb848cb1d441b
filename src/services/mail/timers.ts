/**
 * Timers of a state machine: effects in, events out.
 *
 * Times are milliseconds of `performance.now()`. A time further away than one timer of the
 * event loop can span is reached in several steps.
 */

const LONGEST_MS = 2 ** 31 - 1;

export class Timers {
  readonly #strike: (id: number) => void;
  readonly #timers = new Map<number, NodeJS.Timeout>();

  constructor(strike: (id: number) => void) {
    this.#strike = strike;
  }

  set(id: number, atMs: number): void {
    this.clear(id);
    const delayMs = Math.max(0, Math.ceil(atMs - performance.now()));
    const timer = setTimeout(
      () => {
        this.#timers.delete(id);
        if (delayMs > LONGEST_MS) this.set(id, atMs);
        else this.#strike(id);
      },
      Math.min(delayMs, LONGEST_MS),
    );
    this.#timers.set(id, timer);
  }

  clear(id: number): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
  }

  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
