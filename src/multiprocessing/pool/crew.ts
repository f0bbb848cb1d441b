/**
 * The worker processes of a pool and the pipes to them.
 *
 * Goals: a worker's end is reported once, after everything that it had sent, together with the
 * chunks that it never began; nothing of a worker outlives it here; watching workers keeps no
 * program alive.
 * Non-goals: which chunk goes where is the scheduler's decision.
 */
import { encode } from '../../codec/index.ts';
import { EOFError, ProcessError, TimeoutError } from '../../runtime/errors/index.ts';
import { Connection, type ConnectionReader, type ConnectionWriter } from '../connection.ts';
import type { ReadEnd, WriteEnd } from '../ends.ts';
import { pipe } from '../pipe.ts';
import { Process } from '../process.ts';
import { poolWorkerTarget, type TargetReference } from '../targets.ts';
import type { Chunk } from './chunks.ts';
import { headerBytes, Kind, readHeader } from './frames.ts';
import type { WorkerSetup } from './worker.ts';

/** How long blocking calls wait for a worker to become ready. */
const START_PATIENCE_MS = 30_000;

/** How soon chunks that found no room in memory are tried again. */
const RETRY_MS = 2;

export interface CrewOptions {
  readonly workers: number;
  readonly initializer: TargetReference | undefined;
  readonly initargs: readonly unknown[];
  readonly results: ConnectionWriter<never>;
}

export interface CrewEvents {
  /** A worker is about to be reported lost: take in what it has sent. */
  drain(): void;
  lost(slot: number, unbegun: ReadonlySet<number>, cause: unknown): void;
}

/** A one-way pipe to or from a worker, with the end that the pool uses. */
interface Line<E> {
  readonly reading: ConnectionReader<never>;
  readonly writing: ConnectionWriter<never>;
  readonly end: E;
}

interface Member {
  readonly generation: number;
  readonly process: Process;
  /** Chunks for the worker; the pool can also read them, to take back what was not begun. */
  readonly chunks: Line<WriteEnd>;
  readonly back: ReadEnd;
  /** Carries nothing: it ends when the worker has. */
  readonly life: Line<ReadEnd>;
  /** References in flight, by chunk. */
  readonly lent: Map<number, readonly { cancel(): void }[]>;
  /** Chunks that found no room in memory and wait for it here. */
  readonly stalled: Map<number, Uint8Array[]>;
  readonly startedAtMs: number;
  ready: boolean;
}

function line(): { reading: ConnectionReader<never>; writing: ConnectionWriter<never> } {
  const [reading, writing] = pipe<never>({ duplex: false });
  return { reading, writing };
}

/** Takes the oldest chunk that the worker has not begun out of its pipe: its id. */
function oldest(member: Member): number | undefined {
  try {
    const message = member.back.tryReceiveNow();
    return message === undefined ? undefined : readHeader(message.bytes).chunk;
  } catch (error) {
    if (error instanceof EOFError) return undefined;
    throw error;
  }
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

  /** Starts a worker in the slot. Its end, or its failure to start, is reported as lost. */
  start(slot: number): void {
    const generation = ++this.#generation;
    const chunks = line();
    const life = line();
    const writer = Connection.ends(chunks.writing).writer as WriteEnd;
    const back = Connection.ends(chunks.reading).reader as ReadEnd;
    const lifeEnd = Connection.ends(life.reading).reader as ReadEnd;
    const { initializer, initargs, results } = this.#options;
    const setup: WorkerSetup = {
      slot,
      generation,
      tasks: chunks.reading,
      results,
      life: life.writing,
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
      chunks: { ...chunks, end: writer },
      back,
      life: { ...life, end: lifeEnd },
      lent: new Map(),
      stalled: new Map(),
      startedAtMs: performance.now(),
      ready: false,
    };
    this.#members[slot] = member;
    const end: Promise<void> = this.#watch(slot, member).finally(() => this.#ends.delete(end));
    this.#ends.add(end);
  }

  /** Whether a frame comes from the worker that is now in its slot. */
  isCurrent(slot: number, generation: number): boolean {
    return this.#members[slot]?.generation === generation;
  }

  markReady(slot: number): void {
    const member = this.#members[slot];
    if (member !== undefined) member.ready = true;
  }

  /** Puts a chunk into the worker's pipe. Throws SerializeError. */
  send(slot: number, chunk: Chunk): void {
    const member = this.#members[slot];
    if (member === undefined) return;
    const { parts, lent } = encode({ call: chunk.job.call, items: chunk.items });
    const header = { kind: Kind.chunk, slot, generation: member.generation, chunk: chunk.id };
    const frame = [headerBytes(header), ...parts];
    try {
      if (!member.chunks.end.trySend(frame, 0)) {
        member.stalled.set(
          chunk.id,
          frame.map((part) => part.slice()),
        );
        this.#retryLater();
      }
    } catch (error) {
      for (const reference of lent) reference.cancel();
      throw error;
    }
    if (lent.length > 0) member.lent.set(chunk.id, lent);
  }

  /** Takes back a chunk that the worker has not begun: its id. */
  reclaim(slot: number): number | undefined {
    const member = this.#members[slot];
    if (member === undefined) return undefined;
    const [stalled] = member.stalled.keys();
    const id = stalled ?? oldest(member);
    if (id === undefined) return undefined;
    member.stalled.delete(id);
    for (const reference of member.lent.get(id) ?? []) reference.cancel();
    member.lent.delete(id);
    return id;
  }

  /** The worker has finished the chunk, and has taken over what was lent with it. */
  finished(slot: number, chunkId: number): void {
    this.#members[slot]?.lent.delete(chunkId);
  }

  /** Tries to send what found no room. */
  retry(): void {
    for (const member of this.#members) {
      for (const [id, frame] of member?.stalled ?? []) {
        if (member?.chunks.end.trySend(frame, 0) !== true) break;
        member.stalled.delete(id);
      }
    }
  }

  /** Lets workers end once they have run what they hold. */
  close(): void {
    for (const member of this.#members) member?.chunks.writing.close();
  }

  /** Ends workers at once; those that ignore SIGTERM are killed. */
  terminate(): void {
    for (const member of this.#members) {
      if (member === undefined) continue;
      const end: Promise<void> = member.process[Symbol.asyncDispose]()
        // One that can't be ended is gone already, or its runtime is.
        .catch(() => undefined)
        .finally(() => this.#ends.delete(end));
      this.#ends.add(end);
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

  async #watch(slot: number, member: Member): Promise<void> {
    try {
      const starting = member.process.start();
      // What was lent to the worker holds the pipe open from here on.
      member.life.writing.close();
      await starting;
    } catch (error) {
      return this.#lose(slot, member, error);
    }
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
    if (this.#members[slot] !== member) return;
    this.#events.drain();
    const unbegun = new Set(member.stalled.keys());
    for (let id = oldest(member); id !== undefined; id = oldest(member)) unbegun.add(id);
    for (const references of member.lent.values()) {
      for (const reference of references) reference.cancel();
    }
    this.#members[slot] = undefined;
    for (const { reading, writing } of [member.chunks, member.life]) {
      reading.close();
      writing.close();
    }
    this.#events.lost(slot, unbegun, why ?? deathOf(member.process));
  }

  #retryLater(): void {
    this.#retryTimer ??= setTimeout(() => {
      this.#retryTimer = undefined;
      this.retry();
      if (this.#members.some((member) => (member?.stalled.size ?? 0) > 0)) this.#retryLater();
    }, RETRY_MS);
  }
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
