/** The properties of pools: `pool.test.ts` has their titles. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClosedError, registerError, WorkerDied } from 'dragon-runtime';
import { type Input, Pool } from 'dragon-runtime/multiprocessing';
import fc from 'fast-check';
import { check, inProcess, multiProcess, runChecks, sized } from '../../harness/inside.ts';
import * as tasks from '../../tasks/pool-tasks.ts';

registerError(tasks.TaskError);

const folder = mkdtempSync(join(tmpdir(), 'pool-properties-'));

/** The same items as each kind of input that a call takes. */
const inputs = {
  array: <T>(items: T[]): Input<T> => items,
  set: <T>(items: T[]): Input<T> => new Set(items),
  generator: function* <T>(items: T[]): Generator<T> {
    yield* items;
  },
  'async generator': async function* <T>(items: T[]): AsyncGenerator<T> {
    for (const [i, item] of items.entries()) {
      if (i % 3 === 0) await sleep(0);
      yield item;
    }
  },
};
const inputKind = fc.constantFrom(...(Object.keys(inputs) as (keyof typeof inputs)[]));

const expressions = fc.letrec<{ any: tasks.Expression }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    fc.constant<tasks.Expression>({ op: 'x' }),
    fc.record({ op: fc.constant('constant' as const), value: fc.double({ noNaN: true }) }),
    fc.record({
      op: fc.constantFrom('add', 'multiply', 'less'),
      left: tie('any'),
      right: tie('any'),
    }),
    fc.record({ op: fc.constantFrom('pair', 'text', 'later'), of: tie('any') }),
  ),
})).any;

type Item = readonly [tasks.Expression, number];

/** Distinct items, so that a set keeps them all. */
const items: fc.Arbitrary<Item[]> = fc
  .tuple(expressions, fc.uniqueArray(fc.integer(), { maxLength: 40 }))
  .map(([expression, numbers]) => numbers.map((x) => [expression, x] as const));

function expected(list: readonly Item[]): unknown[] {
  return list.map(([expression, x]) => tasks.evaluateHere(expression, x));
}

const pools = new Map([1, 2, 3].map((processes) => [processes, new Pool({ processes })]));
const poolSize = fc.constantFrom(1, 2, 3);

function poolOf(size: number): Pool {
  const pool = pools.get(size);
  assert.ok(pool);
  return pool;
}

check('map is Array.map', async () => {
  await fc.assert(
    fc.asyncProperty(
      items,
      inputKind,
      poolSize,
      fc.option(fc.nat(45)),
      async (list, kind, size, by) => {
        const options = by === null ? {} : { chunksize: by + 1 };
        const got = await poolOf(size).map(tasks.evaluate, inputs[kind](list), options);
        assert.deepEqual(got, expected(list));
      },
    ),
    inProcess,
  );
});

check('imap yields a prefix of map', async () => {
  await fc.assert(
    fc.asyncProperty(
      items,
      inputKind,
      poolSize,
      fc.nat(5),
      fc.nat(45),
      async (list, kind, size, by, k) => {
        const iterator = poolOf(size).imap(tasks.evaluate, inputs[kind](list), {
          chunksize: by + 1,
        });
        const got: unknown[] = [];
        while (got.length < k) {
          const { done, value } = await iterator.next();
          if (done) break;
          got.push(value);
        }
        assert.deepEqual(got, expected(list).slice(0, k));
        assert.deepEqual(await iterator.return(), { done: true, value: undefined });
        assert.deepEqual(await iterator.next(), { done: true, value: undefined });
      },
    ),
    inProcess,
  );
});

check('imapUnordered yields a permutation of map', async () => {
  const pairs = items.map((list) => list.map(([of, x]): Item => [{ op: 'pair', of }, x]));
  await fc.assert(
    fc.asyncProperty(pairs, inputKind, poolSize, fc.nat(5), async (list, kind, size, by) => {
      const options = { chunksize: by + 1 };
      const got: unknown[] = [];
      for await (const result of poolOf(size).imapUnordered(
        tasks.evaluate,
        inputs[kind](list),
        options,
      )) {
        got.push(result);
      }
      const byX = (pairs_: unknown[]): unknown[] =>
        (pairs_ as [number, unknown][]).toSorted(([a], [b]) => a - b);
      assert.deepEqual(byX(got), byX(expected(list)));
    }),
    inProcess,
  );
});

check('imap pulls as it is consumed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.boolean(),
      poolSize,
      fc.integer({ min: 1, max: 4 }),
      fc.nat(20),
      async (isAsync, size, chunksize, consumed) => {
        let pulled = 0;
        const source = function* (): Generator<number> {
          for (;;) yield pulled++;
        };
        const asyncSource = async function* (): AsyncGenerator<number> {
          yield* source();
        };
        const input = isAsync ? asyncSource() : source();
        const iterator = poolOf(size).imap(tasks.square, input, { chunksize });
        for (let i = 0; i < consumed; i++) await iterator.next();
        await sleep(5);
        const bound = (Math.floor(consumed / chunksize) + 3 * size) * chunksize;
        assert.ok(pulled <= bound, `${pulled} pulled, the bound is ${bound}`);
        await iterator.return();
      },
    ),
    { numRuns: sized(30) },
  );
});

check('map rejects with the first error', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.boolean(), { maxLength: 30 }),
      poolSize,
      fc.nat(6),
      async (fates, size, by) => {
        const pool = poolOf(size);
        const list = fates.map((fails, index) => ({ index, fails }));
        const mapping = pool.map(tasks.mayFail, list, { chunksize: by + 1 });
        const first = fates.indexOf(true);
        if (first < 0) assert.deepEqual(await mapping, [...list.keys()]);
        else await assert.rejects(mapping, { name: 'TaskError', index: first });
        assert.equal(await pool.apply(tasks.square, [3]), 9);
      },
    ),
    inProcess,
  );
  const log = join(folder, 'all ran');
  const list = Array.from({ length: 20 }, (_, i): [string, number] => [log, i]);
  const failing = poolOf(2).map(tasks.logItem, [...list, 5 as never], { chunksize: 1 });
  await assert.rejects(failing, TypeError);
  assert.equal(readFileSync(log, 'utf8').split('\n').length - 1, 20);
});

check('an input that throws', async () => {
  const failure = new Error('the input');
  await fc.assert(
    fc.asyncProperty(
      fc.nat(12),
      fc.integer({ min: 1, max: 4 }),
      fc.boolean(),
      async (at, by, isAsync) => {
        const source = function* (): Generator<number> {
          for (let i = 0; i < at; i++) yield i;
          throw failure;
        };
        const asyncSource = async function* (): AsyncGenerator<number> {
          yield* source();
        };
        const input = (): Input<number> => (isAsync ? asyncSource() : source());
        const got: number[] = [];
        const reading = async (): Promise<void> => {
          for await (const value of poolOf(2).imap(tasks.square, input(), { chunksize: by })) {
            got.push(value);
          }
        };
        const thrown = await reading().catch((error: unknown) => error);
        assert.equal(thrown, failure);
        assert.equal(got.length, at - (at % by));
        assert.equal(
          await poolOf(2)
            .map(tasks.square, input())
            .catch((e: unknown) => e),
          failure,
        );
      },
    ),
    inProcess,
  );
});

check('no worker runs more than it may', async () => {
  const runs = new Map<number, number>();
  const mortal = [1, 2, 3].map((most) => new Pool({ processes: 1, maxTasksPerChild: most }));
  await fc.assert(
    fc.asyncProperty(fc.nat(2), fc.nat(4), async (which, total) => {
      const pool = mortal[which];
      assert.ok(pool);
      const items = Array.from({ length: total }, (_, i) => i);
      const got = await pool.map(tasks.squareAndPid, items, { chunksize: 1 });
      assert.deepEqual(
        got.map(([square]) => square),
        items.map((x) => x * x),
      );
      for (const [, pid] of got) {
        runs.set(pid, (runs.get(pid) ?? 0) + 1);
        assert.ok((runs.get(pid) ?? 0) <= which + 1);
      }
    }),
    multiProcess,
  );
  for (const pool of mortal) pool.terminate();
  for (const pool of mortal) await pool.join();
});

type Step =
  | { readonly kind: 'apply' | 'map' | 'imap'; readonly items: number }
  | { readonly kind: 'kill'; readonly which: number }
  | { readonly kind: 'pause'; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('apply', 'map', 'imap'),
    items: fc.integer({ min: 1, max: 30 }),
  }),
  fc.record({ kind: fc.constant('kill' as const), which: fc.nat(2) }),
  fc.record({ kind: fc.constant('pause' as const), ms: fc.nat(15) }),
);

/** Kills a worker of the pool, if there is one. */
function killOne(pool: Pool, which: number): void {
  const pid = pool.workerPids[which];
  try {
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
  } catch {
    // It had ended already.
  }
}

/** A result, or WorkerDied: nothing else may become of a task. */
async function settles(call: Promise<unknown>, expected: unknown): Promise<void> {
  try {
    assert.deepEqual(await call, expected);
  } catch (error) {
    assert.ok(error instanceof WorkerDied, String(error));
  }
}

check('every task settles, whoever is killed when', async () => {
  await using pool = new Pool({ processes: 3 });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
      const calls: Promise<void>[] = [];
      for (const at of steps) {
        if (at.kind === 'kill') {
          killOne(pool, at.which);
        } else if (at.kind === 'pause') {
          await sleep(at.ms);
        } else if (at.kind === 'apply') {
          for (let x = 0; x < at.items; x++) {
            calls.push(settles(pool.apply(tasks.square, [x]), x * x));
          }
        } else if (at.kind === 'map') {
          const items = Array.from({ length: at.items }, (_, x) => x);
          const squares = items.map((x) => x * x);
          calls.push(settles(pool.map(tasks.slowSquare, items, { chunksize: 3 }), squares));
        } else {
          const items = Array.from({ length: at.items }, (_, x) => x);
          const iterator = pool.imap(tasks.square, items);
          for (const x of items) {
            calls.push(settles(iterator.next(), { done: false, value: x * x }));
          }
        }
      }
      await Promise.all(calls);
      assert.deepEqual(await retried(pool), [1, 4, 9]);
    }),
    multiProcess,
  );
});

/** A worker that was killed a moment ago may still be given a task, and lose it. */
async function retried(pool: Pool): Promise<number[]> {
  for (;;) {
    try {
      return await pool.map(tasks.square, [1, 2, 3]);
    } catch (error) {
      if (!(error instanceof WorkerDied)) throw error;
    }
  }
}

check('the states of a pool', async () => {
  const command = fc.constantFrom(
    'apply' as const,
    'map',
    'imap',
    'close',
    'terminate',
    'join',
    'pause',
  );
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 10 }), async (commands) => {
      const pool = new Pool({ processes: 1 });
      let state: 'running' | 'closing' | 'terminated' = 'running';
      const failures: Promise<unknown>[] = [];
      const calls = {
        apply: (): Promise<unknown> => pool.apply(tasks.square, [2]),
        map: (): Promise<unknown> => pool.map(tasks.square, [2]),
        imap: async (): Promise<unknown> => await pool.imap(tasks.square, [1, 2]).next(),
      };
      for (const name of commands) {
        if (name === 'pause') {
          await sleep(3);
        } else if (name === 'close') {
          pool.close();
          if (state === 'running') state = 'closing';
        } else if (name === 'terminate') {
          pool.terminate();
          state = 'terminated';
        } else if (name === 'join') {
          if (state === 'running') await assert.rejects(pool.join(), { code: 'ERR_STATE' });
          else await pool.join();
        } else if (state === 'running') {
          const settled = calls[name]();
          failures.push(
            settled.then(
              () => undefined,
              (error: unknown) => error,
            ),
          );
        } else {
          await assert.rejects(calls[name](), ClosedError);
        }
      }
      pool.terminate();
      for (const failure of await Promise.all(failures)) {
        assert.ok(failure === undefined || failure instanceof ClosedError);
      }
      await pool.join();
      assert.deepEqual(pool.workerPids, []);
    }),
    multiProcess,
  );
});

check('an abort hits its own tasks only', async () => {
  await using pool = new Pool({ processes: 2 });
  await pool.map(tasks.square, [1, 2, 3, 4]);
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }),
      fc.nat(8),
      fc.boolean(),
      async (isAborted, afterMs, withGate) => {
        const log = join(folder, `log ${++run}`);
        const gate = join(folder, `gate ${run}`);
        writeFileSync(log, '');
        // With both workers held up, nothing that is aborted has begun.
        const held = withGate ? [1, 2].map((x) => pool.apply(tasks.waitForFile, [[gate, x]])) : [];
        if (withGate) await sleep(5);
        const controller = new AbortController();
        const { signal } = controller;
        const reason = new Error('aborted');
        const calls = isAborted.map((aborts, x) =>
          pool.apply(tasks.logItem, [[log, x]], aborts ? { signal } : {}),
        );
        const outcomes = Promise.allSettled(calls);
        await sleep(afterMs);
        controller.abort(reason);
        if (withGate) writeFileSync(gate, '');
        for (const [x, outcome] of (await outcomes).entries()) {
          if (outcome.status === 'fulfilled') assert.equal(outcome.value, x);
          else assert.ok(isAborted[x] && outcome.reason === reason);
        }
        assert.deepEqual(await Promise.all(held), withGate ? [1, 2] : []);
        assert.deepEqual(await pool.map(tasks.square, [1, 2, 3]), [1, 4, 9]);
        const ran = readFileSync(log, 'utf8').split('\n').filter(Boolean).map(Number);
        assert.equal(new Set(ran).size, ran.length);
        for (const [x, aborts] of isAborted.entries()) assert.ok(aborts || ran.includes(x));
        if (withGate) assert.ok(ran.every((x) => !isAborted[x]));
      },
    ),
    { numRuns: sized(20) },
  );
});

await runChecks();
for (const pool of pools.values()) pool.close();
for (const pool of pools.values()) await pool.join();
rmSync(folder, { recursive: true });
