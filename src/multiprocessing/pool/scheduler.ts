/**
 * Which worker runs which chunk: the decisions of a pool as a state machine.
 *
 * Goals: every chunk that was taken from a job is settled exactly once, whatever dies when; a
 * chunk that a dead worker had not begun runs elsewhere; no worker is idle while another has a
 * chunk that it has not begun; workers that die over and over without doing anything end the
 * pool with an error instead of being started for ever.
 * Non-goals: no processes, channels, clocks or promises. The pool's shell does what `Ports`
 * says and reports what happened.
 */
import { ProcessError, SerializeError, WorkerDied } from '../../runtime/errors/index.ts';
import type { Chunk, ChunkOwner, Outcome } from './chunks.ts';

/** Chunks that a worker may hold: the one that it runs and one so that it need not wait. */
export const CREDIT = 2;

/** A worker that lived this long was not a failed start. */
const SHORT_LIFE_MS = 5000;

/** Work that hands out chunks. */
export interface Job extends ChunkOwner {
  /** Items of the next chunk and the index of the first; undefined when none is ready. */
  take(): { readonly first: number; readonly items: readonly unknown[] } | undefined;
  /** True when it will never hand out a chunk again. */
  readonly exhausted: boolean;
  /** Ends it with an error. */
  fail(error: unknown): void;
}

/** What the scheduler asks of its surroundings. */
export interface Ports {
  /** Starts a worker in the slot; `delayMs` grows while starts fail. */
  start(slot: number, delayMs: number): void;
  /** Hands a chunk to a worker. Throws when it can't be serialised. */
  dispatch(slot: number, chunk: Chunk): void;
  /** Takes back a chunk that the worker has not begun: its id, or undefined. */
  reclaim(slot: number): number | undefined;
  /** Called when no work is left; more may be submitted. */
  idle(): void;
}

function failed(chunk: Chunk, error: unknown): Outcome[] {
  return chunk.items.map(() => ({ ok: false, error }));
}

function neverWorking(cause: unknown): ProcessError {
  const text = 'the workers of the pool end again and again before they have done anything';
  return new ProcessError(text, { cause });
}

interface Slot {
  state: 'starting' | 'ready' | 'gone';
  startedAtMs: number;
  readonly inFlight: Map<number, Chunk>;
}

export class Scheduler {
  readonly #ports: Ports;
  readonly #slots: Slot[];
  readonly #jobs: Job[] = [];
  readonly #retry: Chunk[] = [];
  #nextChunk = 1;
  /** Workers lost in a row without any chunk settled in between. */
  #fruitless = 0;
  #broken: { readonly error: unknown } | undefined;
  #stopping = false;

  constructor(ports: Ports, workers: number) {
    this.#ports = ports;
    this.#slots = Array.from({ length: workers }, () => ({
      state: 'gone',
      startedAtMs: 0,
      inFlight: new Map(),
    }));
  }

  /** Whether any chunk or job is unfinished. */
  get busy(): boolean {
    return (
      this.#jobs.length > 0 ||
      this.#retry.length > 0 ||
      this.#slots.some((slot) => slot.inFlight.size > 0)
    );
  }

  /** Why the pool can't run anything any more. */
  get broken(): { readonly error: unknown } | undefined {
    return this.#broken;
  }

  /** Starts all workers. */
  start(nowMs: number): void {
    this.#slots.forEach((_, index) => {
      this.#start(index, nowMs);
    });
  }

  submit(job: Job): void {
    if (this.#broken !== undefined) return job.fail(this.#broken.error);
    this.#jobs.push(job);
    this.pump();
  }

  /** Forgets a job; what its chunks bring later is dropped by the job itself. */
  cancel(job: Job): void {
    const index = this.#jobs.indexOf(job);
    if (index >= 0) this.#jobs.splice(index, 1);
    for (let i = this.#retry.length - 1; i >= 0; i--) {
      if (this.#retry[i]?.job === job) this.#retry.splice(i, 1);
    }
    this.#sayIdle();
  }

  /** A worker has imported what it needs and waits for chunks. */
  workerReady(index: number): void {
    const slot = this.#slots[index];
    if (slot?.state !== 'starting') return;
    slot.state = 'ready';
    this.pump();
  }

  /** A worker has finished a chunk. What `read` throws becomes the error of its items. */
  results(index: number, chunkId: number, read: (chunk: Chunk) => readonly Outcome[]): void {
    const slot = this.#slots[index];
    const chunk = slot?.inFlight.get(chunkId);
    if (slot === undefined || chunk === undefined) return;
    slot.inFlight.delete(chunkId);
    let outcomes: readonly Outcome[];
    try {
      outcomes = read(chunk);
    } catch (error) {
      outcomes = failed(chunk, error);
    }
    this.#settle(chunk, outcomes);
    this.pump();
  }

  /**
   * A worker is gone. `unbegun` are the chunks that were still in its channel; all others that
   * it held are lost with it.
   */
  workerLost(index: number, unbegun: ReadonlySet<number>, cause: unknown, nowMs: number): void {
    const slot = this.#slots[index];
    if (slot === undefined || slot.state === 'gone') return;
    slot.state = 'gone';
    const held = [...slot.inFlight.values()];
    slot.inFlight.clear();
    this.#fruitless = nowMs - slot.startedAtMs >= SHORT_LIFE_MS ? 0 : this.#fruitless + 1;
    this.#retry.unshift(...held.filter((chunk) => unbegun.has(chunk.id)));
    for (const chunk of held) {
      if (unbegun.has(chunk.id)) continue;
      const error = new WorkerDied('the worker died while it ran the task', { cause });
      this.#settle(chunk, failed(chunk, error));
    }
    if (this.#stopping) return;
    if (this.#fruitless > this.#slots.length + 2) return this.stop(neverWorking(cause));
    this.#start(index, nowMs);
    this.pump();
  }

  /** From now on no worker is started: those that end have nothing left to do. */
  retire(): void {
    this.#stopping = true;
  }

  /** Ends all work with `error`, and refuses more. */
  stop(error: unknown): void {
    this.retire();
    this.#broken ??= { error };
    const unfinished = new Set<ChunkOwner>(this.#jobs);
    for (const chunk of this.#retry) unfinished.add(chunk.job);
    for (const slot of this.#slots) {
      for (const chunk of slot.inFlight.values()) unfinished.add(chunk.job);
      slot.inFlight.clear();
    }
    this.#jobs.length = 0;
    this.#retry.length = 0;
    for (const job of unfinished) (job as Job).fail(error);
    this.#sayIdle();
  }

  /** Hands out chunks while workers have room for them. */
  pump(): void {
    for (;;) {
      const target = this.#leastLoaded();
      if (target === undefined) break;
      const chunk = this.#retry.shift() ?? this.#nextFromJobs();
      if (chunk === undefined) {
        if (!this.#steal()) break;
        continue;
      }
      this.#dispatch(target, chunk);
    }
    this.#sayIdle();
  }

  #start(index: number, nowMs: number): void {
    const slot = this.#slots[index];
    if (slot === undefined) return;
    slot.state = 'starting';
    slot.startedAtMs = nowMs;
    this.#ports.start(index, this.#fruitless * 20);
  }

  #settle(chunk: Chunk, outcomes: readonly Outcome[]): void {
    this.#fruitless = 0;
    chunk.job.settle(chunk, outcomes);
  }

  /** The ready worker with the fewest chunks, if it has room for one more. */
  #leastLoaded(): number | undefined {
    let best: number | undefined;
    let fewest = CREDIT;
    this.#slots.forEach((slot, index) => {
      if (slot.state === 'ready' && slot.inFlight.size < fewest) {
        fewest = slot.inFlight.size;
        best = index;
      }
    });
    return best;
  }

  /** The next chunk of the jobs in turn, so that a long one does not hold up the others. */
  #nextFromJobs(): Chunk | undefined {
    for (let turns = this.#jobs.length; turns > 0; turns--) {
      const job = this.#jobs.shift();
      if (job === undefined) return undefined;
      const taken = job.take();
      if (!job.exhausted) this.#jobs.push(job);
      if (taken !== undefined) return { id: this.#nextChunk++, job, ...taken };
    }
    return undefined;
  }

  #dispatch(index: number, chunk: Chunk): void {
    const slot = this.#slots[index];
    if (slot === undefined) return;
    slot.inFlight.set(chunk.id, chunk);
    try {
      this.#ports.dispatch(index, chunk);
    } catch (error) {
      slot.inFlight.delete(chunk.id);
      this.#refused(chunk, error);
    }
  }

  /** A chunk that can't be serialised is tried item by item, so that only bad items fail. */
  #refused(chunk: Chunk, error: unknown): void {
    if (chunk.items.length === 1 || !(error instanceof SerializeError)) {
      this.#settle(chunk, failed(chunk, error));
      return;
    }
    this.#retry.unshift(
      ...chunk.items.map((item, i) => ({
        id: this.#nextChunk++,
        job: chunk.job,
        first: chunk.first + i,
        items: [item],
      })),
    );
  }

  /** Moves a chunk that its worker has not begun to a worker that has nothing to do. */
  #steal(): boolean {
    const idle = this.#slots.findIndex(
      (slot) => slot.state === 'ready' && slot.inFlight.size === 0,
    );
    if (idle < 0) return false;
    for (const [index, slot] of this.#slots.entries()) {
      if (slot.state !== 'ready' || slot.inFlight.size < 2) continue;
      const id = this.#ports.reclaim(index);
      const chunk = id === undefined ? undefined : slot.inFlight.get(id);
      if (chunk === undefined) continue;
      slot.inFlight.delete(chunk.id);
      this.#dispatch(idle, chunk);
      return true;
    }
    return false;
  }

  #sayIdle(): void {
    if (!this.busy) this.#ports.idle();
  }
}
