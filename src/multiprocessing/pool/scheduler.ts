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
import { type Chunk, type ChunkOwner, failed, type Results } from './chunks.ts';
import { Fifo } from './fifo.ts';

/** Chunks that a worker may hold: the one that it runs and one so that it need not wait. */
export const CREDIT_MIN = 2;

/** A worker may hold more chunks as long as they are short ones, so that many travel at once. */
export const CREDIT_MAX = 64;
const WORK_AHEAD_US = 1000;

/** How fast the expected length of a chunk follows those that were run. */
const FOLLOW = 0.25;

/** A worker that lived this long was not a failed start. */
const SHORT_LIFE_MS = 5000;

/** Deaths of workers that come from outside say little about the next worker. */
const KILLS_PER_WORKER = 10;
const KILLS_MIN = 20;

function wasKilled(cause: unknown): boolean {
  if (!(cause instanceof ProcessError)) return false;
  return cause.signal === 'SIGKILL' || cause.signal === 'SIGTERM';
}

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
  /** Lets the worker in the slot end; another one takes the slot. */
  release(slot: number): void;
  /** Ends the worker in the slot whatever it runs; another one takes the slot. */
  end(slot: number): void;
  /** Takes in what workers have reported. */
  drain(): void;
  /** Hands a chunk to a worker. Throws when it can't be serialised. */
  dispatch(slot: number, chunk: Chunk): void;
  /** Called after the last of some dispatches. */
  flush(): void;
  /** Takes back a chunk that the worker has not begun: its id, or undefined. */
  reclaim(slot: number): number | undefined;
  /** There may be something to hand out: `pump` is to be called soon. */
  wake(): void;
  /** Called when no work is left; more may be submitted. */
  idle(): void;
  /** Called when nothing will run any more: ends all workers. */
  over(): void;
  nowMs(): number;
}

export interface SchedulerOptions {
  readonly workers: number;
  /** Chunks that a worker may run; default: any number. */
  readonly chunksPerWorker?: number;
  /** Whether workers are ended that run chunks of a job that is forgotten; default: no. */
  readonly endsAborted?: boolean;
}

function neverWorking(cause: unknown): ProcessError {
  const text = 'the workers of the pool end again and again before they have done anything';
  return new ProcessError(text, { cause });
}

interface Slot {
  state: 'starting' | 'ready' | 'gone';
  startedAtMs: number;
  /** Chunks that its worker may still be given. */
  left: number;
  readonly inFlight: Map<number, Chunk>;
}

export class Scheduler {
  readonly #ports: Ports;
  readonly #slots: Slot[];
  readonly #jobs = new Fifo<Job>();
  readonly #retry: Chunk[] = [];
  readonly #chunksPerWorker: number;
  #nextChunk = 1;
  /** How long a chunk runs, as those before did; it decides how many a worker may hold. */
  #expectedUs = WORK_AHEAD_US;
  /** Workers lost in a row without any chunk settled in between. */
  #fruitless = 0;
  /** Those that somebody has killed, in a row as well. */
  #killed = 0;
  /** Slots whose worker was killed while there was nothing to do: one that starts has work. */
  readonly #resting = new Set<number>();
  readonly #endsAborted: boolean;
  /** Jobs that were forgotten while workers ran chunks of them; those workers are to be ended. */
  readonly #aborted = new Set<ChunkOwner>();
  #broken: { readonly error: unknown } | undefined;
  #stopping = false;

  constructor(ports: Ports, { workers, chunksPerWorker, endsAborted }: SchedulerOptions) {
    this.#ports = ports;
    this.#chunksPerWorker = chunksPerWorker ?? Number.POSITIVE_INFINITY;
    this.#endsAborted = endsAborted === true;
    this.#slots = Array.from({ length: workers }, () => ({
      state: 'gone',
      startedAtMs: 0,
      left: 0,
      inFlight: new Map(),
    }));
  }

  /** Whether any chunk or job is unfinished. */
  get busy(): boolean {
    return (
      this.#jobs.size > 0 ||
      this.#retry.length > 0 ||
      this.#slots.some((slot) => slot.inFlight.size > 0)
    );
  }

  /** Workers that have something to do now. */
  get working(): number {
    let count = 0;
    for (const { state, inFlight } of this.#slots) {
      if (state === 'ready' && inFlight.size > 0) count++;
    }
    return count;
  }

  /** Why the pool can't run anything any more. */
  get broken(): { readonly error: unknown } | undefined {
    return this.#broken;
  }

  /** Chunks that a worker may hold now. */
  get credit(): number {
    const ahead = Math.floor(WORK_AHEAD_US / this.#expectedUs);
    return Math.max(CREDIT_MIN, Math.min(CREDIT_MAX, ahead));
  }

  /** Starts all workers. */
  start(): void {
    for (const index of this.#slots.keys()) this.#start(index);
  }

  submit(job: Job): void {
    if (this.#broken !== undefined) return job.fail(this.#broken.error);
    this.#jobs.push(job);
    this.#startResting();
    this.#ports.wake();
  }

  /**
   * Forgets a job, and takes back those of its chunks that no worker has begun; what the others
   * bring later is dropped by the job itself.
   */
  cancel(job: Job): void {
    if (!job.exhausted || this.#jobs.size > 0) this.#jobs.remove((other) => other === job);
    for (let i = this.#retry.length - 1; i >= 0; i--) {
      if (this.#retry[i]?.job === job) this.#retry.splice(i, 1);
    }
    for (const [index, slot] of this.#slots.entries()) {
      if ([...slot.inFlight.values()].some((chunk) => chunk.job === job)) {
        this.#takeBackAll(index, slot, job);
        if (this.#endsAborted && !this.#stopping) this.#aborted.add(job);
      }
    }
    this.#ports.wake();
  }

  /** A worker has imported what it needs and waits for chunks. */
  workerReady(index: number): void {
    const slot = this.#slots[index];
    if (slot?.state !== 'starting') return;
    slot.state = 'ready';
    this.#ports.wake();
  }

  /**
   * A worker has finished a chunk, in so many microseconds. What `read` throws becomes the error
   * of its items.
   */
  results(index: number, chunkId: number, tookUs: number, read: (chunk: Chunk) => Results): void {
    const slot = this.#slots[index];
    const chunk = slot?.inFlight.get(chunkId);
    if (slot === undefined || chunk === undefined) return;
    slot.inFlight.delete(chunkId);
    this.#expectedUs += (Math.max(1, tookUs) - this.#expectedUs) * FOLLOW;
    let results: Results;
    try {
      results = read(chunk);
    } catch (error) {
      results = failed(chunk, error);
    }
    this.#settle(chunk, results);
    if (slot.left === 0 && slot.inFlight.size === 0) this.#renew(index, slot);
    this.#ports.wake();
  }

  /**
   * A worker is gone. `unbegun` are the chunks that were still in its channel; all others that
   * it held are lost with it.
   */
  workerLost(index: number, unbegun: ReadonlySet<number>, cause: unknown): void {
    const slot = this.#slots[index];
    if (slot === undefined || slot.state === 'gone') return;
    slot.state = 'gone';
    const held = [...slot.inFlight.values()];
    slot.inFlight.clear();
    const livedMs = this.#ports.nowMs() - slot.startedAtMs;
    if (livedMs >= SHORT_LIFE_MS) this.#isFruitful();
    else if (wasKilled(cause)) this.#killed++;
    else this.#fruitless++;
    this.#retry.unshift(...held.filter((chunk) => unbegun.has(chunk.id)));
    for (const chunk of held) {
      if (unbegun.has(chunk.id)) continue;
      const error = new WorkerDied('the worker died while it ran the task', { cause });
      this.#settle(chunk, failed(chunk, error));
    }
    if (this.#stopping) return;
    if (this.#isHopeless()) return this.stop(neverWorking(cause));
    // A process that ends also ends its workers, and needs no others.
    if (wasKilled(cause) && !this.busy) this.#resting.add(index);
    else this.#start(index);
    this.#ports.wake();
  }

  /** From now on no worker is started: those that end have nothing left to do. */
  retire(): void {
    this.#stopping = true;
  }

  /** Ends all work with `error`, and refuses more. */
  stop(error: unknown): void {
    this.retire();
    this.#broken ??= { error };
    const unfinished = new Set<ChunkOwner>(this.#jobs.clear());
    for (const chunk of this.#retry) unfinished.add(chunk.job);
    for (const slot of this.#slots) {
      for (const chunk of slot.inFlight.values()) unfinished.add(chunk.job);
      slot.inFlight.clear();
    }
    this.#retry.length = 0;
    for (const job of unfinished) (job as Job).fail(error);
    this.#ports.over();
    this.#sayIdle();
  }

  /** Hands out chunks while workers have room for them. */
  pump(): void {
    if (this.#aborted.size > 0) this.#endAborted();
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
    this.#ports.flush();
    this.#sayIdle();
  }

  #startResting(): void {
    if (this.#resting.size === 0 || this.#stopping) return;
    const resting = [...this.#resting];
    this.#resting.clear();
    for (const index of resting) this.#start(index);
  }

  #start(index: number): void {
    const slot = this.#slots[index];
    if (slot === undefined) return;
    slot.state = 'starting';
    slot.startedAtMs = this.#ports.nowMs();
    slot.left = this.#chunksPerWorker;
    this.#ports.start(index, this.#fruitless * 20);
  }

  /** The worker has run as many chunks as one may: another one takes its place. */
  #renew(index: number, slot: Slot): void {
    if (this.#stopping) return;
    slot.state = 'gone';
    this.#ports.release(index);
    this.#start(index);
  }

  /**
   * Ends the workers that run chunks of aborted jobs. What such a worker has not begun was taken
   * back, and what it had ended is taken in here: nothing else is lost with it.
   */
  #endAborted(): void {
    this.#ports.drain();
    const aborted = [...this.#aborted];
    this.#aborted.clear();
    if (this.#stopping) return;
    for (const [index, slot] of this.#slots.entries()) {
      const [chunk, ...others] = slot.inFlight.values();
      if (chunk === undefined || others.length > 0 || !aborted.includes(chunk.job)) continue;
      slot.inFlight.clear();
      slot.state = 'gone';
      this.#ports.end(index);
      this.#start(index);
    }
  }

  #isFruitful(): void {
    this.#fruitless = 0;
    this.#killed = 0;
  }

  #isHopeless(): boolean {
    const { length } = this.#slots;
    return this.#fruitless > length + 2 || this.#killed > KILLS_PER_WORKER * length + KILLS_MIN;
  }

  #settle(chunk: Chunk, results: Results): void {
    this.#isFruitful();
    chunk.job.settle(chunk, results);
  }

  /** The ready worker with the fewest chunks, if it has room for one more. */
  #leastLoaded(): number | undefined {
    let best: number | undefined;
    let fewest = this.credit;
    for (let index = 0; index < this.#slots.length; index++) {
      const slot = this.#slots[index] as Slot;
      if (slot.state !== 'ready' || slot.left === 0 || slot.inFlight.size >= fewest) continue;
      fewest = slot.inFlight.size;
      best = index;
    }
    return best;
  }

  /** The next chunk of the jobs in turn, so that a long one does not hold up the others. */
  #nextFromJobs(): Chunk | undefined {
    for (let turns = this.#jobs.size; turns > 0; turns--) {
      const job = this.#jobs.shift();
      if (job === undefined) return undefined;
      const taken = job.take();
      // The input is the user's, and may have ended the pool.
      if (this.#broken !== undefined) {
        job.fail(this.#broken.error);
        return undefined;
      }
      if (!job.exhausted) this.#jobs.push(job);
      if (taken === undefined) continue;
      return { id: this.#nextChunk++, job, first: taken.first, items: taken.items };
    }
    return undefined;
  }

  #dispatch(index: number, chunk: Chunk): void {
    const slot = this.#slots[index] as Slot;
    slot.inFlight.set(chunk.id, chunk);
    slot.left--;
    try {
      this.#ports.dispatch(index, chunk);
    } catch (error) {
      slot.inFlight.delete(chunk.id);
      slot.left++;
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
      ({ state, left, inFlight }) => state === 'ready' && left > 0 && inFlight.size === 0,
    );
    if (idle < 0) return false;
    for (const [index, slot] of this.#slots.entries()) {
      if (slot.state !== 'ready' || slot.inFlight.size < 2) continue;
      const chunk = this.#takeBack(index, slot);
      if (chunk === undefined) continue;
      this.#dispatch(idle, chunk);
      return true;
    }
    return false;
  }

  #takeBack(index: number, slot: Slot): Chunk | undefined {
    const id = this.#ports.reclaim(index);
    const chunk = id === undefined ? undefined : slot.inFlight.get(id);
    if (chunk === undefined) return undefined;
    slot.inFlight.delete(chunk.id);
    slot.left++;
    return chunk;
  }

  /** Takes back what a worker has not begun; what is not of `job` is to run elsewhere. */
  #takeBackAll(index: number, slot: Slot, job: Job): void {
    const others: Chunk[] = [];
    for (;;) {
      const chunk = this.#takeBack(index, slot);
      if (chunk === undefined) break;
      if (chunk.job !== job) others.push(chunk);
    }
    this.#retry.unshift(...others);
  }

  #sayIdle(): void {
    if (!this.busy) this.#ports.idle();
  }
}
