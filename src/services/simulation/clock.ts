/**
 * Virtual time: happenings in the order of their times, and in the order in which they were
 * entered when the times are the same. Used by tests only.
 */

interface Happening {
  readonly atMs: number;
  readonly order: number;
  /** Undefined when it was taken back. */
  run: (() => void) | undefined;
}

export class Clock {
  nowMs = 0;
  /** A heap: no happening is before the one at half its place. */
  readonly #heap: Happening[] = [];
  #order = 0;

  /** Enters a happening; the result takes it back. */
  after(delayMs: number, run: () => void): () => void {
    const happening: Happening = { atMs: this.nowMs + delayMs, order: ++this.#order, run };
    this.#heap.push(happening);
    this.#rise(this.#heap.length - 1);
    return () => {
      happening.run = undefined;
    };
  }

  /** The next happening; false when there is none, or none before `untilMs`. */
  advance(untilMs = Number.POSITIVE_INFINITY): boolean {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || (next.run !== undefined && next.atMs > untilMs)) return false;
      this.#removeFirst();
      if (next.run === undefined) continue;
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.run();
      return true;
    }
  }

  #rise(from: number) {
    let at = from;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!this.#isBefore(at, above)) return;
      this.#swap(at, above);
      at = above;
    }
  }

  #removeFirst() {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    heap[0] = last;
    let at = 0;
    for (;;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let least = at;
      if (left < heap.length && this.#isBefore(left, least)) least = left;
      if (right < heap.length && this.#isBefore(right, least)) least = right;
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [one, other] = [this.#heap[a], this.#heap[b]];
    if (one === undefined || other === undefined) return false;
    return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
  }

  #swap(a: number, b: number) {
    const [one, other] = [this.#heap[a], this.#heap[b]];
    if (one === undefined || other === undefined) return;
    this.#heap[a] = other;
    this.#heap[b] = one;
  }
}
