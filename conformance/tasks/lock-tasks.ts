/** What processes do with locks that they are given. */
import assert from 'node:assert/strict';
import { defineTask, NotOwnerError } from 'dragon-runtime';
import type { Lock } from 'dragon-runtime/multiprocessing';

/**
 * Takes and frees the lock, and kills itself at the point with this number: before and after each
 * change that JavaScript makes to the lock by itself. Returns how many points there were.
 */
export const dieAt = defineTask(
  import.meta.url,
  'dieAt',
  (lock: Lock, point: number, byGuard: boolean): number => {
    // From the second time on JavaScript changes the lock by itself.
    lock.acquireSync();
    lock.release();
    const change = Atomics.compareExchange;
    let passed = 0;
    const pass = (): void => {
      if (++passed === point) process.kill(process.pid, 'SIGKILL');
    };
    const watched = (...args: Parameters<typeof change>): ReturnType<typeof change> => {
      pass();
      const found = change(...args);
      pass();
      return found;
    };
    Atomics.compareExchange = watched as unknown as typeof change;
    try {
      if (byGuard) lock.guardSync().release();
      else {
        lock.acquireSync();
        lock.release();
      }
      return passed;
    } finally {
      Atomics.compareExchange = change;
    }
  },
);

/** Waits for the lock, finds it taken by itself, frees it once and not twice. */
export const useLock = defineTask(import.meta.url, 'useLock', (lock: Lock): void => {
  assert.equal(lock.tryAcquire(), false);
  assert.equal(lock.acquireSync(), true);
  assert.equal(lock.acquireSync({ timeout: 0 }), false);
  lock.release();
  assert.throws(() => lock.release(), NotOwnerError);
});
