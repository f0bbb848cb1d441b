/**
 * The worker processes of a pool and the channels to them.
 *
 * Goals: a worker's end is reported once, after everything that it had sent, together with the
 * chunks that it never began; nothing of a worker outlives it here; watching workers keeps no
 * program alive.
 * Non-goals: which chunk goes where is the scheduler's decision.
 */
import { encode } from '../../codec/index.ts';
import { EOFError, ProcessError, TimeoutError } from '../../runtime/errors/index.ts';
import { Connection, type ConnectionReader, type ConnectionWriter } from '../connection.ts';
import type { ReadEnd } from '../ends.ts';
import { pipe } from '../pipe.ts';
import { Process } from '../process.ts';
import { poolWorkerTarget, type TargetReference } from '../targets.ts';
import type { Chunk } from './chunks.ts';
import { Flag } from './frames.ts';
import { ChunkLine } from './lines.ts';
import type { WorkerSetup } from './worker.ts';

/** How long blocking calls wait for a worker to become ready. */
const START_PATIENCE_MS = 30_000;

/** How soon chunks that found no room in memory are tried again. */
const RETRY_MS = 2;

export interface CrewOptions {
  readonly workers: number;
  readonly initializer: TargetReference | undefined;
  readonly initargs: readonly unknown[];
  /** Where workers report, and what wakes the pool. */
  readonly reports: ConnectionWriter<never>;
  readonly bell: Uint8Array;
}

export interface CrewEvents {
  /** A worker is about to be reported lost: take in what it has sent. */
  drain(): void;
  /** The process of a worker runs, or could not be started; `start` gave it the number. */
  started(generation: number): void;
  lost(slot: number, unbegun: ReadonlySet<number>, cause: unknown): void;
}

interface Member {
  readonly generation: number;
  readonly process: Process;
  readonly line: ChunkLine;
  /** Carries nothing: it ends when the worker has. */
  readonly life: { readonly reading: ConnectionReader<never>; readonly end: ReadEnd };
  /** The worker's end of it, to be closed here once the worker has its own. */
  readonly lifeOut: ConnectionWriter<never>;
  /** Numbers of the calls that the worker has the function of. */
  readonly knows: Set<number>;
  /** References in flight, by chunk. */
  readonly lent: Map<number, readonly { cancel(): void }[]>;
  readonly startedAtMs: number;
  ready: boolean;
}

function hasEnded(member: Member): boolean {
  try {
    member.life.end.tryReceiveNow();
    return false;
  } catch (error) {
    if (error instanceof EOFError) return true;
    throw error;
  }
}

export class Crew {
  readonly #options: CrewOptions;
  readonly #events: CrewEvents;
  readonly #members: (Member | undefined)[];
  /** Those that have run all that they may and end by themselves, or that are being ended. */
  readonly #leaving = new Set<Member>();
  readonly #ends = new Set<Promise<void>>();
  #generation = 0;
  #retryTimer: NodeJS.Timeout | undefined;

  constructor(options: CrewOptions, events: CrewEvents) {
    this.#options = options;
    this.#events = events;
    this.#members = new Array<Member | undefined>(options.workers).fill(undefined);
  }

  /** Process ids of the workers that have started. */
  get pids(): number[] {
    return this.#members.flatMap((member) => member?.process.pid ?? []);
  }

  /**
   * Starts a worker in the slot, and gives it a number. Its end, or its failure to start, is
   * reported as lost.
   */
  start(slot: number): number {
    const generation = ++this.#generation;
    const line = new ChunkLine();
    const [reading, lifeOut] = pipe<never>({ duplex: false });
    const { initializer, initargs, reports, bell } = this.#options;
    const setup: WorkerSetup = {
      slot,
      generation,
      chunks: line.reading,
      reports,
      bell,
      life: lifeOut,
      initializer,
      initargs,
    };
    const member: Member = {
      generation,
      process: new Process({
        target: poolWorkerTarget(),
        args: [setup],
        name: `pool-worker-${slot}.${generation}`,
        daemon: true,
      }),
      line,
      life: { reading, end: Connection.ends(reading).reader as ReadEnd },
      lifeOut,
      knows: new Set(),
      lent: new Map(),
      startedAtMs: performance.now(),
      ready: false,
    };
    this.#members[slot] = member;
    const end: Promise<void> = this.#watch(slot, member).finally(() => this.#ends.delete(end));
    this.#ends.add(end);
    return generation;
  }

  /** False when the report is of a worker that is no longer in its slot. */
  markReady(slot: number, generation: number): boolean {
    const member = this.#members[slot];
    if (member?.generation !== generation) return false;
    member.ready = true;
    return true;
  }

  /** Puts a chunk among those that leave for the worker. Throws SerializeError. */
  put(slot: number, { id, job, items }: Chunk): void {
    const member = this.#members[slot];
    if (member === undefined) return;
    const { call } = job;
    const isKnown = member.knows.has(call.id);
    const { parts, lent } = encode(isKnown ? items : [call.reference, items]);
    const flags = (call.spread ? Flag.spread : 0) + (isKnown ? 0 : Flag.introduced);
    try {
      member.line.put(id, call.id, flags, parts);
    } catch (error) {
      for (const reference of lent) reference.cancel();
      throw error;
    }
    if (lent.length > 0) member.lent.set(id, lent);
  }

  /** Sends what was put. */
  flush(): void {
    for (const member of this.#members) {
      member?.line.flush();
      if (member?.line.waitsForMemory === true) this.#retryLater();
    }
  }

  /** Takes back a chunk that the worker has not begun: its id. */
  reclaim(slot: number): number | undefined {
    const member = this.#members[slot];
    const id = member?.line.takeBack();
    if (member === undefined || id === undefined) return undefined;
    for (const reference of member.lent.get(id) ?? []) reference.cancel();
    member.lent.delete(id);
    return id;
  }

  /** The worker has finished the chunk, and has taken over what was lent with it. */
  finished(slot: number, chunkId: number): void {
    this.#members[slot]?.lent.delete(chunkId);
  }

  /** The worker has the function of the call and need not be told it again. */
  introduced(slot: number, callId: number): void {
    this.#members[slot]?.knows.add(callId);
  }

  /** Tries to send what found no room. */
  retry(): void {
    for (const member of this.#members) member?.line.retry();
  }

  /** Lets the worker in the slot end once it has run what it holds; the slot is free at once. */
  release(slot: number): void {
    const member = this.#members[slot];
    if (member === undefined) return;
    this.#members[slot] = undefined;
    this.#leaving.add(member);
    member.line.end();
  }

  /** Ends the worker in the slot, whatever it runs; the slot is free at once. */
  end(slot: number): void {
    const member = this.#members[slot];
    if (member === undefined) return;
    this.#members[slot] = undefined;
    this.#leaving.add(member);
    this.#dispose(member);
  }

  /** Lets workers end once they have run what they hold. */
  close(): void {
    for (const member of this.#members) member?.line.end();
  }

  /** Ends workers at once; those that ignore SIGTERM are killed. */
  terminate(): void {
    for (const member of [...this.#members, ...this.#leaving]) {
      if (member !== undefined) this.#dispose(member);
    }
  }

  /** Resolves when no worker is left. */
  async ended(): Promise<void> {
    while (this.#ends.size > 0) await Promise.all(this.#ends);
  }

  /** For calls that block the thread: reports the workers that have ended meanwhile. */
  lookSync(): void {
    const nowMs = performance.now();
    this.#members.forEach((member, slot) => {
      if (member === undefined) return;
      const isLate = !member.ready && nowMs - member.startedAtMs > START_PATIENCE_MS;
      if (isLate) this.#lose(slot, member, new TimeoutError('the worker did not become ready'));
      else if (hasEnded(member)) this.#lose(slot, member, undefined);
    });
  }

  #dispose({ process }: Member): void {
    const end: Promise<void> = process[Symbol.asyncDispose]()
      // One that can't be ended is gone already, or its runtime is.
      .catch(() => undefined)
      .finally(() => this.#ends.delete(end));
    this.#ends.add(end);
  }

  async #watch(slot: number, member: Member): Promise<void> {
    let failure: { readonly error: unknown } | undefined;
    try {
      const starting = member.process.start();
      // What was lent to the worker holds the pipe open from here on.
      member.lifeOut.close();
      await starting;
    } catch (error) {
      failure = { error };
    }
    this.#events.started(member.generation);
    if (failure !== undefined) return this.#lose(slot, member, failure.error);
    try {
      await member.life.end.receive({ ref: false });
    } catch {
      // The end of the stream, or of this crew's interest in it.
    }
    try {
      await member.process.join();
      this.#lose(slot, member, undefined);
    } catch (error) {
      this.#lose(slot, member, error);
    }
  }

  #lose(slot: number, member: Member, why: unknown): void {
    if (this.#leaving.delete(member)) return letGo(member);
    if (this.#members[slot] !== member) return;
    this.#events.drain();
    const unbegun = new Set<number>();
    for (let id = member.line.takeBack(); id !== undefined; id = member.line.takeBack()) {
      unbegun.add(id);
    }
    // What was drained may have been the last that it was to do.
    if (this.#leaving.delete(member)) return letGo(member);
    this.#members[slot] = undefined;
    letGo(member);
    this.#events.lost(slot, unbegun, why ?? deathOf(member.process));
  }

  #retryLater(): void {
    this.#retryTimer ??= setTimeout(() => {
      this.#retryTimer = undefined;
      this.retry();
      if (this.#members.some((member) => member?.line.waitsForMemory === true)) this.#retryLater();
    }, RETRY_MS);
  }
}

/** Closes what a worker that has ended leaves here. */
function letGo(member: Member): void {
  for (const references of member.lent.values()) {
    for (const reference of references) reference.cancel();
  }
  member.line.close();
  member.life.reading.close();
  member.lifeOut.close();
}

/** How a worker ended, as the cause of what its chunks failed with. */
function deathOf({ name, exitCode, signal, error }: Process): ProcessError {
  const how = signal === null ? `exit code ${exitCode ?? 'unknown'}` : signal;
  return new ProcessError(`${name} ended with ${how}`, {
    exitCode,
    signal,
    ...(error === undefined ? {} : { cause: error }),
  });
}
