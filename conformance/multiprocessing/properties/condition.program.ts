/** The checks of `condition.test.ts`. */
import assert from 'node:assert/strict';
import { NotLockedError } from 'dragon-runtime';
import { Condition, Lock, Process, Queue, RLock, rawArray } from 'dragon-runtime/multiprocessing';
import fc from 'fast-check';
import { check, inProcess, multiProcess, runChecks } from '../../harness/inside.ts';
import { consume, produce } from '../../tasks/bounded-buffer.ts';
import { type Step, startMeeters } from '../../tasks/meeters.ts';

const kind = fc.constantFrom<() => Condition>(
  () => new Condition(),
  () => new Condition(new Lock()),
);

check('notify', async () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.constant<['wait']>(['wait']) },
    { weight: 3, arbitrary: fc.tuple(fc.constant('notify'), fc.integer({ min: 0, max: 4 })) },
    { weight: 1, arbitrary: fc.tuple(fc.constantFrom('abort', 'notify all'), fc.nat(3)) },
  );
  await fc.assert(
    fc.asyncProperty(kind, fc.array(step, { maxLength: 30 }), async (make, steps) => {
      using condition = make();
      const waiting: { id: number; controller: AbortController; ended: Promise<unknown> }[] = [];
      const woken: number[] = [];
      const expected: number[] = [];
      for (const [id, [what, n = 0]] of steps.entries()) {
        if (what === 'wait') {
          const controller = new AbortController();
          const { signal } = controller;
          const ended = condition.run(async (guard) => {
            assert.equal(await condition.wait(guard, { signal }), true);
            assert.ok(guard.held);
            woken.push(id);
          });
          waiting.push({ id, controller, ended });
        } else if (what === 'abort') {
          const [one] = waiting.splice(n, 1);
          one?.controller.abort(new Error('stop it'));
          if (one !== undefined) await assert.rejects(one.ended as Promise<unknown>, /stop it/);
        } else {
          const count = what === 'notify' ? n : Number.POSITIVE_INFINITY;
          const first = waiting.splice(0, Math.min(count, waiting.length));
          const notified = await condition.run((guard) => {
            assert.equal(condition.nWaiting, first.length + waiting.length);
            return condition.notify(count, guard);
          });
          assert.equal(notified, first.length);
          expected.push(...first.map((one) => one.id));
          await Promise.all(first.map(({ ended }) => ended));
        }
        assert.deepEqual(new Set(woken), new Set(expected));
        await condition.run(() => assert.equal(condition.nWaiting, waiting.length));
      }
      await condition.run((guard) => condition.notifyAll(guard));
      await Promise.all(waiting.map(({ ended }) => ended));
      assert.equal(condition.lock.locked, false);
      condition.lock.close();
    }),
    inProcess,
  );
});

check('no wait ends by itself', async () => {
  await using meeters = await startMeeters(2);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 15 }), { minLength: 2, maxLength: 10 }),
      fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 0, max: 3 })), { maxLength: 10 }),
      async (timeouts, notifies) => {
        using condition = new Condition();
        const steps = timeouts.flatMap((timeout): Step[] => [
          { on: condition, call: 'acquireSync' },
          { on: condition, call: 'waitSync', with: [{ timeout }] },
          // Throws unless it holds the lock.
          { on: condition, call: 'notify', with: [0] },
          { on: condition, call: 'release' },
        ]);
        const plays = meeters.map((meeter) => meeter.play(steps));
        const own = timeouts.map((timeout) =>
          condition.run(async (guard) => {
            const startNs = Number(process.hrtime.bigint());
            const isNotified = await condition.wait(guard, { timeout });
            assert.equal(condition.notify(0, guard), 0);
            return { isNotified, startNs, endNs: Number(process.hrtime.bigint()) };
          }),
        );
        const notified: { startNs: number; endNs: number; count: number }[] = [];
        for (const [delayMs, n] of notifies) {
          await new Promise((resolve) => setTimeout(resolve, delayMs));
          const startNs = Number(process.hrtime.bigint());
          const count = await condition.run((guard) => condition.notify(n, guard));
          notified.push({ startNs, endNs: Number(process.hrtime.bigint()), count });
        }
        const waits = (await Promise.all(own)).filter(({ isNotified }) => isNotified);
        for (const outcomes of await Promise.all(plays)) {
          for (const [i, { code, value, startNs, endNs }] of outcomes.entries()) {
            assert.equal(code, undefined);
            if (i % 4 === 1 && value === true) waits.push({ isNotified: true, startNs, endNs });
          }
        }
        // As many as were notified, and each by a notify after it had begun.
        const sum = notified.reduce((total, { count }) => total + count, 0);
        assert.equal(waits.length, sum);
        for (const wait of waits) {
          assert.ok(
            notified.some(
              ({ count, startNs, endNs }) =>
                count > 0 && endNs >= wait.startNs && startNs <= wait.endNs,
            ),
          );
        }
        assert.deepEqual([condition.nWaiting, condition.lock.locked], [0, false]);
      },
    ),
    multiProcess,
  );
});

check('with the lock', async () => {
  const step = fc.constantFrom('wait', 'waitFor', 'notify', 'acquire', 'release', 'notify all');
  await fc.assert(
    fc.asyncProperty(kind, fc.array(step, { maxLength: 20 }), async (make, steps) => {
      using condition = make();
      let isHeld = false;
      for (const what of steps) {
        if (what === 'acquire' && !isHeld) {
          isHeld = condition.acquireSync();
        } else if (what === 'release' && isHeld) {
          condition.release();
          isHeld = false;
        } else if (what !== 'acquire' && what !== 'release') {
          const call = {
            wait: () => condition.waitSync({ timeout: 0 }),
            waitFor: () => condition.waitForSync(() => false, { timeout: 0 }),
            notify: () => condition.notify() > 0,
            'notify all': () => condition.notifyAll() > 0,
          }[what];
          if (isHeld) assert.equal(call(), false);
          else assert.throws(call, NotLockedError);
        }
        assert.equal(condition.lock.locked, isHeld);
      }
      if (isHeld) condition.release();
      condition.lock.close();
    }),
    inProcess,
  );
  // What a predicate says is the result, and it is asked once more at the time-out.
  const answer = fc.constantFrom<unknown>(false, 0, '', null, undefined, 'yes', 1, true);
  await fc.assert(
    fc.asyncProperty(
      kind,
      fc.array(answer, { minLength: 1, maxLength: 6 }),
      fc.boolean(),
      async (make, answers, isSync) => {
        using condition = make();
        let asked = 0;
        const predicate = () => answers[Math.min(asked++, answers.length - 1)];
        const first = answers.findIndex(Boolean);
        const notify = (): Promise<number> => condition.run((guard) => condition.notify(1, guard));
        let result: unknown;
        if (isSync) {
          result = condition.runSync(() => condition.waitForSync(predicate, { timeout: 1 }));
          const last = answers[0] ? answers[0] : answers[Math.min(1, answers.length - 1)];
          assert.equal(result, last);
          assert.equal(asked, answers[0] ? 1 : 2);
        } else {
          const isReached = first >= 0;
          const waiting = condition.run((guard) =>
            condition.waitFor(guard, predicate, isReached ? {} : { timeout: 5 }),
          );
          // A notify that comes before it waits again is not remembered.
          for (let i = 0; isReached && i < first; ) {
            i += await notify();
            await new Promise(setImmediate);
          }
          if (!isReached) await notify();
          result = await waiting;
          assert.equal(result, answers[Math.min(asked, answers.length) - 1]);
          if (isReached) assert.equal(asked, first + 1);
        }
        condition.lock.close();
      },
    ),
    { numRuns: Math.ceil(inProcess.numRuns / 2) },
  );
});

check('bounded buffer', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 2 }),
      fc.integer({ min: 1, max: 2 }),
      fc.array(fc.integer({ min: 1, max: 25 }), { minLength: 2, maxLength: 2 }),
      fc.boolean(),
      async (room, producers, consumers, sizes, isPlain) => {
        const lock = isPlain ? new Lock() : new RLock();
        using notFull = new Condition(lock);
        using notEmpty = new Condition(lock);
        // Where the next item goes, where the next one is, and the items.
        using cells = rawArray('i', 2 + room);
        using taken = new Queue<number>();
        const buffer = { notFull, notEmpty, cells, room };
        const flavour = (i: number) => (i % 2 === 0 ? 'sync' : 'async');
        const processes: Process[] = [];
        for (let i = 0; i < producers; i++) {
          const items = Array.from({ length: sizes[i] ?? 1 }, (_, k) => 100 * (i + 1) + k);
          const args = [buffer, items, flavour(i)] as const;
          processes.push(new Process({ target: produce, args: [...args], daemon: true }));
        }
        const consuming = Array.from({ length: consumers }, (_, i) => {
          const args = [buffer, flavour(i + 1), taken] as const;
          return new Process({ target: consume, args: [...args], daemon: true });
        });
        for (const process of [...processes, ...consuming]) await process.start();
        for (const process of processes) await process.join({ throw: true });
        // One end for each consumer.
        const ends = consuming.map(() => -1);
        await produce(buffer, ends, 'async');
        for (const process of consuming) await process.join({ throw: true });
        const all: number[] = [];
        for (let item = taken.tryGet(); item.ok; item = taken.tryGet()) all.push(item.value);
        const expected = sizes
          .slice(0, producers)
          .flatMap((size, i) => Array.from({ length: size }, (_, k) => 100 * (i + 1) + k));
        assert.deepEqual(
          all.sort((a, b) => a - b),
          expected,
        );
        assert.deepEqual([notFull.nWaiting, notEmpty.nWaiting, lock.locked], [0, 0, false]);
        lock.close();
      },
    ),
    { numRuns: Math.ceil(multiProcess.numRuns / 3) },
  );
});

await runChecks();
