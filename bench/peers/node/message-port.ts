/** One way through a MessagePort between two threads: half of a round trip. */
import { once } from 'node:events';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { count, halfRoundTrips, report } from '../../programs/measure.ts';

if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url));
  const message = new Uint8Array(count('bytes', 64)).fill(7);
  const samples = await halfRoundTrips(count('rounds', 2000), async () => {
    worker.postMessage(message);
    await once(worker, 'message');
  });
  await worker.terminate();
  report('ns', samples);
} else {
  parentPort?.on('message', (message) => parentPort?.postMessage(message));
}
