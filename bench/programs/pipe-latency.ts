/** One way through a pipe: half of a round trip between the head and a process. */
import { defineTask, isRoot } from 'dragon-runtime';
import { type Connection, Process, pipe } from 'dragon-runtime/multiprocessing';
import { count, halfRoundTrips, option, pin, report } from './measure.ts';

export const echo = defineTask(
  import.meta.url,
  'echo',
  (far: Connection, bytes: number, cpus: string): void => {
    pin('second', cpus);
    for (let length = bytes; length > 0; ) {
      const message = far.recvBytesSync();
      length = message.length;
      far.sendBytesSync(message);
    }
  },
);

async function main(): Promise<void> {
  const cpus = option('cpus', '');
  const bytes = count('bytes', 64);
  const [near, far] = pipe();
  const partner = new Process({ target: echo, args: [far, bytes, cpus] });
  await partner.start();
  pin('first', cpus);
  const message = new Uint8Array(bytes).fill(7);
  const samples = await halfRoundTrips(count('rounds', 2000), () => {
    near.sendBytesSync(message);
    near.recvBytesSync();
  });
  near.sendBytesSync(new Uint8Array(0));
  near.recvBytesSync();
  await partner.join();
  report('ns', samples);
}

if (isRoot()) await main();
