/** The checks of `rw-lock.test.ts`: several processes at one reader-writer lock. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { currentNode } from 'dragon-runtime';
import { blockedWaits, Pool, RwLock } from 'dragon-runtime/core';
import fc from 'fast-check';
import { check, multiProcess, runChecks } from '../harness/inside.ts';
import { type Party, type RwHappened, type RwStep, startParties } from '../tasks/parties.ts';

const pool = Pool.create(currentNode(), { limitBytes: 16 << 20 });

const step: fc.Arbitrary<RwStep> = fc.record({
  kind: fc.constantFrom('read', 'read', 'write'),
  flavour: fc.constantFrom('async', 'sync', 'try'),
  timeoutMs: fc.nat({ max: 4 }),
  holdMs: fc.constantFrom(0, 0, 1),
});

type Span = readonly [from: number, to: number];

function overlap(a: Span, b: Span): boolean {
  return a[0] < b[1] && b[0] < a[1];
}

/** Processes that were in at the same time although one wrote, and refusals for nothing. */
function contradictions(histories: readonly RwHappened[][], readers: number): string[] {
  const found: string[] = [];
  for (const [by, history] of histories.entries()) {
    const others = histories.filter((_, i) => i !== by).flat();
    for (const one of history) {
      const isWrite = one.step.kind === 'write';
      const clashes = others.filter(
        (other) =>
          one.done &&
          other.done &&
          (isWrite || other.step.kind === 'write') &&
          overlap(one.inNs, other.inNs),
      );
      if (clashes.length > 0) found.push(`${one.step.kind} beside ${clashes[0]?.step.kind}`);
      const whole = ({ startNs, inNs }: RwHappened): Span => [startNs, inNs[1]];
      // The end of a hold is noted before the lock is given back.
      const near = others.filter((other) => {
        const [from, to] = whole(other);
        return overlap(whole(one), [from, to + 5_000_000]);
      });
      const inTheWay = near.filter(({ step: its }) => isWrite || its.kind === 'write');
      const isFull = !isWrite && near.length >= readers;
      if (!one.done && inTheWay.length === 0 && !isFull) found.push(`${one.step.kind} refused`);
    }
  }
  return found;
}

check('histories', async () => {
  await using parties = await startParties(4);
  const scripts = fc.array(fc.array(step, { minLength: 1, maxLength: 10 }), {
    minLength: 2,
    maxLength: 4,
  });
  await fc.assert(
    fc.asyncProperty(scripts, fc.constantFrom(1, 2, 64), async (all, readers) => {
      using lock = RwLock.create(pool, { readers });
      const handle = lock.serialize();
      const histories = await Promise.all(
        all.map((steps, i) =>
          (parties[i] as Party).play<RwHappened[]>({ kind: 'rwlock', handle, steps }),
        ),
      );
      assert.deepEqual(contradictions(histories, readers), []);
      assert.deepEqual([lock.readers, lock.writer, lock.ownerDied], [0, undefined, false]);
    }),
    { numRuns: multiProcess.numRuns * 3 },
  );
});

async function eventually(holds: () => boolean): Promise<void> {
  const endMs = performance.now() + 5000;
  while (!holds()) {
    assert.ok(performance.now() < endMs, 'it did not come to be within 5 s');
    await sleep(2);
  }
}

check('a writer is killed', async () => {
  await using parties = await startParties(1);
  const party = parties[0] as Party;
  using lock = RwLock.create(pool);
  void party.play({ kind: 'hold', handle: lock.serialize(), holds: 'write' }).catch(() => {});
  await eventually(() => lock.writer !== undefined);
  assert.equal(lock.tryRead(), false);
  const waiting = lock.reading({ timeout: 5000 });
  await party.process.kill();
  await party.process.join();
  using reading = await waiting;
  assert.deepEqual([reading.ownerDied, lock.ownerDied, lock.readers], [true, true, 1]);
  reading.release();
  assert.equal(await lock.write({ timeout: 5000 }), true);
  lock.endWrite();
  assert.equal(lock.ownerDied, false);
});

check('a reader is killed', async () => {
  await using parties = await startParties(1);
  const party = parties[0] as Party;
  using lock = RwLock.create(pool, { readers: 1 });
  void party.play({ kind: 'hold', handle: lock.serialize(), holds: 'read' }).catch(() => {});
  await eventually(() => lock.readers === 1);
  assert.equal(lock.tryRead(), false);
  const waiting = lock.writing({ timeout: 5000 });
  await party.process.kill();
  await party.process.join();
  using writing = await waiting;
  assert.equal(writing.ownerDied, false);
});

check('who is blocked', async () => {
  await using parties = await startParties(1);
  const party = parties[0] as Party;
  using lock = RwLock.create(pool);
  assert.ok(lock.tryWrite());
  const steps: RwStep[] = [{ kind: 'read', flavour: 'sync', timeoutMs: 5000, holdMs: 0 }];
  const playing = party.play<RwHappened[]>({ kind: 'rwlock', handle: lock.serialize(), steps });
  const wait = () =>
    blockedWaits(currentNode()).find(({ object }) => object === 'reader-writer lock');
  await eventually(() => wait() !== undefined);
  const { operation, wakers, others } = wait() ?? {};
  assert.deepEqual([operation, wakers, others], ['read', [currentNode().actorId], false]);
  lock.endWrite();
  assert.equal((await playing)[0]?.done, true);
});

await runChecks();
