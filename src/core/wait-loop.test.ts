import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { NativeNode, NativeObject } from './native.ts';
import { type HeldWaitOptions, KEPT, NOT_YET, WaitLoop, type WaitOptions } from './wait.ts';

/** A node that never wakes anybody, as when every waker died on the way. */
const silent = {
  onWake() {},
  hold() {},
  rearm() {},
  cancel() {},
} as unknown as NativeNode;
const object = { arm: () => 1 } as unknown as NativeObject;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

it('a wait looks again by itself when no wake comes [WAI-007]', async () => {
  const loop = new WaitLoop(silent);
  for (const readyAfterMs of [5, 200, 900, 7000, 100_000]) {
    const begin = performance.now();
    const waited = () => performance.now() - begin;
    const done = loop.wait(object, 0, () => (waited() >= readyAfterMs ? waited() : NOT_YET));
    await vi.advanceTimersByTimeAsync(readyAfterMs + 17_000);
    expect(await done).toBeLessThanOrEqual(readyAfterMs + Math.min(readyAfterMs + 11, 16_001));
  }
});

/** The longest time between two looks of a wait that lasts for a minute, and their number. */
async function looksOf(
  options: WaitOptions | HeldWaitOptions,
): Promise<{ longestMs: number; count: number }> {
  const loop = new WaitLoop(silent);
  const looks: number[] = [];
  const end = new AbortController();
  const wait = loop.wait(
    object,
    0,
    () => {
      looks.push(performance.now());
      return NOT_YET;
    },
    { ...options, signal: end.signal },
  );
  await vi.advanceTimersByTimeAsync(60_000);
  end.abort(new Error('over'));
  await expect(wait).rejects.toThrow('over');
  const steps = looks.slice(1).map((atMs, i) => atMs - (looks[i] as number));
  return { longestMs: Math.max(...steps), count: looks.length };
}

it('looks that cost nothing, or that do not leave a holder alone [WAI-007]', async () => {
  const idle = await looksOf({});
  expect(idle.longestMs).toBeGreaterThan(15_000);
  expect(idle.longestMs).toBeLessThan(16_010);
  expect(idle.count).toBeLessThan(20);
  const held = { isHeld: true } as const;
  expect((await looksOf(held)).longestMs).toBeLessThan(1010);
});

it('what is kept for another is looked at soon again [WAI-007]', async () => {
  const loop = new WaitLoop(silent);
  const begin = performance.now();
  const waited = () => performance.now() - begin;
  const done = loop.wait(object, 0, () => {
    if (waited() < 40_000) return NOT_YET;
    return waited() < 60_000 ? KEPT : waited();
  });
  await vi.advanceTimersByTimeAsync(80_000);
  expect(await done).toBeLessThan(60_010);
});
