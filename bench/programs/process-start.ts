/** Start and join of a process with an empty target, one after the other. */
import { defineTask, isRoot } from 'dragon-runtime';
import { Process } from 'dragon-runtime/multiprocessing';
import { count, report } from './measure.ts';

export const nothing = defineTask(import.meta.url, 'nothing', (): void => undefined);

async function main(): Promise<void> {
  const samples: number[] = [];
  for (let i = -1; i < count('rounds', 5); i += 1) {
    const begin = process.hrtime.bigint();
    const child = new Process({ target: nothing });
    await child.start();
    await child.join();
    if (i >= 0) samples.push(Number(process.hrtime.bigint() - begin));
  }
  report('ns', samples);
}

if (isRoot()) await main();
