/** One way through a Queue: half of a round trip between the head and a process. */
import { defineTask, isRoot } from 'dragon-runtime';
import { Process, Queue } from 'dragon-runtime/multiprocessing';
import { count, halfRoundTrips, option, pin, report } from './measure.ts';

type Wait = 'spin' | 'sync' | 'async';

/** Takes an item without ever sleeping. */
function spin(queue: Queue<Uint8Array>): Uint8Array {
  for (;;) {
    const found = queue.tryGet();
    if (found.ok) return found.value;
  }
}

type Bytes = Queue<Uint8Array>;

export const echo = defineTask(
  import.meta.url,
  'echo',
  async (asks: Bytes, answers: Bytes, wait: Wait, cpus: string): Promise<void> => {
    pin('second', cpus);
    if (wait === 'async') {
      for (let message = await asks.get(); message.length > 0; message = await asks.get()) {
        answers.putSync(message);
      }
      return;
    }
    const next = wait === 'spin' ? () => spin(asks) : () => asks.getSync();
    for (let message = next(); message.length > 0; message = next()) answers.putSync(message);
  },
);

/** A round trip in the way that `wait` says. */
function trip(wait: Wait, asks: Bytes, answers: Bytes, message: Uint8Array) {
  const shapes = {
    spin: () => {
      asks.putSync(message);
      spin(answers);
    },
    sync: () => {
      asks.putSync(message);
      answers.getSync();
    },
    async: async () => {
      asks.putSync(message);
      await answers.get();
    },
  };
  return shapes[wait];
}

async function main(): Promise<void> {
  const wait = option('wait', 'sync') as Wait;
  const cpus = option('cpus', '');
  const asks: Bytes = new Queue();
  const answers: Bytes = new Queue();
  const partner = new Process({ target: echo, args: [asks, answers, wait, cpus] });
  await partner.start();
  pin('first', cpus);
  const message = new Uint8Array(count('bytes', 64)).fill(7);
  const rounds = count('rounds', 2000);
  const samples = await halfRoundTrips(rounds, trip(wait, asks, answers, message));
  asks.putSync(new Uint8Array(0));
  await partner.join();
  report('ns', samples);
}

if (isRoot()) await main();
