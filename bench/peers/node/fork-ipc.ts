/** One way through the IPC channel of child_process.fork: half of a round trip. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { count, halfRoundTrips, report } from '../../programs/measure.ts';

if (process.send === undefined) {
  const child = fork(fileURLToPath(import.meta.url), { serialization: 'advanced' });
  const message = new Uint8Array(count('bytes', 64)).fill(7);
  const samples = await halfRoundTrips(count('rounds', 2000), async () => {
    child.send(message);
    await once(child, 'message');
  });
  child.disconnect();
  report('ns', samples);
} else {
  process.on('message', (message) => process.send?.(message));
}
