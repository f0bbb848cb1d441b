/** The checks of `pool-deaths.test.ts`: pools whose workers end when nobody expects it. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ProcessError, WorkerDied } from 'dragon-runtime';
import { Pool } from 'dragon-runtime/multiprocessing';
import fc from 'fast-check';
import { check, multiProcess, runChecks, sized } from '../harness/inside.ts';
import * as tasks from '../tasks/pool-tasks.ts';

const folder = mkdtempSync(join(tmpdir(), 'deaths-'));
const fates = fc.constantFrom<tasks.Fate>(
  'return',
  'return',
  'return',
  'kill',
  'exit',
  'never settle',
);

for (const { chunksize, numRuns } of [
  { chunksize: 1, numRuns: sized(7) },
  { chunksize: 3, numRuns: sized(3) },
]) {
  check(`a death fails its own chunk only, of ${chunksize}`, async () => {
    await using pool = new Pool({ processes: 2 });
    await fc.assert(
      fc.asyncProperty(fc.array(fates, { maxLength: 10 }), async (list) => {
        const items = list.map((fate, x) => [fate, x] as const);
        const iterator = pool.imap(tasks.meetFate, items, { chunksize });
        for (const x of items.keys()) {
          const chunk = list.slice(x - (x % chunksize), x - (x % chunksize) + chunksize);
          const dies = chunk.some((fate) => fate !== 'return');
          if (dies) await assert.rejects(iterator.next(), WorkerDied);
          else assert.deepEqual(await iterator.next(), { done: false, value: x });
        }
        assert.equal((await iterator.next()).done, true);
        assert.deepEqual(await pool.map(tasks.square, [1, 2, 3]), [1, 4, 9]);
      }),
      { numRuns },
    );
  });
}

check('random kills from outside', async () => {
  await using pool = new Pool({ processes: 3 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ afterMs: fc.nat(25), which: fc.nat(2) }), { maxLength: 4 }),
      fc.integer({ min: 1, max: 5 }),
      async (kills, chunksize) => {
        const controller = new AbortController();
        const killing = (async () => {
          for (const { afterMs, which } of kills) {
            await sleep(afterMs);
            const pid = pool.workerPids[which];
            try {
              if (pid !== undefined) process.kill(pid, 'SIGKILL');
            } catch {
              // It had ended already.
            }
          }
          controller.abort();
        })();
        // Of 20 ms each, by three workers: they go on for longer than the kills do.
        const items = Array.from({ length: 20 }, (_, i) => i);
        const iterator = pool.imap(tasks.slowSquare, items, { chunksize });
        let lost = 0;
        for (const x of items) {
          try {
            assert.deepEqual(await iterator.next(), { done: false, value: x * x });
          } catch (error) {
            assert.ok(error instanceof WorkerDied, String(error));
            lost++;
          }
        }
        await killing;
        assert.ok(lost <= kills.length * chunksize, `${lost} items lost by ${kills.length} kills`);
        assert.deepEqual(await pool.map(tasks.square, [4, 5]), [16, 25]);
      },
    ),
    multiProcess,
  );
});

check('kills while workers start', async () => {
  for (let i = 0; i < sized(5); i++) {
    await using pool = new Pool({ processes: 2 });
    const mapping = pool.map(tasks.square, [1, 2, 3, 4, 5, 6], { chunksize: 1 });
    for (const delayMs of [20 + 7 * i, 5]) {
      await sleep(delayMs);
      for (const pid of pool.workerPids) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It had ended already.
        }
      }
    }
    const outcome = await mapping.catch((error: unknown) => error);
    if (!(outcome instanceof WorkerDied)) assert.deepEqual(outcome, [1, 4, 9, 16, 25, 36]);
    assert.equal(await pool.apply(tasks.square, [7]), 49);
  }
});

check('no chunk waits beside an idle worker', async () => {
  await using pool = new Pool({ processes: 2 });
  await pool.map(tasks.square, [1, 2]);
  const gate = join(folder, 'gate');
  // Both workers get two of the four; the second of one opens the gate for its first.
  const blocked = pool.apply(tasks.waitForFile, [[gate, 1]]);
  const others = [1, 2, 3].map((x) => pool.apply(tasks.slowSquare, [x]));
  assert.deepEqual(await Promise.all(others), [1, 4, 9]);
  writeFileSync(gate, '');
  assert.equal(await blocked, 1);
});

check('workers that can not work', async () => {
  await using failing = new Pool({ processes: 2, initializer: tasks.failToPrepare });
  const pending = [failing.map(tasks.square, [1, 2, 3]), failing.imap(tasks.square, [1]).next()];
  for (const call of pending) {
    await assert.rejects(call, (error: unknown) => {
      assert.ok(error instanceof ProcessError);
      assert.match(JSON.stringify(causes(error)), /task -1 failed/);
      return true;
    });
  }
  await assert.rejects(failing.apply(tasks.square, [1]), ProcessError);
  await using exiting = new Pool({ processes: 1, initializer: tasks.exitAtOnce });
  await assert.rejects(exiting.map(tasks.square, [1]), (error: unknown) => {
    assert.match(JSON.stringify(causes(error)), /exit code 5/);
    return true;
  });
});

check('workers that can not work yet, or not be found', async () => {
  const module = new URL('./nowhere.ts', import.meta.url);
  await using missing = new Pool({ processes: 1, initializer: { module, export: 'x' } });
  await assert.rejects(missing.map(tasks.square, [1]), ProcessError);
  await using slow = new Pool({
    processes: 1,
    initializer: tasks.prepareAtThird,
    initargs: [join(folder, 'starts')],
  });
  assert.deepEqual(await slow.map(tasks.square, [3]), [9]);
  const blocking = new Pool({ processes: 1, initializer: tasks.exitAtOnce });
  assert.throws(() => blocking.mapSync(tasks.square, [1]), ProcessError);
  await blocking[Symbol.asyncDispose]();
});

function causes(error: unknown): string[] {
  const all: string[] = [];
  for (let at = error; at instanceof Error; at = at.cause) all.push(at.message);
  return all;
}

check('the initializer runs in replacements', async () => {
  await using pool = new Pool({
    processes: 1,
    initializer: tasks.prepare,
    initargs: ['once more'],
  });
  await assert.rejects(pool.apply(tasks.meetFate, [['kill', 1]]), (error: unknown) => {
    assert.ok(error instanceof WorkerDied);
    assert.match(JSON.stringify(causes(error)), /SIGKILL/);
    return true;
  });
  assert.equal(await pool.apply(tasks.tellPrepared, []), 'once more');
});

check('SIGINT does not end workers', async () => {
  await using pool = new Pool({ processes: 2 });
  const mapping = pool.map(tasks.slowSquare, [1, 2, 3, 4], { chunksize: 1 });
  await pool.apply(tasks.square, [1]);
  for (const pid of pool.workerPids) process.kill(pid, 'SIGINT');
  assert.deepEqual(await mapping, [1, 4, 9, 16]);
});

check('a death in a blocking call', () => {
  const pool = new Pool({ processes: 2 });
  const items = (['return', 'kill', 'return', 'exit'] as const).map(
    (fate, x) => [fate, x] as const,
  );
  assert.throws(() => pool.mapSync(tasks.meetFate, items, { chunksize: 1 }), WorkerDied);
  assert.deepEqual(pool.mapSync(tasks.square, [1, 2, 3]), [1, 4, 9]);
  pool.terminate();
});

check('chunks wait for memory', async () => {
  // The pool's limit is set by the test, far below the sum of the items.
  await using pool = new Pool({ processes: 2 });
  const items = Array.from({ length: 40 }, (_, i) => new Uint8Array(3_000_000).fill(i));
  const sums = await pool.map(tasks.firstAndLength, items, { chunksize: 1 });
  assert.deepEqual(
    sums,
    items.map((item, i) => [i, item.length]),
  );
});

await runChecks();
assert.ok(existsSync(folder) && readFileSync(join(folder, 'starts'), 'utf8').length >= 3);
rmSync(folder, { recursive: true });
