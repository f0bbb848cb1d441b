/**
 * `acquireSync` and `release` of a Lock: nanoseconds of a pair, in one process that nobody
 * disturbs or in `--processes` that want the lock all the time, over all their pairs.
 */
import { defineTask, isRoot } from 'dragon-runtime';
import { Lock, Process, Queue } from 'dragon-runtime/multiprocessing';
import { count, option, pin, report } from './measure.ts';

function pairs(lock: Lock, times: number): void {
  for (let i = 0; i < times; i += 1) {
    lock.acquireSync();
    lock.release();
  }
}

/** Takes part in rounds until it is told 0 pairs; both sides begin a round together. */
export const contend = defineTask(
  import.meta.url,
  'contend',
  (lock: Lock, turns: Queue<number>, done: Queue<number>, cpus: string): void => {
    pin('second', cpus);
    for (let times = turns.getSync(); times > 0; times = turns.getSync()) {
      pairs(lock, times);
      done.putSync(times);
    }
  },
);

async function main(): Promise<void> {
  const cpus = option('cpus', '');
  const rounds = count('rounds', 20);
  const times = count('count', 20_000);
  const lock = new Lock();
  const [turns, done] = [new Queue<number>(), new Queue<number>()];
  const others = Array.from({ length: count('processes', 1) - 1 }, () => {
    return new Process({ target: contend, args: [lock, turns, done, cpus] });
  });
  for (const other of others) await other.start();
  pin('first', cpus);
  const samples: number[] = [];
  for (let round = -Math.ceil(rounds / 5); round < rounds; round += 1) {
    const start = process.hrtime.bigint();
    for (const _ of others) turns.putSync(times);
    pairs(lock, times);
    for (const _ of others) done.getSync();
    const elapsedNs = Number(process.hrtime.bigint() - start);
    if (round >= 0) samples.push(elapsedNs / (times * (others.length + 1)));
  }
  for (const _ of others) turns.putSync(0);
  for (const other of others) await other.join();
  report('ns', samples, times);
}

if (isRoot()) await main();
