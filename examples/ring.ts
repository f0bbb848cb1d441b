/**
 * A ring of processes passes a token round; each adds one to it.
 *
 *     dragon examples/ring.ts [--processes N] [--rounds N]
 */
import { parseArgs } from 'node:util';
import { defineTask, isRoot } from 'dragon-runtime';
import { Process, Queue } from 'dragon-runtime/multiprocessing';

/** Takes the token from one neighbour and gives it to the other, until it is null. */
export const pass = defineTask(
  import.meta.url,
  'pass',
  async (from: Queue<number | null>, to: Queue<number | null>): Promise<void> => {
    for await (const token of from) {
      await to.put(token === null ? null : token + 1);
      if (token === null) return;
    }
  },
);

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      processes: { type: 'string', default: '4' },
      rounds: { type: 'string', default: '100' },
    },
  });
  const size = Number(values.processes);
  const rounds = Number(values.rounds);
  // The head stands between the last and the first process of the ring.
  const queues = Array.from({ length: size + 1 }, () => new Queue<number | null>({ maxsize: 1 }));
  const members = queues.slice(0, size).map((from, i) => {
    const to = queues[i + 1] as Queue<number | null>;
    return new Process({ target: pass, args: [from, to], name: `ring-${i}` });
  });
  await Promise.all(members.map((member) => member.start()));

  const [first, last] = [queues[0] as Queue<number | null>, queues[size] as Queue<number | null>];
  const startMs = performance.now();
  let token: number | null = 0;
  for (let round = 0; round < rounds; round++) {
    await first.put(token);
    token = await last.get();
  }
  const elapsedMs = performance.now() - startMs;
  await first.put(null);
  await last.get();
  await Promise.all(members.map((member) => member.join()));
  const hopUs = ((elapsedMs * 1000) / (rounds * (size + 1))).toFixed(1);
  console.log(`${size} processes, ${rounds} rounds: the token is ${token}, ${hopUs} us a hop`);
}

if (isRoot()) await main();
