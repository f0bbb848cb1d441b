import { describe, expect, it } from 'vitest';
import { TimeoutError } from '../../runtime/errors/index.ts';
import { IteratorSource } from './chunks.ts';
import { IteratorJob, type Looks, PoolIterator } from './iterators.ts';
import { call, succeed, take } from './jobs.fixture.ts';

function iterate(ordered: boolean, items: Iterable<unknown>, chunksAhead = 3) {
  let ended = 0;
  let room = 0;
  const events = { onEnd: () => ended++, onRoom: () => room++ };
  const limits = { ordered, chunksAhead, chunksize: 1 };
  const job = new IteratorJob(call, new IteratorSource(items, 1), limits, events);
  const looks: Looks = {
    now: () => undefined,
    nextSync: () => {
      throw new Error('nothing blocks here');
    },
  };
  return { job, iterator: new PoolIterator<unknown>(job, looks), counts: () => ({ ended, room }) };
}

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
