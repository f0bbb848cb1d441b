import { describe, expect, it } from 'vitest';
import { MapCall } from './calls.ts';
import { ArraySource, type Chunk } from './chunks.ts';
import { call, fail, succeed, take } from './jobs.fixture.ts';

describe('map', () => {
  it('settles when the last chunk has, with the first error by index [PL-010]', async () => {
    let ended = 0;
    const job = new MapCall(call, new ArraySource([0, 1, 2, 3], 1), () => ended++);
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
    const job = new MapCall(call, new ArraySource([], 1), () => undefined);
    expect(await job.promise).toEqual([]);
  });

  it('drops results that come after it has failed [PL-030]', async () => {
    const job = new MapCall(call, new ArraySource([0, 1], 1), () => undefined);
    const chunk = take(job);
    job.fail('aborted');
    succeed(chunk);
    job.fail('again');
    expect(job.exhausted).toBe(true);
    await expect(job.promise).rejects.toBe('aborted');
  });
});
