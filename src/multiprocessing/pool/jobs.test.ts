import { describe, expect, it } from 'vitest';
import { TimeoutError } from '../../runtime/errors/index.ts';
import { ArraySource, type Chunk, IteratorSource, type Outcome } from './chunks.ts';
import { IteratorJob, MapJob, PoolIterator } from './jobs.ts';
import type { Job } from './scheduler.ts';

let ids = 0;

function take(job: Job): Chunk {
  const taken = job.take();
  if (taken === undefined) throw new Error('no chunk');
  return { id: ids++, job, ...taken };
}

function succeed(chunk: Chunk): void {
  chunk.job.settle(
    chunk,
    chunk.items.map((item): Outcome => ({ ok: true, value: item })),
  );
}

function fail(chunk: Chunk, error: unknown): void {
  chunk.job.settle(
    chunk,
    chunk.items.map((): Outcome => ({ ok: false, error })),
  );
}

function iterate(ordered: boolean, items: Iterable<unknown>, chunksAhead = 3) {
  let ended = 0;
  let room = 0;
  const events = { onEnd: () => ended++, onRoom: () => room++ };
  const limits = { ordered, chunksAhead };
  const job = new IteratorJob('call', new IteratorSource(items, 1), limits, events);
  return { job, iterator: new PoolIterator<unknown>(job), counts: () => ({ ended, room }) };
}

describe('map', () => {
  it('settles when the last chunk has, with the first error by index [PL-010]', async () => {
    let ended = 0;
    const job = new MapJob('call', new ArraySource([0, 1, 2, 3], 1), () => ended++);
    const chunks = [take(job), take(job), take(job), take(job)];
    const [a, b, c, d] = chunks as [Chunk, Chunk, Chunk, Chunk];
    fail(d, 'last');
    fail(b, 'first');
    succeed(a);
    expect(job.outcome).toBeUndefined();
    succeed(c);
    expect(job.outcome).toEqual({ ok: false, error: 'first' });
    expect(ended).toBe(1);
    await expect(job.promise).rejects.toBe('first');
  });

  it('of nothing is nothing [PL-001]', async () => {
    const job = new MapJob('call', new ArraySource([], 1), () => undefined);
    expect(await job.promise).toEqual([]);
  });

  it('drops results that come after it has failed [PL-030]', async () => {
    const job = new MapJob('call', new ArraySource([0, 1], 1), () => undefined);
    const chunk = take(job);
    job.fail('aborted');
    succeed(chunk);
    job.fail('again');
    expect(job.exhausted).toBe(true);
    await expect(job.promise).rejects.toBe('aborted');
  });
});

describe('an iterator', () => {
  it('delivers in the order of the input or of the results [PL-003, PL-004]', async () => {
    for (const ordered of [true, false]) {
      const { job, iterator, counts } = iterate(ordered, [0, 1, 2], 4);
      const chunks = [take(job), take(job), take(job)].reverse();
      expect(job.take()).toBeUndefined();
      for (const chunk of chunks) succeed(chunk);
      const got: unknown[] = [];
      for await (const value of iterator) got.push(value);
      expect(got).toEqual(ordered ? [0, 1, 2] : [2, 1, 0]);
      expect(counts().ended).toBe(1);
    }
  });

  it('hands out no more chunks than its consumer leaves room for [PL-006]', async () => {
    const { job, iterator, counts } = iterate(true, [0, 1, 2, 3, 4], 2);
    const first = take(job);
    take(job);
    expect(job.take()).toBeUndefined();
    succeed(first);
    expect(job.take()).toBeUndefined();
    await iterator.next();
    expect(counts().room).toBe(1);
    expect(job.take()).toEqual({ first: 2, items: [2] });
    job.lift();
    expect(job.take()).toEqual({ first: 3, items: [3] });
  });

  it('rejects a late call in time and loses nothing [PL-030]', async () => {
    const { job, iterator } = iterate(true, [7]);
    const chunk = take(job);
    await expect(iterator.next({ timeout: 5 })).rejects.toThrow(TimeoutError);
    await expect(iterator.next({ timeout: Number.NaN })).rejects.toThrow(TypeError);
    const next = iterator.next();
    succeed(chunk);
    expect(await next).toEqual({ done: false, value: 7 });
  });

  it('ends once after an error of the pool [PL-032]', async () => {
    const { job, iterator } = iterate(true, [0, 1]);
    succeed(take(job));
    const calls = [iterator.next(), iterator.next(), iterator.next()];
    job.fail('terminated');
    expect(await calls[0]).toEqual({ done: false, value: 0 });
    await expect(calls[1]).rejects.toBe('terminated');
    expect(await calls[2]).toEqual({ done: true, value: undefined });
  });
});
