/** What processes do with locks that they are given. */
import assert from 'node:assert/strict';
import { defineTask, NotOwnerError } from 'dragon-runtime';
import type { Connection, Lock } from 'dragon-runtime/multiprocessing';

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

/**
 * Frees the lock, lets somebody begin to wait in the midst of that, and dies when the lock is free
 * and before it wakes who waits.
 */
export const dieOwingAWake = defineTask(
  import.meta.url,
  'dieOwingAWake',
  (lock: Lock, line: Connection<string>): void => {
    lock.acquireSync();
    lock.release();
    lock.acquireSync();
    const change = Atomics.compareExchange;
    let changes = 0;
    const watched = (...args: Parameters<typeof change>): ReturnType<typeof change> => {
      changes += 1;
      Atomics.compareExchange = change;
      if (changes === 1) {
        line.sendSync('wait');
        line.recvSync();
      }
      Atomics.compareExchange = watched as unknown as typeof change;
      const found = change(...args);
      if (changes === 2) process.kill(process.pid, 'SIGKILL');
      return found;
    };
    Atomics.compareExchange = watched as unknown as typeof change;
    lock.release();
  },
);

/** Frees a lock that another process has taken, and takes it, when told to. */
export const snatch = defineTask(
  import.meta.url,
  'snatch',
  (lock: Lock, line: Connection<string>): void => {
    line.sendSync('ready');
    for (let told = line.recvSync(); told === 'snatch'; told = line.recvSync()) {
      lock.release();
      assert.equal(lock.tryAcquire(), true);
      line.sendSync('snatched');
      assert.equal(line.recvSync(), 'free');
      lock.release();
      line.sendSync('freed');
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
