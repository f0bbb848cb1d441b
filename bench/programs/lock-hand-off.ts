/** From one blocked process to another by way of a Lock: half of a trip through two locks. */
import { defineTask, isRoot } from 'dragon-runtime';
import { Lock, Process } from 'dragon-runtime/multiprocessing';
import { count, halfRoundTrips, option, pin, report } from './measure.ts';

export const echo = defineTask(
  import.meta.url,
  'echo',
  (there: Lock, back: Lock, trips: number, cpus: string): void => {
    pin('second', cpus);
    for (let i = 0; i < trips; i += 1) {
      there.acquireSync();
      back.release();
    }
  },
);

async function main(): Promise<void> {
  const cpus = option('cpus', '');
  const rounds = count('rounds', 2000);
  // A lock may be released by whoever wants to, so a taken one is a signal that was not given.
  const [there, back] = [new Lock(), new Lock()];
  there.acquireSync();
  back.acquireSync();
  const trips = rounds + Math.ceil(rounds / 10);
  const partner = new Process({ target: echo, args: [there, back, trips, cpus] });
  await partner.start();
  pin('first', cpus);
  const samples = await halfRoundTrips(rounds, () => {
    there.release();
    back.acquireSync();
  });
  await partner.join();
  report('ns', samples);
}

if (isRoot()) await main();
