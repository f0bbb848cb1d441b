/**
 * Two processes throw a message to and fro over a pipe, and the time of a round trip is told.
 *
 *     dragon examples/ping.ts [--count N] [--bytes N]
 */
import { parseArgs } from 'node:util';
import { defineTask, isRoot } from 'dragon-runtime';
import { type Connection, Process, pipe } from 'dragon-runtime/multiprocessing';

/** Sends everything back until the other side has closed. */
export const echo = defineTask(
  import.meta.url,
  'echo',
  async (far: Connection<Uint8Array>): Promise<void> => {
    for await (const message of far) await far.send(message);
  },
);

function median(times: Float64Array): number {
  return times.toSorted()[Math.floor(times.length / 2)] ?? 0;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: '1000' },
      bytes: { type: 'string', default: '64' },
    },
  });
  const count = Number(values.count);
  const message = new Uint8Array(Number(values.bytes)).fill(42);
  const [near, far] = pipe<Uint8Array>();
  await using other = new Process({ target: echo, args: [far] });
  await other.start();
  far.close();

  const awaited = new Float64Array(count);
  const blocking = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    let startMs = performance.now();
    await near.send(message);
    await near.recv();
    awaited[i] = performance.now() - startMs;

    startMs = performance.now();
    near.sendSync(message);
    near.recvSync();
    blocking[i] = performance.now() - startMs;
  }
  near.close();
  await other.join();
  const [asynchronous, synchronous] = [awaited, blocking].map((times) =>
    (median(times) * 1000).toFixed(1),
  );
  console.log(
    `${count} round trips of ${message.length} bytes between ${process.pid} and ${other.pid}: ` +
      `median ${asynchronous} us awaited, ${synchronous} us blocking`,
  );
}

if (isRoot()) await main();
