/**
 * A queue whose ends cost the same however long it is.
 *
 * An array alone moves all its elements when the first one is taken, which a long line of
 * tasks would pay for each of them.
 */
const SLACK_MIN = 32;

export class Fifo<T> {
  #items: T[] = [];
  /** Elements before it were taken. */
  #head = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    if (this.#head === this.#items.length) return undefined;
    const item = this.#items[this.#head] as T;
    // Nothing that was taken is kept alive.
    this.#items[this.#head++] = undefined as T;
    if (this.#head >= SLACK_MIN && this.#head * 2 >= this.#items.length) this.#compact();
    return item;
  }

  /** Takes out whatever `isUnwanted`, wherever it stands. */
  remove(isUnwanted: (item: T) => boolean): void {
    this.#compact();
    this.#items = this.#items.filter((item) => !isUnwanted(item));
  }

  /** Takes everything. */
  clear(): T[] {
    this.#compact();
    return this.#items.splice(0);
  }

  #compact(): void {
    this.#items.splice(0, this.#head);
    this.#head = 0;
  }
}
