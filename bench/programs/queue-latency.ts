/** One way through a Queue: half of a round trip between the head and a process. */
import { defineTask, isRoot } from 'dragon-runtime';
import { Process, Queue } from 'dragon-runtime/multiprocessing';
import { count, halfRoundTrips, option, pin, report } from './measure.ts';

type Wait = 'sync' | 'async';

export const echo = defineTask(
  import.meta.url,
  'echo',
  async (asks: Queue<Uint8Array>, answers: Queue<Uint8Array>, wait: Wait, cpus: string) => {
    pin('second', cpus);
    for (;;) {
      const message = wait === 'sync' ? asks.getSync() : await asks.get();
      if (message.length === 0) return;
      if (wait === 'sync') answers.putSync(message);
      else await answers.put(message);
    }
  },
);

async function main(): Promise<void> {
  const wait = option('wait', 'sync') as Wait;
  const cpus = option('cpus', '');
  const asks = new Queue<Uint8Array>();
  const answers = new Queue<Uint8Array>();
  const partner = new Process({ target: echo, args: [asks, answers, wait, cpus] });
  await partner.start();
  pin('first', cpus);
  const message = new Uint8Array(count('bytes', 64)).fill(7);
  const samples = await halfRoundTrips(
    count('rounds', 2000),
    wait === 'sync'
      ? () => {
          asks.putSync(message);
          answers.getSync();
        }
      : async () => {
          await asks.put(message);
          await answers.get();
        },
  );
  asks.putSync(new Uint8Array(0));
  await partner.join();
  report('ns', samples);
}

if (isRoot()) await main();
