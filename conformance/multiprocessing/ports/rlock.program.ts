/** The checks of `rlock.test.ts`. */
import assert from 'node:assert/strict';
import { NotOwnerError } from 'dragon-runtime';
import { RLock } from 'dragon-runtime/multiprocessing';
import { check, runChecks } from '../../harness/inside.ts';
import { startMeeters } from '../../tasks/meeters.ts';

const THREE = [1, 2, 3];

check('rlock', async () => {
  using lock = new RLock();
  for (const _ of THREE) assert.equal(lock.acquireSync(), true);
  for (const _ of THREE) assert.equal(lock.release(), undefined);
  assert.throws(() => lock.release(), NotOwnerError);
  for (const _ of THREE) assert.equal(await lock.acquire(), true);
  for (const _ of THREE) assert.equal(lock.release(), undefined);
  assert.throws(() => lock.release(), NotOwnerError);
});

check('rlock of others', async () => {
  await using meeters = await startMeeters(1);
  using lock = new RLock();
  for (const call of ['acquire', 'acquireSync']) {
    const steps = [
      ...THREE.map(() => ({ on: lock, call })),
      { on: lock, call: 'locked' },
      ...THREE.map(() => ({ on: lock, call: 'release' })),
      { on: lock, call: 'locked' },
      { on: lock, call: 'release' },
    ];
    const outcomes = (await meeters[0]?.play(steps)) ?? [];
    const seen = outcomes.map(({ value, code }) => code ?? value);
    const nothing = THREE.map(() => undefined);
    assert.deepEqual(seen, [true, true, true, true, ...nothing, false, 'ERR_NOT_OWNER']);
  }
  // An acquisition of this task is not another process's to release.
  await lock.acquire();
  const [outcome] = (await meeters[0]?.play([{ on: lock, call: 'release' }])) ?? [];
  assert.equal(outcome?.code, 'ERR_NOT_OWNER');
  lock.release();
});

await runChecks();
