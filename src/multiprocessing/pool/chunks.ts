/**
 * Work as a pool moves it: chunks of items, and where they come from.
 *
 * Goals: input is pulled from its iterable only when there is room for it, one chunk at a
 * time; an input that throws ends the work after the last whole chunk with its own error.
 * Non-goals: nothing here knows about workers or processes.
 */

import type { TargetReference } from '../targets.ts';

/** What became of one item, or of a call. */
export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: unknown };

/** What became of the items of a chunk. */
export interface Results {
  /** One for each item; undefined in the place of one that failed. */
  readonly values: readonly unknown[];
  /** Errors by the item's place in the chunk; undefined when none failed. */
  readonly errors: ReadonlyMap<number, unknown> | undefined;
}

/** The results of a chunk of which nothing came back. */
export function failed(chunk: Chunk, error: unknown): Results {
  const values = new Array<undefined>(chunk.items.length).fill(undefined);
  return { values, errors: new Map(values.map((_, place) => [place, error])) };
}

/** What a worker runs for each item of a chunk. */
export interface Call {
  /** The number of its reference in this pool. */
  readonly id: number;
  readonly reference: TargetReference;
  /** True when an item is the list of arguments, false when it is the only one. */
  readonly spread: boolean;
}

/** Some consecutive items of one job, the unit that travels to a worker. */
export interface Chunk {
  readonly id: number;
  readonly job: ChunkOwner;
  /** Index of the first item in the job. */
  readonly first: number;
  readonly items: readonly unknown[];
}

/** Who gets to know what became of a chunk. */
export interface ChunkOwner {
  readonly call: Call;
  settle(chunk: Chunk, results: Results): void;
}

export type Input<T> = Iterable<T> | AsyncIterable<T>;

/** CPython's rule: about four chunks for each worker. */
export function defaultChunksize(length: number, workers: number): number {
  return Math.max(1, Math.ceil(length / (workers * 4)));
}

export function isAsync<T>(input: Input<T>): input is AsyncIterable<T> {
  return Symbol.asyncIterator in input;
}

/** Items of a source, a chunk at a time. */
export interface Source {
  /** The next chunk's items; undefined when none is ready now, or none is left. */
  take(): readonly unknown[] | undefined;
  /** True when no further item will come. */
  readonly ended: boolean;
  /** What the input threw, after `ended`. */
  readonly failure: { readonly error: unknown } | undefined;
  /** Stops pulling and lets the input clean up. */
  stop(): void;
}

/** Cuts an array that is there already. */
export class ArraySource implements Source {
  readonly #items: readonly unknown[];
  readonly #chunksize: number;
  #next = 0;
  readonly failure = undefined;

  constructor(items: readonly unknown[], chunksize: number) {
    this.#items = items;
    this.#chunksize = chunksize;
  }

  get ended(): boolean {
    return this.#next >= this.#items.length;
  }

  take(): readonly unknown[] | undefined {
    if (this.ended) return undefined;
    const items = this.#items.slice(this.#next, this.#next + this.#chunksize);
    this.#next += items.length;
    return items;
  }

  stop(): void {
    this.#next = this.#items.length;
  }
}

/** Pulls a synchronous iterable when a chunk is asked for. */
export class IteratorSource implements Source {
  readonly #iterator: Iterator<unknown>;
  readonly #chunksize: number;
  ended = false;
  failure: { readonly error: unknown } | undefined;

  constructor(input: Iterable<unknown>, chunksize: number) {
    this.#iterator = input[Symbol.iterator]();
    this.#chunksize = chunksize;
  }

  take(): readonly unknown[] | undefined {
    const items: unknown[] = [];
    while (!this.ended && items.length < this.#chunksize) {
      try {
        const { done, value } = this.#iterator.next();
        if (done) this.ended = true;
        else items.push(value);
      } catch (error) {
        this.ended = true;
        this.failure = { error };
        return undefined;
      }
    }
    return items.length > 0 ? items : undefined;
  }

  stop(): void {
    if (this.ended) return;
    this.ended = true;
    this.#iterator.return?.();
  }
}

/** Pulls an asynchronous iterable, one chunk ahead of what is asked for. */
export class AsyncSource implements Source {
  readonly #iterator: AsyncIterator<unknown>;
  readonly #chunksize: number;
  readonly #onReady: () => void;
  #ready: unknown[] | undefined;
  #pulling = false;
  #finished = false;
  #stopped = false;
  failure: { readonly error: unknown } | undefined;

  /** `onReady` is called when a chunk has become ready, or the end is known. */
  constructor(input: AsyncIterable<unknown>, chunksize: number, onReady: () => void) {
    this.#iterator = input[Symbol.asyncIterator]();
    this.#chunksize = chunksize;
    this.#onReady = onReady;
  }

  get ended(): boolean {
    return this.#finished && this.#ready === undefined;
  }

  take(): readonly unknown[] | undefined {
    const items = this.#ready;
    this.#ready = undefined;
    if (items === undefined && !this.#pulling && !this.#finished) void this.#pull();
    return items;
  }

  stop(): void {
    this.#ready = undefined;
    this.#stopped = true;
    if (this.#finished) return;
    this.#finished = true;
    // The work is over: an input that fails to clean up has nobody left to tell.
    this.#iterator.return?.().catch(() => undefined);
  }

  async #pull(): Promise<void> {
    this.#pulling = true;
    const items: unknown[] = [];
    try {
      while (!this.#finished && items.length < this.#chunksize) {
        const { done, value } = await this.#iterator.next();
        if (done) this.#finished = true;
        else items.push(value);
      }
      if (items.length > 0 && !this.#stopped) this.#ready = items;
    } catch (error) {
      this.#finished = true;
      this.failure = { error };
    }
    this.#pulling = false;
    if (!this.#stopped) this.#onReady();
  }
}
