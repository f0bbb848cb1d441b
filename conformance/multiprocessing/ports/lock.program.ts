/** The ported tests of locks. */
import assert from 'node:assert/strict';
import { NotOwnerError } from 'dragon-runtime';
import { Lock, Process } from 'dragon-runtime/multiprocessing';
import { check, runChecks } from '../../harness/inside.ts';
import { useLock } from '../../tasks/lock-tasks.ts';

/** In this process with promises, and in another one with blocking calls. */
check('_TestLock.test_lock', async () => {
  using lock = new Lock();
  assert.equal(await lock.acquire(), true);
  assert.equal(await lock.acquire({ timeout: 0 }), false);
  assert.equal(lock.tryAcquire(), false);
  const child = new Process({ target: useLock, args: [lock] });
  await child.start();
  // The child finds it taken, and takes it once it is free.
  assert.equal(await child.join({ timeout: 50 }), false);
  lock.release();
  await child.join();
  assert.equal(child.exitCode, 0);
  assert.equal(lock.locked, false);
  assert.throws(() => lock.release(), NotOwnerError);
});

check('_TestLock.test_lock_context', async () => {
  using lock = new Lock();
  {
    using guard = await lock.guard();
    assert.ok(guard.held && lock.locked);
    assert.equal(lock.tryAcquire(), false);
  }
  assert.equal(lock.locked, false);
  {
    using guard = lock.guardSync();
    assert.ok(guard.held && lock.locked);
  }
  assert.equal(lock.locked, false);
});

await runChecks();
