/**
 * How long a pool needs for its tasks while workers are killed at random: every task has to
 * settle, with the right result or as one whose worker died, and is then done again.
 */
import { randomInt } from 'node:crypto';
import { defineTask, isRoot, WorkerDied } from 'dragon-runtime';
import { Pool } from 'dragon-runtime/multiprocessing';
import { count, report } from './measure.ts';

/** 1 ms of work that leaves the processor to nobody. */
export const work = defineTask(import.meta.url, 'work', (n: number): number => {
  const end = performance.now() + 1;
  while (performance.now() < end);
  return n * 2 + 1;
});

/** How often a worker dies. */
const PERIOD_MS = 50;

function killOne(pids: readonly number[]): number {
  const pid = pids[randomInt(Math.max(1, pids.length))];
  if (pid === undefined) return 0;
  try {
    process.kill(pid, 'SIGKILL');
    return 1;
  } catch {
    // It has ended since.
    return 0;
  }
}

async function settle(pool: Pool, n: number): Promise<number> {
  for (let deaths = 0; ; deaths += 1) {
    try {
      const result = await pool.apply(work, [n]);
      if (result !== n * 2 + 1) throw new Error(`task ${n} gave ${result}`);
      return deaths;
    } catch (error) {
      if (!(error instanceof WorkerDied)) throw error;
    }
  }
}

async function main(): Promise<void> {
  const tasks = count('count', 10_000);
  await using pool = new Pool({ processes: count('workers', 64) });
  await pool.map(work, [1]);
  let kills = 0;
  const start = process.hrtime.bigint();
  const killer = setInterval(() => {
    kills += killOne(pool.workerPids);
  }, PERIOD_MS);
  const deaths = await Promise.all(Array.from({ length: tasks }, (_, n) => settle(pool, n)));
  clearInterval(killer);
  const elapsedNs = Number(process.hrtime.bigint() - start);
  const died = deaths.reduce((sum, each) => sum + each, 0);
  report('ns', [elapsedNs], tasks, { kills, died });
}

if (isRoot()) await main();
