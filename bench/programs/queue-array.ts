/**
 * How long taking an array of `--bytes` out of a Queue takes once it is there: as long as taking
 * a small one when nothing is copied on the way to the receiver.
 */
import { defineTask, isRoot } from 'dragon-runtime';
import { Process, Queue } from 'dragon-runtime/multiprocessing';
import { count, report } from './measure.ts';

type Arrays = Queue<Float64Array>;

export const receive = defineTask(
  import.meta.url,
  'receive',
  (arrays: Arrays, turns: Queue<number>, rounds: number): void => {
    for (let round = 0; round < rounds; round += 1) {
      while (arrays.empty());
      const start = process.hrtime.bigint();
      const array = arrays.getSync();
      const elapsedNs = Number(process.hrtime.bigint() - start);
      const isWhole = array[0] === round && array.at(-1) === array.length;
      turns.putSync(isWhole ? elapsedNs : 0);
    }
  },
);

async function main(): Promise<void> {
  const arrays: Arrays = new Queue();
  const turns = new Queue<number>();
  const rounds = count('rounds', 100);
  const warmUp = Math.ceil(rounds / 10);
  const partner = new Process({ target: receive, args: [arrays, turns, rounds + warmUp] });
  await partner.start();
  const array = new Float64Array(count('bytes', 1 << 20) / Float64Array.BYTES_PER_ELEMENT);
  array[array.length - 1] = array.length;
  const samples: number[] = [];
  for (let round = 0; round < rounds + warmUp; round += 1) {
    array[0] = round;
    arrays.putSync(array);
    const elapsedNs = turns.getSync();
    if (elapsedNs === 0) throw new Error('an array was changed on its way');
    if (round >= warmUp) samples.push(elapsedNs);
  }
  await partner.join();
  report('ns', samples);
}

if (isRoot()) await main();
