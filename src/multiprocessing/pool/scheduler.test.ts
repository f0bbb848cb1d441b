import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProcessError, SerializeError, WorkerDied } from '../../runtime/errors/index.ts';
import type { Chunk, Outcome, Results } from './chunks.ts';
import { call } from './jobs.fixture.ts';
import { CREDIT_MAX, CREDIT_MIN, type Job, Scheduler, type SchedulerOptions } from './scheduler.ts';

/** A job of so many items that notes what became of each. */
class Notes implements Job {
  readonly call = call;
  readonly outcomes = new Map<number, Outcome>();
  readonly size: number;
  readonly #chunksize: number;
  #next = 0;
  failed: unknown;

  constructor(size: number, chunksize = 1) {
    this.size = size;
    this.#chunksize = chunksize;
  }

  get exhausted(): boolean {
    return this.#next >= this.size;
  }

  take(): { first: number; items: number[] } | undefined {
    if (this.exhausted) return undefined;
    const first = this.#next;
    this.#next = Math.min(this.size, first + this.#chunksize);
    return { first, items: Array.from({ length: this.#next - first }, (_, i) => first + i) };
  }

  settle(chunk: Chunk, { values, errors }: Results): void {
    values.forEach((value, i) => {
      expect(this.outcomes.has(chunk.first + i), 'an item is settled once').toBe(false);
      const ok = errors?.has(i) !== true;
      this.outcomes.set(chunk.first + i, ok ? { ok, value } : { ok, error: errors?.get(i) });
    });
  }

  fail(error: unknown): void {
    this.failed = error;
  }
}

/** Workers as far as a scheduler knows them: what lies in their pipes, and what they run. */
class Workers {
  readonly started: { slot: number; delayMs: number }[] = [];
  readonly pipes: Chunk[][];
  readonly running: (Chunk | undefined)[];
  readonly scheduler: Scheduler;
  readonly released: number[] = [];
  readonly ended: number[] = [];
  /** What comes in when a scheduler asks for reports. */
  onDrain: () => void = () => undefined;
  unsendable: unknown;
  idle = 0;
  over = 0;
  nowMs = 0;

  constructor(size: number, options: Omit<SchedulerOptions, 'workers'> = {}) {
    this.pipes = Array.from({ length: size }, () => []);
    this.running = new Array<Chunk | undefined>(size).fill(undefined);
    this.scheduler = new Scheduler(
      {
        start: (slot, delayMs) => this.started.push({ slot, delayMs }),
        dispatch: (slot, chunk) => {
          if (chunk.items.includes(this.unsendable)) throw new SerializeError('no');
          this.pipes[slot]?.push(chunk);
        },
        release: (slot) => this.released.push(slot),
        end: (slot) => {
          this.ended.push(slot);
          expect(this.pipes[slot], 'no chunk is lost with a worker that is ended').toEqual([]);
          this.running[slot] = undefined;
        },
        drain: () => this.onDrain(),
        flush: () => undefined,
        reclaim: (slot) => this.pipes[slot]?.shift()?.id,
        wake: () => this.scheduler.pump(),
        idle: () => this.idle++,
        over: () => this.over++,
        nowMs: () => this.nowMs,
      },
      { workers: size, ...options },
    );
    this.scheduler.start();
  }

  ready(): void {
    for (const slot of this.pipes.keys()) this.scheduler.workerReady(slot);
  }

  begin(slot: number): void {
    this.running[slot] ??= this.pipes[slot]?.shift();
  }

  finish(slot: number, tookUs = 1000): void {
    const chunk = this.running[slot];
    this.running[slot] = undefined;
    if (chunk === undefined) return;
    const results = { values: chunk.items, errors: undefined };
    this.scheduler.results(slot, chunk.id, tookUs, () => results);
  }

  die(slot: number, nowMs = 0, cause: Error = new Error('died')): void {
    this.nowMs = nowMs;
    const unbegun = new Set(this.pipes[slot]?.splice(0).map((chunk) => chunk.id));
    this.running[slot] = undefined;
    this.scheduler.workerLost(slot, unbegun, cause);
  }
}

describe('the scheduler of a pool', () => {
  it('settles every item once, whoever dies when [PL-020, PL-050]', () => {
    const event = fc.record({
      kind: fc.constantFrom('begin', 'finish', 'die', 'ready', 'submit', 'cancel'),
      slot: fc.nat(3),
      size: fc.nat(12),
      chunksize: fc.integer({ min: 1, max: 4 }),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.boolean(), fc.array(event), (...given) => {
        const [size, endsAborted, events] = given;
        const workers = new Workers(size, { endsAborted });
        const jobs: Notes[] = [];
        const cancelled = new Set<Job>();
        let timeMs = 0;
        for (const { kind, slot: any, size: items, chunksize } of events) {
          const slot = any % size;
          timeMs += 6000;
          if (kind === 'begin') workers.begin(slot);
          if (kind === 'finish') workers.finish(slot);
          if (kind === 'die') workers.die(slot, timeMs);
          if (kind === 'ready') workers.scheduler.workerReady(slot);
          if (kind === 'cancel' && jobs[0]) {
            cancelled.add(jobs[0]);
            workers.scheduler.cancel(jobs[0]);
          }
          if (kind === 'submit') {
            jobs.push(new Notes(items, chunksize));
            workers.scheduler.submit(jobs.at(-1) as Notes);
          }
          for (const [i, pipe] of workers.pipes.entries()) {
            expect(pipe.length + (workers.running[i] ? 1 : 0)).toBeLessThanOrEqual(CREDIT_MIN);
          }
        }
        for (let rounds = 0; workers.scheduler.busy && rounds < 1000; rounds++) {
          workers.ready();
          for (const slot of workers.pipes.keys()) {
            workers.begin(slot);
            workers.finish(slot);
          }
        }
        expect(workers.scheduler.busy).toBe(false);
        for (const job of jobs) {
          if (cancelled.has(job)) continue;
          expect(job.exhausted).toBe(true);
          expect(job.outcomes.size).toBe(job.size);
          for (const outcome of job.outcomes.values()) {
            expect(outcome.ok || outcome.error instanceof WorkerDied).toBe(true);
          }
        }
      }),
    );
  });

  it('runs elsewhere what a dead worker had not begun [PL-020]', () => {
    const workers = new Workers(1);
    workers.ready();
    const job = new Notes(2);
    workers.scheduler.submit(job);
    workers.begin(0);
    workers.die(0);
    expect([...job.outcomes.keys()]).toEqual([0]);
    expect(job.outcomes.get(0)).toMatchObject({ ok: false, error: expect.any(WorkerDied) });
    workers.ready();
    workers.begin(0);
    workers.finish(0);
    expect(job.outcomes.get(1)).toEqual({ ok: true, value: 1 });
  });

  it('gives an idle worker what another has not begun [PL-021]', () => {
    const workers = new Workers(2);
    workers.scheduler.workerReady(0);
    workers.scheduler.submit(new Notes(2));
    workers.begin(0);
    expect(workers.pipes.map((pipe) => pipe.length)).toEqual([1, 0]);
    workers.scheduler.workerReady(1);
    expect(workers.pipes.map((pipe) => pipe.length)).toEqual([0, 1]);
  });

  it('spreads chunks before it queues them [PL-021]', () => {
    const workers = new Workers(3);
    workers.ready();
    workers.scheduler.submit(new Notes(4));
    expect(workers.pipes.map((pipe) => pipe.length)).toEqual([2, 1, 1]);
  });

  it('takes turns among calls [PL-002]', () => {
    const workers = new Workers(1);
    workers.ready();
    const [long, short] = [new Notes(100), new Notes(1)];
    workers.scheduler.submit(long);
    workers.scheduler.submit(short);
    for (let i = 0; i < 4; i++) {
      workers.begin(0);
      workers.finish(0);
    }
    expect(short.outcomes.size).toBe(1);
  });

  it('gives up when workers end without having worked, later each time [PL-022]', () => {
    const workers = new Workers(2);
    const job = new Notes(3);
    workers.scheduler.submit(job);
    for (let i = 0; i < 5; i++) workers.die(i % 2);
    expect(job.failed).toMatchObject({ code: 'ERR_PROCESS', cause: { message: 'died' } });
    expect(workers.scheduler.broken).toBeDefined();
    expect(workers.over).toBe(1);
    const delays = workers.started.map(({ delayMs }) => delayMs);
    expect(delays.slice(2)).toEqual([20, 40, 60, 80]);
    const late = new Notes(1);
    workers.scheduler.submit(late);
    expect(late.failed).toBe(job.failed);
  });

  it('bears with workers that somebody kills, but not for ever [PL-022]', () => {
    const workers = new Workers(2);
    const killed = new ProcessError('killed', { exitCode: null, signal: 'SIGKILL' });
    workers.scheduler.submit(new Notes(1));
    for (let i = 0; i < 40; i++) workers.die(i % 2, 0, killed);
    expect(workers.scheduler.broken).toBeUndefined();
    expect(workers.started.every(({ delayMs }) => delayMs === 0)).toBe(true);
    workers.die(0, 0, killed);
    expect(workers.scheduler.broken?.error).toMatchObject({ cause: killed });
  });

  it('replaces a worker that is killed while there is no work when there is some [PL-020]', () => {
    const workers = new Workers(2);
    workers.ready();
    workers.die(1, 0, new ProcessError('killed', { exitCode: null, signal: 'SIGTERM' }));
    expect(workers.started).toHaveLength(2);
    workers.scheduler.submit(new Notes(3));
    expect(workers.started.slice(2)).toEqual([{ slot: 1, delayMs: 0 }]);
    workers.scheduler.submit(new Notes(3));
    expect(workers.started).toHaveLength(3);
  });

  it('does not give up while work is done, or after long lives [PL-022]', () => {
    const workers = new Workers(1);
    for (let i = 0; i < 20; i++) {
      workers.ready();
      workers.scheduler.submit(new Notes(1));
      workers.begin(0);
      workers.die(0);
    }
    for (let i = 1; i <= 20; i++) workers.die(0, i * 10_000);
    expect(workers.scheduler.broken).toBeUndefined();
  });

  it('tries items alone when their chunk can not be serialised [PL-014]', () => {
    const workers = new Workers(1);
    workers.unsendable = 1;
    workers.ready();
    const job = new Notes(3, 3);
    workers.scheduler.submit(job);
    expect(job.outcomes.get(1)).toMatchObject({ ok: false, error: expect.any(SerializeError) });
    for (let i = 0; i < 2; i++) {
      workers.begin(0);
      workers.finish(0);
    }
    expect(job.outcomes.get(2)).toEqual({ ok: true, value: 2 });
    expect(workers.idle).toBeGreaterThan(0);
  });

  it('queues more with a worker while chunks are short, and fewer again [PL-041]', () => {
    const workers = new Workers(1);
    workers.ready();
    const job = new Notes(1000);
    workers.scheduler.submit(job);
    expect(workers.pipes[0]).toHaveLength(CREDIT_MIN);
    for (let i = 0; i < 50; i++) {
      workers.begin(0);
      workers.finish(0, 10);
    }
    expect(workers.pipes[0]).toHaveLength(CREDIT_MAX);
    for (let i = 0; i < 100; i++) {
      workers.begin(0);
      workers.finish(0, 5000);
    }
    expect(workers.pipes[0]).toHaveLength(CREDIT_MIN);
  });

  it('takes back what nobody has begun of a job that is over, and only that [PL-042]', () => {
    const workers = new Workers(1);
    workers.ready();
    const [over, other] = [new Notes(1), new Notes(3)];
    const begun = new Notes(1);
    for (const job of [begun, over, other]) workers.scheduler.submit(job);
    workers.begin(0);
    over.fail('over');
    workers.scheduler.cancel(over);
    for (let i = 0; i < 4; i++) {
      workers.finish(0);
      workers.begin(0);
    }
    expect([begun.outcomes.size, over.outcomes.size, other.outcomes.size]).toEqual([1, 0, 3]);
    expect(workers.scheduler.busy).toBe(false);
  });

  it('ends workers that run what was aborted, and loses nothing else [PL-050]', () => {
    const workers = new Workers(2, { endsAborted: true });
    workers.ready();
    const [over, other] = [new Notes(1), new Notes(3)];
    for (const job of [over, other]) workers.scheduler.submit(job);
    workers.begin(0);
    workers.begin(1);
    over.fail('over');
    workers.scheduler.cancel(over);
    expect(workers.ended).toEqual([0]);
    expect(workers.started.slice(2)).toEqual([{ slot: 0, delayMs: 0 }]);
    workers.ready();
    for (let i = 0; i < 6; i++) {
      workers.begin(i % 2);
      workers.finish(i % 2);
    }
    expect([...other.outcomes.values()].every(({ ok }) => ok)).toBe(true);
    expect([over.outcomes.size, other.outcomes.size]).toEqual([0, 3]);
  });

  it('leaves a worker alone that has just finished what was aborted [PL-050]', () => {
    const workers = new Workers(1, { endsAborted: true });
    workers.ready();
    const [over, other] = [new Notes(1), new Notes(1)];
    for (const job of [over, other]) workers.scheduler.submit(job);
    workers.begin(0);
    workers.onDrain = () => {
      workers.finish(0);
      workers.begin(0);
    };
    workers.scheduler.cancel(over);
    expect(workers.ended).toEqual([]);
    workers.begin(0);
    workers.finish(0);
    expect(other.outcomes.get(0)).toEqual({ ok: true, value: 0 });
  });

  it('lets a worker run only so many chunks, and starts another one [PL-045]', () => {
    const workers = new Workers(1, { chunksPerWorker: 3 });
    workers.ready();
    const job = new Notes(7);
    workers.scheduler.submit(job);
    for (let i = 0; i < 3; i++) {
      expect(workers.released).toEqual([]);
      workers.begin(0);
      workers.finish(0);
    }
    expect(workers.released).toEqual([0]);
    expect(workers.pipes[0]).toEqual([]);
    expect(workers.started.map(({ delayMs }) => delayMs)).toEqual([0, 0]);
    workers.ready();
    expect(workers.pipes[0]).toHaveLength(CREDIT_MIN);
    workers.begin(0);
    workers.die(0);
    workers.ready();
    for (let i = 0; i < 3; i++) {
      workers.begin(0);
      workers.finish(0);
    }
    expect([...job.outcomes.values()].filter(({ ok }) => ok)).toHaveLength(6);
    expect(workers.released).toEqual([0, 0]);
  });

  it('starts no worker after it was retired or stopped [PL-032]', () => {
    const workers = new Workers(1);
    workers.scheduler.retire();
    workers.die(0);
    expect(workers.started).toHaveLength(1);
    const stopped = new Workers(1);
    const job = new Notes(1);
    stopped.scheduler.submit(job);
    stopped.scheduler.stop(new Error('over'));
    stopped.die(0);
    expect(job.failed).toEqual(new Error('over'));
    expect(stopped.started).toHaveLength(1);
  });
});
