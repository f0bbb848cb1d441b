/**
 * What a worker process of a pool runs: chunks from its channel, one after the other, until the
 * pool closes the channel or dies.
 *
 * Goals: a failing item fails alone; a result that can't be serialised is that item's error; a
 * chunk of short synchronous calls costs no turn of the event loop and no wake of the pool, and
 * yet the loop turns often enough for timers of the user's code.
 * Non-goals: a worker knows nothing of jobs, order or other workers.
 */
import { setImmediate as turnOfLoop } from 'node:timers/promises';
import { type Encoded, encode, encodeError } from '../../codec/index.ts';
import { Event, type SendHandle } from '../../core/index.ts';
import { getRuntime, setLoadingTarget } from '../../runtime/client/index.ts';
import {
  BrokenPipeError,
  EOFError,
  ResultEncodingError,
  SerializeError,
} from '../../runtime/errors/index.ts';
import { importTarget } from '../../runtime/loader/index.ts';
import type { ConnectionReader, ConnectionWriter } from '../connection.ts';
import { type TargetReference, targetKey } from '../targets.ts';
import {
  Flag,
  HEADER_BYTES,
  Kind,
  makeRoom,
  type Pair,
  roomOf,
  word,
  writeHeader,
} from './frames.ts';
import { ChunkInbox, readerOf, writerOf } from './lines.ts';

/** What a pool tells a new worker. */
export interface WorkerSetup {
  readonly slot: number;
  readonly generation: number;
  readonly chunks: ConnectionReader<never>;
  readonly reports: ConnectionWriter<never>;
  /** What wakes the pool. */
  readonly bell: Uint8Array;
  /** Held open, so that the pool sees it end with the worker. */
  readonly life: ConnectionWriter<never>;
  readonly initializer: TargetReference | undefined;
  readonly initargs: readonly unknown[];
}

/** The event loop turns at least this often while chunks keep coming. */
const LOOP_TURN_MS = 10;
/** How long a worker that ran dry waits for the next chunk before its event loop does. */
const LINGER_MS = 1;
/** A pool is not left waiting for a report for longer than this while its worker goes on. */
const HOLD_BACK_MS = 0.2;
/** After a chunk that took longer the pool hears of it at once: the next one may, too. */
const SHORT_CHUNK_MS = 0.05;
/** Reports up to this length are copied together with their header. */
const SMALL_BYTES = 8192;

type Callable = (...args: unknown[]) => unknown;

/** A chunk that is being run. */
interface Work {
  readonly chunk: number;
  readonly callable: Callable;
  readonly spread: boolean;
  readonly items: readonly unknown[];
  readonly values: unknown[];
  /** Errors, encoded, by the item's place. */
  errors: Map<number, Uint8Array> | undefined;
  readonly beganMs: number;
}

/** Functions that were imported, by their reference. */
const imported = new Map<string, Callable>();

async function callableOf(reference: TargetReference): Promise<Callable> {
  const key = targetKey(reference);
  let callable = imported.get(key);
  if (callable !== undefined) return callable;
  setLoadingTarget(true);
  try {
    callable = (await importTarget(reference)) as Callable;
  } finally {
    setLoadingTarget(false);
  }
  imported.set(key, callable);
  return callable;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (typeof value !== 'object' && typeof value !== 'function') return false;
  return typeof (value as { then?: unknown } | null)?.then === 'function';
}

function fails(work: Work, error: unknown): void {
  work.errors ??= new Map();
  work.errors.set(work.values.length, encodeError(error));
  work.values.push(undefined);
}

/** Runs items from the next one on, up to one whose result is a promise: that, or undefined. */
function runOn(work: Work): PromiseLike<unknown> | undefined {
  const { callable, spread, items, values } = work;
  while (values.length < items.length) {
    const item = items[values.length];
    try {
      const result = spread ? callable(...(item as unknown[])) : callable(item);
      if (isThenable(result)) return result;
      values.push(result);
    } catch (error) {
      fails(work, error);
    }
  }
  return undefined;
}

/** The result as it can travel: one that can't becomes an error that says so. */
function travelling(value: unknown): Pair {
  try {
    for (const reference of encode(value).lent) reference.cancel();
    return [1, value];
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const text = `the result of the task can't be sent back: ${why}`;
    return [0, encodeError(new ResultEncodingError(text))];
  }
}

function pairsOf({ values, errors }: Work): Pair[] {
  return values.map((value, place): Pair => {
    const error = errors?.get(place);
    return error === undefined ? travelling(value) : [0, error];
  });
}

class Worker {
  readonly #setup: WorkerSetup;
  readonly #chunks: ChunkInbox;
  readonly #reports: SendHandle;
  readonly #bell: Event;
  readonly #callables = new Map<number, Callable>();
  readonly #room = makeRoom(HEADER_BYTES + SMALL_BYTES);
  readonly #length = new Uint32Array(1);
  /** When the oldest report was made that the pool was not woken for. */
  #heldBackMs = Number.POSITIVE_INFINITY;
  /** When the last chunk ended. */
  #endedMs = 0;
  #isShort = false;

  constructor(setup: WorkerSetup) {
    this.#setup = setup;
    this.#chunks = new ChunkInbox(readerOf(setup.chunks));
    this.#reports = writerOf(setup.reports);
    this.#bell = Event.attach(getRuntime().node, setup.bell);
  }

  async run(): Promise<void> {
    const { initializer, initargs, generation } = this.#setup;
    if (initializer !== undefined) await (await callableOf(initializer))(...initargs);
    await this.#send(generation, Kind.ready, 0, []);
    this.#ring();
    let turnedAtMs = performance.now();
    for (;;) {
      const frame = this.#chunks.tryNext() ?? this.#linger() ?? (await this.#later());
      if (frame === undefined) continue;
      const unfinished = this.#runFrame(frame);
      if (unfinished !== undefined) await unfinished;
      if (this.#endedMs - turnedAtMs < LOOP_TURN_MS) continue;
      this.#ring();
      await turnOfLoop();
      turnedAtMs = performance.now();
    }
  }

  #linger(): Uint8Array | undefined {
    this.#ring();
    return this.#chunks.nextSync(LINGER_MS);
  }

  async #later(): Promise<Uint8Array | undefined> {
    await this.#chunks.ready();
    return this.#chunks.tryNext();
  }

  /** Wakes the pool for what was reported. */
  #ring(): void {
    if (this.#heldBackMs === Number.POSITIVE_INFINITY) return;
    this.#heldBackMs = Number.POSITIVE_INFINITY;
    this.#bell.set();
  }

  /** Runs a chunk, at once if it can be. */
  #runFrame(frame: Uint8Array): Promise<void> | undefined {
    const room = roomOf(frame);
    const chunk = word(room, 0, 0);
    const callId = word(room, 0, 1);
    const flags = word(room, 0, 2);
    const spread = (flags & Flag.spread) !== 0;
    const isNew = (flags & Flag.introduced) !== 0;
    const callable = this.#callables.get(callId);
    if (callable === undefined) return this.#introduce(chunk, callId, frame, spread);
    if (!this.#isShort || this.#endedMs - this.#heldBackMs > HOLD_BACK_MS) this.#ring();
    let items: readonly unknown[];
    try {
      const value = this.#chunks.valueIn(frame) as unknown[];
      items = isNew ? (value[1] as unknown[]) : value;
    } catch (error) {
      return this.#failed(chunk, error);
    }
    return this.#runItems(chunk, callable, spread, items);
  }

  /** Loads the function of a chunk that brings its reference along, then runs the chunk. */
  async #introduce(
    chunk: number,
    callId: number,
    frame: Uint8Array,
    spread: boolean,
  ): Promise<void> {
    let callable: Callable;
    let items: unknown[];
    try {
      const [reference, list] = this.#chunks.valueIn(frame) as [TargetReference, unknown[]];
      items = list;
      this.#ring();
      callable = await callableOf(reference);
    } catch (error) {
      return this.#failed(chunk, error);
    }
    this.#callables.set(callId, callable);
    await this.#runItems(chunk, callable, spread, items);
  }

  #runItems(
    chunk: number,
    callable: Callable,
    spread: boolean,
    items: readonly unknown[],
  ): Promise<void> | undefined {
    const beganMs = performance.now();
    const work: Work = { chunk, callable, spread, items, values: [], errors: undefined, beganMs };
    const promise = runOn(work);
    return promise === undefined ? this.#finish(work) : this.#goOn(work, promise);
  }

  async #goOn(work: Work, first: PromiseLike<unknown>): Promise<void> {
    for (let promise: typeof first | undefined = first; promise !== undefined; ) {
      try {
        const value = await promise;
        work.values.push(value);
      } catch (error) {
        fails(work, error);
      }
      promise = runOn(work);
    }
    await this.#finish(work);
  }

  /** Reports a chunk, at once if there is room for it. */
  #finish(work: Work): Promise<void> | undefined {
    const endedMs = performance.now();
    const tookMs = endedMs - work.beganMs;
    this.#endedMs = endedMs;
    this.#isShort = tookMs <= SHORT_CHUNK_MS;
    if (this.#heldBackMs > endedMs) this.#heldBackMs = endedMs;
    const tookUs = Math.min(0xffffffff, tookMs * 1000);
    if (work.errors === undefined) {
      try {
        return this.#report(work.chunk, Kind.values, tookUs, encode(work.values));
      } catch (error) {
        if (!(error instanceof SerializeError)) return this.#failed(work.chunk, error);
      }
    }
    try {
      return this.#report(work.chunk, Kind.mixed, tookUs, encode(pairsOf(work)));
    } catch (error) {
      return this.#failed(work.chunk, error);
    }
  }

  #failed(chunk: number, error: unknown): Promise<void> {
    if (error instanceof BrokenPipeError) throw error;
    this.#endedMs = performance.now();
    return this.#send(chunk, Kind.failed, 0, [encodeError(error)]);
  }

  /** Sends a report; a promise if it has to wait for room. */
  #report(
    chunk: number,
    kind: number,
    tookUs: number,
    { parts, lent }: Encoded,
  ): Promise<void> | undefined {
    const [body] = parts;
    try {
      if (parts.length === 1 && body !== undefined && body.length <= SMALL_BYTES) {
        writeHeader(this.#room, 0, chunk, this.#setup.slot, kind, tookUs);
        this.#room.bytes.set(body, HEADER_BYTES);
        this.#length[0] = HEADER_BYTES + body.length;
        if (this.#reports.trySendPacked(this.#room.bytes, this.#length) === 1) return undefined;
      }
    } catch (error) {
      for (const reference of lent) reference.cancel();
      throw error;
    }
    return this.#send(chunk, kind, tookUs, parts).catch((error) => {
      for (const reference of lent) reference.cancel();
      return this.#failed(chunk, error);
    });
  }

  async #send(first: number, kind: number, tookUs: number, body: Uint8Array[]): Promise<void> {
    const header = makeRoom(HEADER_BYTES);
    writeHeader(header, 0, first, this.#setup.slot, kind, tookUs);
    if (this.#reports.trySend([header.bytes, ...body])) {
      this.#heldBackMs = Math.min(this.#heldBackMs, performance.now());
      return;
    }
    // The pool has to take in what is there before there is room for more.
    this.#bell.set();
    await this.#reports.send([header.bytes, ...body]);
    this.#bell.set();
  }
}

/** The target of every worker process. Resolves when the pool has closed or is gone. */
export async function runPoolWorker(setup: WorkerSetup): Promise<void> {
  // Ctrl-C reaches the whole foreground group; the head decides what becomes of it.
  process.on('SIGINT', () => undefined);
  try {
    await new Worker(setup).run();
  } catch (error) {
    if (!(error instanceof EOFError) && !(error instanceof BrokenPipeError)) throw error;
  }
  setup.life.close();
}
