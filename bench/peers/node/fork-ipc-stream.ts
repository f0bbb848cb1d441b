/** Messages a second from one process to another through the channel of child_process.fork. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { count, report } from '../../programs/measure.ts';

const BATCH = 64;
const share = count('count', 20_000);
const bytes = count('bytes', 8);
const isSmall = bytes === 8;

if (process.send === undefined) {
  const child = fork(fileURLToPath(import.meta.url), process.argv.slice(2), {
    serialization: 'advanced',
  });
  const message = isSmall ? 1 : new Uint8Array(bytes).fill(7);
  const rates: number[] = [];
  for (let round = -1; round < count('rounds', 5); round += 1) {
    const done = once(child, 'message');
    const begin = performance.now();
    for (let i = 1; i <= share; i += 1) {
      // Now and then the sender waits until what it gave has gone out.
      if (i % BATCH > 0) child.send(message);
      else await new Promise((resolve) => child.send(message, resolve));
    }
    await done;
    const seconds = (performance.now() - begin) / 1000;
    if (round >= 0) rates.push((share * (isSmall ? 1 : bytes)) / seconds);
  }
  child.disconnect();
  report(isSmall ? '1/s' : 'B/s', rates, share);
} else {
  let left = share;
  process.on('message', (message: number | Uint8Array) => {
    if (message instanceof Uint8Array && message.includes(0xff)) throw new Error('it was changed');
    left -= 1;
    if (left > 0) return;
    left = share;
    process.send?.(0);
  });
}
