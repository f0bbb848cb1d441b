/** The checks of `pool.test.ts`: ported tests of pools and their results, in upstream's order. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  ClosedError,
  ProcessError,
  RemoteTraceback,
  ResultEncodingError,
  SerializeError,
  TimeoutError,
} from 'dragon-runtime';
import { Pool as Memory } from 'dragon-runtime/core';
import { type Input, Pool } from 'dragon-runtime/multiprocessing';
import { check, runChecks } from '../../harness/inside.ts';
import * as tasks from '../../tasks/pool-port-tasks.ts';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;
const folder = mkdtempSync(join(tmpdir(), 'pool-ports-'));

const pool = new Pool({ processes: 4 });
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const squares = (n: number): number[] => range(n).map((x) => x * x);
const closed = { name: 'ClosedError', code: 'ERR_CLOSED' };

/** Collects until `isDone`, or ten times; what was looked at lives until the end of its turn. */
async function collectUntil(isDone: () => boolean): Promise<void> {
  for (let turn = 0; turn < 10 && !isDone(); turn++) {
    await sleep(2);
    gc();
    await sleep(2);
  }
}

/** An input that throws when it comes to item `at`, in each form that an input has. */
function throwing(total: number, at: number): Input<number>[] {
  const source = function* (): Generator<number> {
    for (const i of range(total)) {
      if (i === at) throw new tasks.SayWhenError(at);
      yield i;
    }
    if (at >= total) throw new tasks.SayWhenError(at);
  };
  const later = async function* (): AsyncGenerator<number> {
    yield* source();
  };
  const withLength = { length: total, [Symbol.iterator]: source };
  return [source(), withLength, later()];
}

check('apply', async () => {
  assert.equal(await pool.apply(tasks.sqr, [5]), 25);
  assert.equal(await pool.apply(tasks.sqr, [5, { wait: 1 }]), 25);
  assert.equal(pool.applySync(tasks.sqr, [3, { wait: 1 }]), 9);
  assert.equal(await pool.applyAsync(tasks.sqr, [4]), 16);
});

check('map', async () => {
  assert.deepEqual(await pool.map(tasks.sqr, range(10)), squares(10));
  assert.deepEqual(await pool.map(tasks.sqr, range(100), { chunksize: 20 }), squares(100));
  assert.deepEqual(pool.mapSync(tasks.sqr, range(100), { chunksize: 20 }), squares(100));
});

check('starmap', async () => {
  for (const [n, options] of [
    [10, {}],
    [100, { chunksize: 20 }],
  ] as const) {
    const pairs = range(n).map((x): [number, number] => [x, n - x]);
    const expected = pairs.map(([x, y]) => x * y);
    assert.deepEqual(await pool.starmap(tasks.mul, pairs, options), expected);
    assert.deepEqual(pool.starmapSync(tasks.mul, pairs, options), expected);
  }
});

check('starmap_async', async () => {
  const pairs = range(100).map((x): [number, number] => [x, x]);
  const result = pool.starmapAsync(tasks.mul, pairs);
  assert.deepEqual(await result.get(), squares(100));
  assert.equal(result.successful, true);
});

check('map_async', async () => {
  const result = pool.mapAsync(tasks.sqr, range(10));
  assert.deepEqual(await result.get(), squares(10));
  assert.deepEqual(await result, squares(10));
  assert.deepEqual(pool.mapAsync(tasks.sqr, range(10)).getSync(), squares(10));
});

check('map_async_callbacks', async () => {
  const called: unknown[] = [];
  const callback = (value: unknown): number => called.push(value);
  const errorCallback = (error: unknown): number => called.push(error);
  const options = { callback, errorCallback };
  await pool.mapAsync(tasks.sqr, [1, 2], options).wait();
  assert.deepEqual(called, [[1, 4]]);
  const failing = pool.mapAsync(tasks.raising, [1, 2] as never, options);
  await failing.wait();
  assert.equal(called.length, 2);
  assert.ok(called[1] instanceof tasks.SayWhenError);
  assert.equal(failing.successful, false);
  await sleep(5);
  assert.equal(called.length, 2);
});

check('map_unplicklable', async () => {
  const traps = {
    get trap(): never {
      throw new Error('this can not be read');
    },
  };
  for (const bad of [traps, () => 1, { deep: [Symbol('s')] }]) {
    const result = pool.mapAsync(tasks.identity, [1, bad, 2, ...range(20)]);
    await assert.rejects(result.get({ timeout: 5000 }), SerializeError);
  }
  assert.equal(await pool.apply(tasks.sqr, [5]), 25);
});

check('map_chunksize', async () => {
  assert.deepEqual(await pool.mapAsync(tasks.sqr, [], { chunksize: 1 }).get({ timeout: 5000 }), []);
});

check('map_handle_iterable_exception', async () => {
  for (const at of [0, 4, 10]) {
    for (const chunksize of [undefined, 1, 2, 20]) {
      const options = chunksize === undefined ? {} : { chunksize };
      for (const input of throwing(10, at)) {
        const thrown = await pool.map(tasks.sqr, input, options).catch((error: unknown) => error);
        assert.ok(thrown instanceof tasks.SayWhenError && thrown.value === at);
      }
    }
  }
  assert.deepEqual(await pool.map(tasks.sqr, range(10)), squares(10));
});

check('async', async () => {
  const begin = performance.now();
  const result = pool.applyAsync(tasks.sqr, [7, { wait: 60 }]);
  assert.equal(result.ready, false);
  assert.throws(() => result.successful, { code: 'ERR_STATE' });
  assert.equal(await result.get(), 49);
  assert.ok(performance.now() - begin >= 59);
  assert.equal(result.ready && result.successful, true);
});

check('async_timeout', async () => {
  const result = pool.applyAsync(tasks.sqr, [6, { wait: 150 }]);
  await assert.rejects(result.get({ timeout: 10 }), TimeoutError);
  assert.throws(() => result.getSync({ timeout: 10 }), TimeoutError);
  assert.equal(await result.wait({ timeout: 1 }), false);
  assert.equal(result.waitSync({ timeout: 1 }), false);
  assert.equal(await result.get(), 36);
});

check('imap', async () => {
  for (const [n, chunksize] of [
    [10, 1],
    [1000, 100],
  ] as const) {
    const got: number[] = [];
    for await (const value of pool.imap(tasks.sqr, range(n), { chunksize })) got.push(value);
    assert.deepEqual(got, squares(n));
    const iterator = pool.imap(tasks.sqr, range(n), { chunksize });
    for (const value of squares(n)) {
      assert.deepEqual(await iterator.next(), { done: false, value });
    }
    assert.deepEqual(await iterator.next(), { done: true, value: undefined });
  }
});

check('imap_handle_iterable_exception', async () => {
  for (const [at, chunksize] of [
    [0, 1],
    [3, 1],
    [10, 1],
    [10, 2],
    [10, 4],
  ] as const) {
    for (const input of throwing(20, at)) {
      const iterator = pool.imap(tasks.sqr, input, { chunksize });
      for (const value of squares(at - (at % chunksize))) {
        assert.deepEqual(await iterator.next(), { done: false, value });
      }
      await assert.rejects(iterator.next(), tasks.SayWhenError);
      assert.equal((await iterator.next()).done, true);
    }
  }
});

check('imap_unordered', async () => {
  for (const [n, chunksize] of [
    [10, 1],
    [1000, 100],
  ] as const) {
    const got: number[] = [];
    const iterator = pool.imapUnordered(tasks.sqr, range(n), { chunksize });
    for await (const value of iterator) got.push(value);
    assert.deepEqual(
      got.toSorted((a, b) => a - b),
      squares(n),
    );
  }
});

check('imap_unordered_handle_iterable_exception', async () => {
  for (const [at, chunksize] of [
    [0, 1],
    [3, 1],
    [10, 2],
  ] as const) {
    for (const input of throwing(20, at)) {
      const got: number[] = [];
      const reading = (async () => {
        for await (const value of pool.imapUnordered(tasks.sqr, input, { chunksize })) {
          got.push(value);
        }
      })();
      await assert.rejects(reading, tasks.SayWhenError);
      assert.deepEqual(
        got.toSorted((a, b) => a - b),
        squares(at - (at % chunksize)),
      );
    }
  }
});

check('make_pool', async () => {
  const code = { code: 'ERR_INVALID_ARGUMENT' };
  assert.throws(() => new Pool({ processes: 0 }), code);
  assert.throws(() => new Pool({ processes: -1 }), code);
  const three = new Pool({ processes: 3 });
  assert.equal(three.size, 3);
  await three.map(tasks.sqr, range(10), { chunksize: 1 });
  while (three.workerPids.length < 3) await sleep(5);
  assert.equal(new Set(three.workerPids).size, 3);
  three.close();
  await three.join();
});

check('terminate', async () => {
  const doomed = new Pool({ processes: 4 });
  const result = doomed.mapAsync(tasks.endless, range(10_000), { chunksize: 1 });
  await sleep(50);
  const begin = performance.now();
  doomed.terminate();
  await doomed.join();
  assert.ok(performance.now() - begin < 5000);
  await assert.rejects(result.get({ timeout: 0 }), ClosedError);
});

check('empty_iterable', async () => {
  assert.deepEqual(await pool.map(tasks.sqr, []), []);
  assert.deepEqual(await pool.mapAsync(tasks.sqr, []), []);
  assert.deepEqual(await pool.starmap(tasks.mul, []), []);
  for (const form of ['imap', 'imapUnordered'] as const) {
    assert.deepEqual(await pool[form](tasks.sqr, []).next(), { done: true, value: undefined });
  }
});

check('context', async () => {
  let inside: Pool;
  {
    await using scoped = new Pool({ processes: 2 });
    inside = scoped;
    assert.deepEqual(await scoped.mapAsync(tasks.sqr, range(10)).get(), squares(10));
  }
  assert.deepEqual(inside.workerPids, []);
  assert.throws(() => inside.mapAsync(tasks.sqr, range(10)), closed);
});

check('traceback', async () => {
  const thrown = await pool.apply(tasks.raising, []).catch((error: unknown) => error);
  assert.ok(thrown instanceof tasks.SayWhenError);
  assert.deepEqual([thrown.value, thrown.message], [123, 'Somebody said when']);
  assert.ok(thrown.cause instanceof RemoteTraceback);
  assert.match(String(thrown.cause.stack), /pool-port-tasks\.ts:\d+/);
  for (const call of [
    pool.map(tasks.sqr, throwing(1, 0)[0] as Input<number>),
    pool.imap(tasks.sqr, throwing(1, 0)[0] as Input<number>).next(),
  ]) {
    const ours = await call.catch((error: unknown) => error);
    assert.ok(ours instanceof tasks.SayWhenError);
    assert.equal(ours.cause, undefined);
  }
});

check('wrapped_exception', async () => {
  await assert.rejects(pool.apply(tasks.raising, []), (error: unknown) => {
    assert.equal((error as Error).constructor, tasks.SayWhenError);
    return true;
  });
  assert.throws(() => pool.applySync(tasks.raising, []), tasks.SayWhenError);
});

check('map_no_failfast', async () => {
  const patient = new Pool({ processes: 2 });
  const log = join(folder, 'all');
  writeFileSync(log, '');
  const items = [2 ** 20, 2 ** 20, 0, 0, 0].map((bytes, i) => [log, bytes, i * 10] as const);
  await assert.rejects(patient.map(tasks.raiseLarge, items, { chunksize: 1 }), RangeError);
  assert.equal(readFileSync(log, 'utf8'), 'xxxxx');
  const slow = [[log, 10, 0] as const, ...range(20).map(() => [log, 0, 30] as const)];
  const begin = performance.now();
  const options = { chunksize: 1, failFast: true };
  await assert.rejects(patient.map(tasks.raiseLarge, slow, options), RangeError);
  assert.ok(performance.now() - begin < 250);
  patient.close();
  await patient.join();
  assert.ok(readFileSync(log, 'utf8').length < 5 + 10);
});

check('release_task_refs', async () => {
  const usedBytes = (): number => Memory.default().stats().usedBytes;
  await pool.map(tasks.identity, range(100));
  // Workers that are still starting take a little; an item that is kept takes 50,000.
  const before = usedBytes() + 16_384;
  const refs: WeakRef<object>[] = [];
  await (async () => {
    const items = range(10).map((i) => ({ i, bytes: new Uint8Array(50_000) }));
    const results = await pool.map(tasks.identity, items, { chunksize: 1 });
    for (const object of [...items, ...(results as object[])]) refs.push(new WeakRef(object));
  })();
  await collectUntil(() => refs.every((ref) => ref.deref() === undefined));
  assert.equal(refs.filter((ref) => ref.deref() !== undefined).length, 0);
  await collectUntil(() => usedBytes() <= before);
  assert.ok(usedBytes() <= before, `${usedBytes()} bytes used, ${before} before`);
});

check('enter', async () => {
  const stopped = new Pool({ processes: 1 });
  stopped.terminate();
  await stopped.join();
  {
    // A scope has no say when it is entered; all that can be done in it is refused.
    await using scoped = stopped;
    await assert.rejects(scoped.apply(tasks.sqr, [1]), closed);
    await assert.rejects(scoped.map(tasks.sqr, []), closed);
    await assert.rejects(scoped.starmap(tasks.mul, []), closed);
    assert.throws(() => scoped.applySync(tasks.sqr, [1]), closed);
    assert.throws(() => scoped.applyAsync(tasks.sqr, [1]), closed);
    assert.throws(() => scoped.imap(tasks.sqr, []), closed);
    assert.throws(() => scoped.imapUnordered(tasks.sqr, []), closed);
  }
});

check('resource_warning', async () => {
  const warnings: Error[] = [];
  const note = (warning: Error): number => warnings.push(warning);
  process.on('warning', note);
  let pids: number[] = [];
  await (async () => {
    const forgotten = new Pool({ processes: 1 });
    await forgotten.apply(tasks.sqr, [1]);
    pids = forgotten.workerPids;
    const ended = new Pool({ processes: 1 });
    ended.terminate();
    await ended.join();
  })();
  await collectUntil(() => warnings.length > 0);
  process.off('warning', note);
  assert.deepEqual(
    warnings.map(({ name }) => name),
    ['ResourceWarning'],
  );
  for (let i = 0; i < 200 && pids.some(isAlive); i++) await sleep(10);
  assert.deepEqual(pids.filter(isAlive), []);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

check('async_error_callback', async () => {
  let told: unknown;
  const result = pool.applyAsync(tasks.raising, [], {
    errorCallback: (error) => {
      told = error;
    },
  });
  await assert.rejects(result.get(), tasks.SayWhenError);
  assert.ok(told instanceof tasks.SayWhenError);
  assert.throws(() => result.getSync(), tasks.SayWhenError);
});

check('unpickleable_result', async () => {
  await using two = new Pool({ processes: 2 });
  await two.map(tasks.sqr, range(10), { chunksize: 1 });
  while (two.workerPids.length < 2) await sleep(5);
  const pids = two.workerPids;
  for (let i = 0; i < 20; i++) {
    let told: unknown;
    const errorCallback = (error: unknown): void => {
      told = error;
    };
    const result = two.applyAsync(tasks.unserializable, [], { errorCallback });
    await assert.rejects(result.get(), ResultEncodingError);
    assert.ok(told instanceof ResultEncodingError);
    assert.match(told.message, /\.inside can't be serialized: it is a function/);
    assert.match(told.message, /result of the task/);
  }
  assert.deepEqual(two.workerPids, pids);
});

check('pool_worker_lifetime', async () => {
  await using mortal = new Pool({ processes: 3, maxTasksPerChild: 10 });
  const got = await mortal.map(tasks.sqrAndPid, range(100), { chunksize: 1 });
  assert.deepEqual(
    got.map(([square]) => square),
    squares(100),
  );
  const runs = new Map<number, number>();
  for (const [, pid] of got) runs.set(pid, (runs.get(pid) ?? 0) + 1);
  assert.ok([...runs.values()].every((times) => times <= 10));
  assert.ok(runs.size >= 10);
  while (mortal.workerPids.length < 3) await sleep(5);
  assert.ok(mortal.workerPids.some((pid) => (runs.get(pid) ?? 0) < 10));
});

check('pool_worker_lifetime_early_close', async () => {
  const mortal = new Pool({ processes: 3, maxTasksPerChild: 1 });
  const results = range(6).map((x) => mortal.applyAsync(tasks.sqr, [x, { wait: 20 }]));
  mortal.close();
  await mortal.join();
  for (const [x, result] of results.entries()) {
    assert.equal(await result.get({ timeout: 0 }), x * x);
  }
});

check('pool_maxtasksperchild_invalid', () => {
  for (const bad of [0, -1, 0.5, '12' as never]) {
    const code = { code: 'ERR_INVALID_ARGUMENT' };
    assert.throws(() => new Pool({ processes: 1, maxTasksPerChild: bad }), code);
  }
});

check('release_unused_processes', async () => {
  const path = join(folder, 'starts');
  writeFileSync(path, '');
  const leaking = new Pool({ processes: 4, initializer: tasks.onlyThree, initargs: [path] });
  const seen = new Set<number>();
  let error: unknown;
  for (let i = 0; i < 1000 && error === undefined; i++) {
    for (const pid of leaking.workerPids) seen.add(pid);
    await sleep(5);
    // Refused once the pool has given up; an empty map does not need a worker.
    error = await leaking.map(tasks.sqr, []).then(
      () => undefined,
      (reason: unknown) => reason,
    );
  }
  assert.ok(error instanceof ProcessError);
  assert.match(String((error.cause as Error).message), /exit code 7/);
  for (let i = 0; i < 200 && [...seen].some(isAlive); i++) await sleep(10);
  assert.ok(seen.size >= 4);
  assert.deepEqual([...seen].filter(isAlive), []);
  leaking.terminate();
  await leaking.join();
});

check('pool_initializer', async () => {
  assert.throws(() => new Pool({ initializer: 1 as never }), TypeError);
  await using one = new Pool({ processes: 1, initializer: tasks.initialise });
  for (let i = 0; i < 3; i++) assert.equal(await one.apply(tasks.timesInitialised, []), 1);
});

await runChecks();
pool.close();
await pool.join();
rmSync(folder, { recursive: true });
