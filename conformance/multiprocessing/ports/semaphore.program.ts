/** The checks of `semaphore.test.ts`. Each runs for both flavours. */
import assert from 'node:assert/strict';
import { NotOwnerError } from 'dragon-runtime';
import { BoundedSemaphore, Semaphore } from 'dragon-runtime/multiprocessing';
import { check, runChecks } from '../../harness/inside.ts';

const FLAVOURS = ['acquire', 'acquireSync'] as const;

async function countsDownAndUp(semaphore: Semaphore, call: (typeof FLAVOURS)[number]) {
  assert.equal(semaphore.value, 2);
  for (const left of [1, 0]) {
    assert.equal(await semaphore[call](), true);
    assert.equal(semaphore.value, left);
  }
  assert.equal(semaphore.tryAcquire(), false);
  assert.equal(await semaphore[call]({ timeout: 0 }), false);
  assert.equal(semaphore.value, 0);
  for (const value of [1, 2]) {
    assert.equal(semaphore.release(), undefined);
    assert.equal(semaphore.value, value);
  }
}

check('semaphore', async () => {
  for (const call of FLAVOURS) {
    using semaphore = new Semaphore(2);
    await countsDownAndUp(semaphore, call);
    for (const value of [3, 4]) {
      semaphore.release();
      assert.equal(semaphore.value, value);
    }
  }
});

check('bounded semaphore', async () => {
  for (const call of FLAVOURS) {
    using semaphore = new BoundedSemaphore(2);
    await countsDownAndUp(semaphore, call);
    // Upstream has this disabled.
    assert.throws(() => semaphore.release(), NotOwnerError);
    assert.equal(semaphore.value, 2);
  }
});

check('timeout', async () => {
  using semaphore = new Semaphore(0);
  const forms: [call: () => boolean | Promise<boolean>, leastMs: number][] = [
    [() => semaphore.tryAcquire(), 0],
    [() => semaphore.acquireSync({ timeout: 0 }), 0],
    [() => semaphore.acquireSync({ timeout: -10 }), 0],
    [() => semaphore.acquireSync({ timeout: 60 }), 60],
    [() => semaphore.acquire({ timeout: 0 }), 0],
    [() => semaphore.acquire({ timeout: 60 }), 60],
  ];
  for (const [call, leastMs] of forms) {
    const startMs = performance.now();
    assert.equal(await call(), false);
    const tookMs = performance.now() - startMs;
    assert.ok(tookMs >= leastMs - 1 && tookMs < leastMs + 2000, `${tookMs} ms`);
  }
});

await runChecks();
