/** The checks of `pool-work.test.ts`: how pools hand out work, and what their calls return. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TimeoutError } from 'dragon-runtime';
import { Pool } from 'dragon-runtime/multiprocessing';
import { check, runChecks } from '../harness/inside.ts';
import * as tasks from '../tasks/pool-tasks.ts';

const folder = mkdtempSync(join(tmpdir(), 'pool-work-'));

check('a result does not wait for the next task', async () => {
  await using pool = new Pool({ processes: 1 });
  for (let i = 0; i < 20; i++) await pool.apply(tasks.workFor, [0]);
  const ended: number[] = [];
  const calls = [0, 400].map(async (ms) => ended.push(await pool.apply(tasks.workFor, [ms])));
  const begin = performance.now();
  await calls[0];
  assert.ok(performance.now() - begin < 350);
  assert.deepEqual(ended, [0]);
  await calls[1];
});

check('what nobody has begun of an aborted call', async () => {
  await using pool = new Pool({ processes: 1 });
  for (let i = 0; i < 20; i++) await pool.apply(tasks.square, [i]);
  const log = join(folder, 'withdrawn');
  writeFileSync(log, '');
  const controller = new AbortController();
  const gate = join(folder, 'gate of the first');
  const first = pool.apply(tasks.waitForFile, [[gate, 1]]);
  const aborted = Array.from({ length: 20 }, (_, i) =>
    pool.apply(tasks.logItem, [[log, i]], { signal: controller.signal }),
  );
  const others = [2, 3, 4].map((x) => pool.apply(tasks.square, [x]));
  await sleep(10);
  controller.abort(new Error('withdrawn'));
  for (const call of aborted) await assert.rejects(call, /withdrawn/);
  writeFileSync(gate, '');
  assert.equal(await first, 1);
  assert.deepEqual(await Promise.all(others), [4, 9, 16]);
  assert.equal(readFileSync(log, 'utf8'), '');
});

/** Waits until the file has so many lines: the numbers in them. */
async function numbersIn(path: string, count: number): Promise<number[]> {
  for (;;) {
    const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
    if (lines.length >= count) return lines.map(Number);
    await sleep(2);
  }
}

async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await sleep(2);
  }
}

check('running tasks of an aborted call', async () => {
  const code = { code: 'ERR_INVALID_ARGUMENT' };
  assert.throws(() => new Pool({ onAbort: 'kill' as never }), code);
  await using pool = new Pool({ processes: 2, onAbort: 'replace' });
  const [hanging, gate] = [join(folder, 'hanging'), join(folder, 'gate of another')];
  const controller = new AbortController();
  const { signal } = controller;
  const other = pool.apply(tasks.waitForFile, [[gate, 1]]);
  const aborted = pool.map(tasks.beginAndHang, [hanging, hanging], { signal });
  const queued = [2, 3, 4].map((x) => pool.apply(tasks.square, [x]));
  const [pid = 0] = await numbersIn(hanging, 1);
  const begin = performance.now();
  controller.abort(new Error('no longer'));
  await assert.rejects(aborted, /no longer/);
  assert.ok(performance.now() - begin < 100);
  assert.deepEqual(await Promise.all(queued), [4, 9, 16]);
  await gone(pid);
  assert.ok(!pool.workerPids.includes(pid));
  const late = pool.imap(tasks.beginAndHang, [hanging]);
  const [, second = 0] = await numbersIn(hanging, 2);
  await late.return();
  await gone(second);
  writeFileSync(gate, '');
  assert.equal(await other, 1);
  // The replacements of both are not needed for what follows.
  assert.deepEqual(await pool.map(tasks.square, [5, 6]), [25, 36]);
  assert.throws(
    () => pool.mapSync(tasks.beginAndHang, [hanging, hanging], { timeout: 300 }),
    TimeoutError,
  );
  assert.equal(pool.applySync(tasks.square, [7]), 49);
});

check('blocking iterators', async () => {
  await using pool = new Pool({ processes: 2 });
  let pulled = 0;
  let ended = 0;
  const source = function* (): Generator<number> {
    try {
      for (; ; pulled++) yield pulled;
    } finally {
      ended++;
    }
  };
  const results = pool.imapSync(tasks.square, source());
  assert.deepEqual([results.next().value, results.next().value], [0, 1]);
  assert.ok(pulled <= 2 + 2 * 3);
  for (const value of results) if (value >= 100) break;
  assert.equal(ended, 1);
  assert.equal(results.next().done, true);
  const list = Array.from({ length: 50 }, (_, i) => i);
  const squares = list.map((x) => x * x);
  const options = { chunksize: 3 };
  assert.deepEqual([...pool.imapSync(tasks.square, list, options)], squares);
  const unordered = [...pool.imapUnorderedSync(tasks.square, list, options)];
  assert.deepEqual(
    unordered.toSorted((a, b) => a - b),
    squares,
  );
  const failing = [0, 1, 2].map((index) => ({ index, fails: index === 1 }));
  const mixed = pool.imapSync(tasks.mayFail, failing);
  assert.equal(mixed.next().value, 0);
  assert.throws(() => mixed.next(), /task 1 failed/);
  assert.deepEqual([mixed.next().value, mixed.next().done], [2, true]);
  const broken = function* (): Generator<number> {
    yield 1;
    throw new RangeError('no more');
  };
  const short = pool.imapSync(tasks.square, broken());
  assert.equal(short.next().value, 1);
  assert.throws(() => short.next(), RangeError);
  const gate = join(folder, 'gate of an iterator');
  const waiting = pool.imapSync(tasks.waitForFile, [[gate, 8]] as const);
  assert.equal(waiting.tryNext(), undefined);
  assert.throws(() => waiting.next({ timeout: 20 }), TimeoutError);
  assert.throws(() => waiting.next({ timeout: Number.NaN }), TypeError);
  writeFileSync(gate, '');
  assert.deepEqual([waiting.next().value, waiting.tryNext()?.done], [8, true]);
  const last = join(folder, 'gate of the last');
  const later = pool.imap(tasks.waitForFile, [[last, 9]] as const);
  const asked = later.next();
  assert.equal(later.tryNext(), undefined);
  writeFileSync(last, '');
  assert.equal((await asked).value, 9);
  assert.deepEqual(later.tryNext(), { done: true, value: undefined });
  const controller = new AbortController();
  const { signal } = controller;
  const withdrawn = pool.imapSync(tasks.waitForFile, [[join(folder, 'no'), 1]] as const, {
    signal,
  });
  controller.abort(new Error('withdrawn'));
  assert.throws(() => withdrawn.next(), /withdrawn/);
  assert.throws(() => pool.imapSync(tasks.square, [1], { signal }), /withdrawn/);
  writeFileSync(join(folder, 'no'), '');
});

check('workers that run only so many tasks', async () => {
  for (const bad of [0, -1, 0.5, '12' as never, Number.NaN]) {
    const code = { code: 'ERR_INVALID_ARGUMENT' };
    assert.throws(() => new Pool({ processes: 1, maxTasksPerChild: bad }), code);
  }
  await using pool = new Pool({ processes: 2, maxTasksPerChild: 3 });
  const pids = await pool.map(tasks.workerPid, new Array(14).fill(0), { chunksize: 1 });
  const runs = new Map<number, number>();
  for (const pid of pids) runs.set(pid, (runs.get(pid) ?? 0) + 1);
  assert.ok([...runs.values()].every((times) => times <= 3) && runs.size >= 5);
});

check('results in the background', async () => {
  await using pool = new Pool({ processes: 2 });
  const called: unknown[] = [];
  const gate = join(folder, 'background');
  const options = {
    callback: (value: unknown) => called.push(['well', value]),
    errorCallback: (error: unknown) => called.push(['badly', (error as Error).message]),
  };
  const result = pool.applyAsync(tasks.waitForFile, [[gate, 5]], options);
  assert.deepEqual(
    [result.ready, Object.prototype.toString.call(result)],
    [false, '[object AsyncResult]'],
  );
  assert.throws(() => result.successful, { code: 'ERR_STATE' });
  const signal = AbortSignal.abort(new Error('not now'));
  await assert.rejects(result.get({ signal }), /not now/);
  assert.throws(() => result.getSync({ signal }), /not now/);
  await assert.rejects(result.get({ timeout: Number.NaN }), TypeError);
  await assert.rejects(result.get({ timeout: -5 }), TimeoutError);
  const controller = new AbortController();
  const waiting = result.wait({ signal: controller.signal });
  controller.abort(new Error('enough'));
  await assert.rejects(waiting, /enough/);
  writeFileSync(gate, '');
  assert.equal(result.getSync(), 5);
  assert.deepEqual([result.ready, result.successful, result.waitSync()], [true, true, true]);
  assert.equal(await result.then((x) => x + 1), 6);
  assert.equal(await result.finally(() => undefined), 5);
  const failing = pool.applyAsync(tasks.throwValue, [new Error('no')], options);
  assert.equal(await failing.wait({ timeout: 10_000 }), true);
  assert.equal(failing.successful, false);
  assert.equal(await failing.catch(() => 'caught'), 'caught');
  // A failure that nobody asks for.
  pool.applyAsync(tasks.throwValue, [new Error('nobody')]);
  assert.deepEqual(await pool.starmapAsync(tasks.add, [[1, 2]], options), [3]);
  await sleep(5);
  assert.deepEqual(called, [
    ['well', 5],
    ['badly', 'no'],
    ['well', [3]],
  ]);
});

check('lists of arguments', async () => {
  await using pool = new Pool({ processes: 2 });
  const items = [1, 2, 3].map((x): [number, number] => [x, 10 * x]);
  const later = async function* (): AsyncGenerator<[number, number]> {
    yield* items;
  };
  assert.deepEqual(await pool.starmap(tasks.add, items), [11, 22, 33]);
  assert.deepEqual(await pool.starmap(tasks.add, later(), { chunksize: 2 }), [11, 22, 33]);
  assert.deepEqual(pool.starmapSync(tasks.add, new Set(items)), [11, 22, 33]);
  const signal = AbortSignal.abort(new Error('before'));
  assert.throws(() => pool.starmapSync(tasks.add, items, { signal }), /before/);
  assert.throws(() => pool.applySync(tasks.add, [1, 2], { signal }), /before/);
});

check('fail fast', async () => {
  await using pool = new Pool({ processes: 1 });
  const log = join(folder, 'fast');
  writeFileSync(log, '');
  const items = Array.from({ length: 30 }, (_, i) => (i === 3 ? null : [log, i])) as [
    string,
    number,
  ][];
  const options = { chunksize: 1, failFast: true };
  await assert.rejects(pool.map(tasks.logItem, items, options), TypeError);
  assert.equal(await pool.apply(tasks.square, [2]), 4);
  assert.ok(readFileSync(log, 'utf8').split('\n').length < 10);
});

await runChecks();
rmSync(folder, { recursive: true });
