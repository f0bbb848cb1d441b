/** The checks of `pool-work.test.ts`: how pools hand out work, and what their calls return. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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

await runChecks();
rmSync(folder, { recursive: true });
