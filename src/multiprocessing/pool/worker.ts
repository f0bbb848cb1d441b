/**
 * What a worker process of a pool runs: chunks from its pipe, one after the other, until the
 * pool closes the pipe or dies.
 *
 * Goals: a failing item fails alone; a result that can't be serialised is that item's error;
 * the event loop turns between chunks, so that timers of the user's code go on.
 * Non-goals: a worker knows nothing of jobs, order or other workers.
 */
import { setImmediate as turnOfLoop } from 'node:timers/promises';
import { encode, encodeError } from '../../codec/index.ts';
import { setLoadingTarget } from '../../runtime/client/index.ts';
import { BrokenPipeError, EOFError, ResultEncodingError } from '../../runtime/errors/index.ts';
import { importTarget } from '../../runtime/loader/index.ts';
import { Connection, type ConnectionReader, type ConnectionWriter } from '../connection.ts';
import type { ReadEnd, WriteEnd } from '../ends.ts';
import { type TargetReference, targetKey } from '../targets.ts';
import { type Call, headerBytes, Kind, type Pair, readChunk, readHeader } from './frames.ts';

/** What a pool tells a new worker. */
export interface WorkerSetup {
  readonly slot: number;
  readonly generation: number;
  readonly tasks: ConnectionReader<never>;
  readonly results: ConnectionWriter<never>;
  /** Held open, so that the pool sees it end with the worker. */
  readonly life: ConnectionWriter<never>;
  readonly initializer: TargetReference | undefined;
  readonly initargs: readonly unknown[];
}

/** The event loop turns at least this often while chunks keep coming. */
const LOOP_TURN_MS = 10;

type Callable = (...args: unknown[]) => unknown;

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
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

async function runItem(callable: Callable, call: Call, item: unknown): Promise<Pair> {
  try {
    const result = call.spread ? callable(...(item as unknown[])) : callable(item);
    return [1, isThenable(result) ? await result : result];
  } catch (error) {
    return [0, encodeError(error)];
  }
}

async function runChunk(frame: Uint8Array): Promise<Pair[]> {
  const { call, items } = readChunk(frame);
  const callable = await callableOf(call.target as TargetReference);
  const pairs: Pair[] = [];
  for (const item of items) pairs.push(await runItem(callable, call, item));
  return pairs;
}

/** The pair as it can travel: a result that can't becomes an error that says so. */
function travelling(pair: Pair): Pair {
  try {
    for (const reference of encode(pair).lent) reference.cancel();
    return pair;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const text = `the result of the task can't be sent back: ${why}`;
    return [0, encodeError(new ResultEncodingError(text))];
  }
}

function encodePairs(pairs: Pair[]): ReturnType<typeof encode> {
  try {
    return encode(pairs);
  } catch {
    return encode(pairs.map(travelling));
  }
}

class Worker {
  readonly #setup: WorkerSetup;
  readonly #tasks: ReadEnd;
  readonly #results: WriteEnd;

  constructor(setup: WorkerSetup) {
    this.#setup = setup;
    this.#tasks = Connection.ends(setup.tasks).reader as ReadEnd;
    this.#results = Connection.ends(setup.results).writer as WriteEnd;
  }

  async run(): Promise<void> {
    const { initializer, initargs } = this.#setup;
    if (initializer !== undefined) await (await callableOf(initializer))(...initargs);
    await this.#send(Kind.ready, 0, []);
    let turnedAtMs = performance.now();
    for (;;) {
      const { bytes } = await this.#tasks.receive();
      await this.#runFrame(bytes);
      if (performance.now() - turnedAtMs < LOOP_TURN_MS) continue;
      await turnOfLoop();
      turnedAtMs = performance.now();
    }
  }

  async #runFrame(frame: Uint8Array): Promise<void> {
    const { chunk } = readHeader(frame);
    let lent: readonly { cancel(): void }[] = [];
    try {
      const encoded = encodePairs(await runChunk(frame));
      lent = encoded.lent;
      await this.#send(Kind.results, chunk, encoded.parts);
    } catch (error) {
      for (const reference of lent) reference.cancel();
      if (error instanceof BrokenPipeError) throw error;
      await this.#send(Kind.failed, chunk, [encodeError(error)]);
    }
  }

  async #send(kind: number, chunk: number, body: Uint8Array[]): Promise<void> {
    const { slot, generation } = this.#setup;
    await this.#results.send([headerBytes({ kind, slot, generation, chunk }), ...body], 0);
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
