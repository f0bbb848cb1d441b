/** Messages a second from one thread to another through a MessagePort, 64 in a batch. */
import { once } from 'node:events';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { count, report } from '../../programs/measure.ts';

const BATCH = 64;

if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url));
  const batch = Array.from({ length: BATCH }, () => new Uint8Array(64).fill(7));
  const batches = count('batches', 20);
  const samples: number[] = [];
  for (let i = -1; i < count('rounds', 50); i += 1) {
    const start = process.hrtime.bigint();
    for (let sent = 0; sent < batches; sent += 1) worker.postMessage(batch);
    // The worker answers when it has the last one.
    worker.postMessage(undefined);
    await once(worker, 'message');
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;
    if (i >= 0) samples.push((batches * BATCH) / seconds);
  }
  await worker.terminate();
  report('1/s', samples, batches * BATCH);
} else {
  parentPort?.on('message', (batch) => {
    if (batch === undefined) parentPort?.postMessage(0);
  });
}
