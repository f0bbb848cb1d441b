import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArraySource, AsyncSource, defaultChunksize, IteratorSource } from './chunks.ts';

async function* lazily<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}

/** Takes all chunks; an asynchronous source is asked again when it says that it is ready. */
async function drain(
  make: (onReady: () => void) => {
    take(): readonly unknown[] | undefined;
    readonly ended: boolean;
  },
): Promise<(readonly unknown[])[]> {
  let wake = (): void => undefined;
  const source = make(() => wake());
  const chunks: (readonly unknown[])[] = [];
  while (!source.ended) {
    const ready = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const chunk = source.take();
    if (chunk !== undefined) chunks.push(chunk);
    else if (!source.ended) await ready;
  }
  return chunks;
}

describe('sources of chunks', () => {
  it('cut every kind of input in the same way [PL-001]', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer(), { maxLength: 20 }),
        fc.integer({ min: 1, max: 6 }),
        async (items, size) => {
          const chunks = await drain(() => new ArraySource(items, size));
          expect(chunks.flat()).toEqual(items);
          expect(chunks.slice(0, -1).every((chunk) => chunk.length === size)).toBe(true);
          expect(await drain(() => new IteratorSource(items, size))).toEqual(chunks);
          const later = await drain((ready) => new AsyncSource(lazily(items), size, ready));
          expect(later).toEqual(chunks);
        },
      ),
    );
  });

  it('end with what the input throws, after the last whole chunk [PL-013]', async () => {
    const failure = new Error('input');
    const input = function* (): Generator<number> {
      yield* [1, 2, 3];
      throw failure;
    };
    const now = new IteratorSource(input(), 2);
    expect(await drain(() => now)).toEqual([[1, 2]]);
    expect(now.failure?.error).toBe(failure);
    let later: AsyncSource | undefined;
    const chunks = await drain((ready) => {
      later = new AsyncSource(lazily(input()), 2, ready);
      return later;
    });
    expect(chunks).toEqual([[1, 2]]);
    expect(later?.failure?.error).toBe(failure);
  });

  it('pull nothing before they are asked, and stop when they are told [PL-031]', async () => {
    let pulled = 0;
    let cleaned = 0;
    const input = function* (): Generator<number> {
      try {
        for (;;) yield pulled++;
      } finally {
        cleaned++;
      }
    };
    const source = new IteratorSource(input(), 3);
    expect(pulled).toBe(0);
    source.take();
    expect(pulled).toBe(3);
    source.stop();
    source.stop();
    expect([source.take(), source.ended, cleaned]).toEqual([undefined, true, 1]);
    const later = new AsyncSource(lazily(input()), 2, () => undefined);
    later.take();
    await new Promise(setImmediate);
    expect(later.take()).toEqual([3, 4]);
    later.stop();
    await new Promise(setImmediate);
    expect([later.take(), later.ended, cleaned]).toEqual([undefined, true, 2]);
  });

  it('have four chunks for each worker by default [PL-005]', () => {
    expect(defaultChunksize(0, 4)).toBe(1);
    expect(defaultChunksize(10_000, 2)).toBe(1250);
    expect(defaultChunksize(17, 2)).toBe(3);
  });
});
