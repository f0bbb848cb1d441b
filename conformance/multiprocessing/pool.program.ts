/** The checks of `pool.test.ts`: what calls of a pool return, and how they fail. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ClosedError,
  ResultEncodingError,
  registerError,
  SerializeError,
  TimeoutError,
} from 'dragon-runtime';
import { Pool, Queue } from 'dragon-runtime/multiprocessing';
import { check, runChecks } from '../harness/inside.ts';
import * as tasks from '../tasks/pool-tasks.ts';

registerError(tasks.TaskError);

const folder = mkdtempSync(join(tmpdir(), 'pool-'));

const pools = new Map([1, 2, 3].map((processes) => [processes, new Pool({ processes })]));

function poolOf(size: number): Pool {
  const pool = pools.get(size);
  assert.ok(pool);
  return pool;
}

check('apply', async () => {
  const pool = poolOf(2);
  assert.equal(await pool.apply(tasks.add, [2, 3]), 5);
  assert.equal(await pool.apply(tasks.slowSquare, [4]), 16);
  const module = new URL('../tasks/pool-tasks.ts', import.meta.url);
  assert.equal(await pool.apply({ module, export: 'add' }, [5, 6]), 11);
  const many = await Promise.all(
    Array.from({ length: 200 }, (_, i) => pool.apply(tasks.add, [i, 1])),
  );
  assert.deepEqual(
    many,
    Array.from({ length: 200 }, (_, i) => i + 1),
  );
});

check('bad sizes', async () => {
  const pool = poolOf(1);
  for (const chunksize of [0, -1, 0.5, Number.NaN, '3' as never]) {
    const code = { code: 'ERR_INVALID_ARGUMENT' };
    await assert.rejects(pool.map(tasks.square, [1], { chunksize }), code);
    assert.throws(() => pool.imap(tasks.square, [1], { chunksize }), code);
    assert.throws(() => new Pool({ processes: chunksize }), code);
  }
});

check('blocking forms', () => {
  const pool = poolOf(2);
  const list = Array.from({ length: 100 }, (_, i) => i);
  assert.deepEqual(
    pool.mapSync(tasks.square, list),
    list.map((x) => x * x),
  );
  assert.deepEqual(pool.mapSync(tasks.slowSquare, new Set([1, 2, 3]), { chunksize: 1 }), [1, 4, 9]);
  assert.equal(pool.applySync(tasks.add, [1, 2]), 3);
  assert.throws(() => pool.applySync(tasks.throwValue, [new RangeError('sync')]), RangeError);
  const stuck = [join(folder, 'never'), 1] as const;
  assert.throws(() => pool.applySync(tasks.waitForFile, [stuck], { timeout: 30 }), TimeoutError);
  writeFileSync(join(folder, 'never'), '');
  const fresh = new Pool({ processes: 1 });
  assert.deepEqual(fresh.mapSync(tasks.square, [1, 2, 3]), [1, 4, 9]);
  fresh.terminate();
});

check('errors arrive as they were', async () => {
  const pool = poolOf(1);
  await assert.rejects(pool.apply(tasks.mayFail, [{ index: 7, fails: true }]), (error: unknown) => {
    assert.ok(error instanceof tasks.TaskError);
    assert.deepEqual([error.message, error.code, error.index], ['task 7 failed', 'E_TASK', 7]);
    const cause = error.cause as Error;
    assert.ok(cause instanceof RangeError);
    assert.equal(cause.message, 'the reason');
    assert.match(String((cause.cause as Error).stack), /pool-tasks\.ts/);
    return true;
  });
  const many = new AggregateError([new TypeError('one'), 2], 'several');
  await assert.rejects(pool.apply(tasks.throwValue, [many]), (error: unknown) => {
    assert.ok(error instanceof AggregateError);
    assert.ok(error.errors[0] instanceof TypeError);
    assert.equal(error.errors[1], 2);
    return true;
  });
  for (const value of [5, null, undefined, 'text', { a: [1n] }]) {
    const thrown = await pool.apply(tasks.throwValue, [value]).then(
      () => assert.fail('it must reject'),
      (error: unknown) => error,
    );
    assert.deepEqual(thrown, value);
  }
});

check('an iterator goes on after an error', async () => {
  const list = Array.from({ length: 9 }, (_, index) => ({ index, fails: index % 3 === 1 }));
  for (const chunksize of [1, 4]) {
    const iterator = poolOf(2).imap(tasks.mayFail, list, { chunksize });
    for (const { index, fails } of list) {
      if (fails) await assert.rejects(iterator.next(), { index });
      else assert.deepEqual(await iterator.next(), { done: false, value: index });
    }
    assert.equal((await iterator.next()).done, true);
  }
});

check('what can not be serialised fails alone', async () => {
  const pool = poolOf(2);
  const list = [1, () => 2, 3] as number[];
  await assert.rejects(pool.map(tasks.square, list, { chunksize: 3 }), SerializeError);
  const iterator = pool.imap(tasks.square, list, { chunksize: 3 });
  assert.deepEqual(await iterator.next(), { done: false, value: 1 });
  await assert.rejects(iterator.next(), SerializeError);
  assert.deepEqual(await iterator.next(), { done: false, value: 9 });
  const results = pool.imap(tasks.oddIsUnsendable, [0, 1, 2], { chunksize: 3 });
  assert.deepEqual(await results.next(), { done: false, value: 0 });
  await assert.rejects(results.next(), ResultEncodingError);
  assert.deepEqual(await results.next(), { done: false, value: 2 });
});

check('a missing target', async () => {
  const pool = poolOf(1);
  const module = new URL('../tasks/pool-tasks.ts', import.meta.url);
  const missing = { code: 'ERR_TARGET_NOT_FOUND' };
  await assert.rejects(pool.map({ module, export: 'nothing' }, [1, 2]), missing);
  const nowhere = new URL('./nowhere.ts', import.meta.url);
  await assert.rejects(pool.apply({ module: nowhere, export: 'f' }, []), missing);
  await assert.rejects(
    pool.map((x: number) => x, [1]),
    missing,
  );
  assert.equal(await pool.apply(tasks.square, [2]), 4);
});

check('initializer', async () => {
  await using pool = new Pool({ processes: 2, initializer: tasks.prepare, initargs: ['ready'] });
  assert.deepEqual(await pool.map(tasks.tellPrepared, [1, 2, 3, 4]), new Array(4).fill('ready'));
  for (const pid of pool.workerPids) process.kill(pid, 'SIGKILL');
  await sleep(50);
  assert.deepEqual(await pool.map(tasks.tellPrepared, [1, 2, 3, 4]), new Array(4).fill('ready'));
});

check('abort and time-out', async () => {
  await using pool = new Pool({ processes: 1 });
  const log = join(folder, 'aborted');
  const gate = join(folder, 'gate');
  writeFileSync(log, '');
  const running = pool.apply(tasks.waitForFile, [[gate, 1]]);
  const controller = new AbortController();
  const { signal } = controller;
  const list = Array.from({ length: 50 }, (_, i): [string, number] => [log, i]);
  const mapping = pool.map(tasks.logItem, list, { chunksize: 1, signal });
  const iterator = pool.imap(tasks.logItem, list, { signal });
  const next = iterator.next();
  const other = pool.map(tasks.square, [1, 2, 3], { chunksize: 1 });
  await sleep(20);
  controller.abort(new Error('no longer'));
  await assert.rejects(mapping, /no longer/);
  await assert.rejects(next, /no longer/);
  await assert.rejects(pool.map(tasks.square, [1], { signal }), /no longer/);
  assert.throws(() => pool.imap(tasks.square, [1], { signal }), /no longer/);
  await assert.rejects(pool.apply(tasks.square, [1], { timeout: 20 }), TimeoutError);
  assert.deepEqual(await iterator.next(), { done: true, value: undefined });
  const waiting = pool.imap(tasks.square, [1]);
  await assert.rejects(waiting.next({ timeout: 10 }), TimeoutError);
  writeFileSync(gate, '');
  assert.equal(await running, 1);
  assert.deepEqual(await other, [1, 4, 9]);
  assert.deepEqual(await waiting.next(), { done: false, value: 1 });
  // What the worker held when the call was aborted may have run, the rest has not.
  assert.ok(readFileSync(log, 'utf8').split('\n').length - 1 <= 2);
});

check('leaving an iterator', async () => {
  let cleaned = 0;
  const source = function* (): Generator<number> {
    try {
      for (let i = 0; ; i++) yield i;
    } finally {
      cleaned++;
    }
  };
  const asyncSource = async function* (): AsyncGenerator<number> {
    try {
      for (let i = 0; ; i++) yield i;
    } finally {
      cleaned++;
    }
  };
  for (const input of [source(), asyncSource()]) {
    for await (const value of poolOf(2).imap(tasks.square, input)) if (value >= 100) break;
  }
  await sleep(5);
  assert.equal(cleaned, 2);
  assert.equal(await poolOf(2).apply(tasks.square, [5]), 25);
});

check('close and terminate', async () => {
  const closing = new Pool({ processes: 2 });
  await assert.rejects(closing.join(), { code: 'ERR_STATE' });
  const made = closing.map(tasks.slowSquare, [1, 2, 3, 4]);
  const unread = closing.imap(tasks.square, [1, 2, 3]);
  closing.close();
  closing.close();
  await assert.rejects(closing.apply(tasks.square, [1]), ClosedError);
  assert.throws(() => closing.imap(tasks.square, [1]), ClosedError);
  await closing.join();
  assert.deepEqual(await made, [1, 4, 9, 16]);
  const read: number[] = [];
  for await (const value of unread) read.push(value);
  assert.deepEqual(read, [1, 4, 9]);
  assert.deepEqual(closing.workerPids, []);

  const ending = new Pool({ processes: 2 });
  const gate = join(folder, 'never opened');
  const stuck = ending.map(
    tasks.waitForFile,
    [1, 2, 3].map((x) => [gate, x] as const),
  );
  const iterator = ending.imap(tasks.square, [1]);
  const failed = assert.rejects(stuck, ClosedError);
  await sleep(30);
  ending.terminate();
  ending.terminate();
  await failed;
  await assert.rejects(
    (async () => {
      for (;;) if ((await iterator.next()).done) throw new ClosedError('its end');
    })(),
    ClosedError,
  );
  await ending.join();
  await assert.rejects(ending.map(tasks.square, [1]), ClosedError);
  const stubborn = new Pool({ processes: 1 });
  stubborn.apply(tasks.meetFate, [['hang', 1]]).catch(() => undefined);
  await sleep(150);
  await stubborn[Symbol.asyncDispose]();
});

check('worker pids', async () => {
  await using pool = new Pool({ processes: 3 });
  const seen = new Set(await pool.map(tasks.workerPid, new Array(30).fill(0), { chunksize: 1 }));
  const pids = new Set(pool.workerPids);
  assert.ok([...seen].every((pid) => pids.has(pid)));
  assert.ok(pids.size <= 3 && pids.size >= 1);
});

check('handles in items and results', async () => {
  using queue = new Queue<number>();
  const results = await poolOf(2).map(
    tasks.throughQueue,
    [1, 2, 3].map((x) => [queue, x] as const),
  );
  const came = [await queue.get(), await queue.get(), await queue.get()];
  assert.deepEqual(came.toSorted(), [1, 2, 3]);
  queue.putSync(9);
  assert.equal(await results[0]?.get(), 9);
  for (const result of results) result.close();
});

check('pools in pools', async () => {
  assert.deepEqual(await poolOf(2).map(tasks.nested, [2, 3]), [
    [0, 1],
    [0, 1, 4],
  ]);
});

await runChecks();
for (const pool of pools.values()) pool.close();
for (const pool of pools.values()) await pool.join();
rmSync(folder, { recursive: true });
