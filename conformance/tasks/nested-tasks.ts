/** What processes do that start processes of their own, in the ports of miscellaneous tests. */
import { readdirSync, readlinkSync } from 'node:fs';
import { maxHeaderSize } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineTask } from 'dragon-runtime';
import { Lock, Pool, Process, Queue } from 'dragon-runtime/multiprocessing';

export const putOne = defineTask(
  import.meta.url,
  'putOne',
  (queue: Queue<number>, value: number): void => queue.putSync(value),
);

/** Makes a queue, starts a process that fills it, and tells what came out of it. */
export const queueInside = defineTask(
  import.meta.url,
  'queueInside',
  async (told: Queue<unknown>): Promise<void> => {
    using queue = new Queue<number>();
    const inner = new Process({ target: putOne, args: [queue, 5] });
    await inner.start();
    const value = await queue.get();
    await inner.join();
    await told.put([value, inner.exitCode]);
  },
);

export const square = defineTask(import.meta.url, 'square', (x: number): number => x * x);

/** Makes a pool and tells what it mapped. */
export const poolInside = defineTask(
  import.meta.url,
  'poolInside',
  async (told: Queue<unknown>): Promise<void> => {
    await using pool = new Pool({ processes: 2 });
    await told.put(await pool.map(square, [1, 2, 3]));
  },
);

/** What of its interpreter's flags a process sees. */
export interface Flags {
  readonly execArgv: readonly string[];
  readonly stackTraceLimit: number;
  readonly maxHeaderSize: number;
  /** What a module left that was loaded before everything else. */
  readonly preloaded: unknown;
}

/** Tells its flags, as do its descendants down to `depth`. */
export const tellFlags = defineTask(
  import.meta.url,
  'tellFlags',
  async (told: Queue<Flags>, depth: number): Promise<void> => {
    const { stackTraceLimit } = Error;
    const preloaded = (globalThis as { preloaded?: unknown }).preloaded;
    await told.put({ execArgv: process.execArgv, stackTraceLimit, maxHeaderSize, preloaded });
    if (depth === 0) return;
    const child = new Process({ target: tellFlags, args: [told, depth - 1] });
    await child.start();
    await child.join({ throw: true });
  },
);

/** Tells what its descriptors are: paths, sockets, pipes. */
export const tellDescriptors = defineTask(
  import.meta.url,
  'tellDescriptors',
  async (told: Queue<string[]>): Promise<void> => {
    const links = readdirSync('/proc/self/fd').map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return ''; // the descriptor of the listing itself
      }
    });
    await told.put(links);
  },
);

/** Puts its depth in, as do its descendants. */
export const putDepths = defineTask(
  import.meta.url,
  'putDepths',
  async (queue: Queue<number>, depth: number): Promise<void> => {
    await queue.put(depth);
    if (depth === 0) return;
    const child = new Process({ target: putDepths, args: [queue, depth - 1] });
    await child.start();
    await child.join({ throw: true });
  },
);

/** Makes objects, destroys one of them, says so, and waits to be killed. */
export const makeObjects = defineTask(
  import.meta.url,
  'makeObjects',
  async (ready: Queue<string>): Promise<void> => {
    const queues = [1, 2, 3].map(() => new Queue<Uint8Array>());
    const lock = new Lock();
    lock.acquireSync();
    for (const queue of queues) queue.putSync(new Uint8Array(100_000));
    queues[0]?.destroy();
    await ready.put('made');
    await sleep(60_000);
  },
);

/** To which run a process belongs, and which process starts and reaps it. */
export const tellRun = defineTask(
  import.meta.url,
  'tellRun',
  async (told: Queue<unknown>, depth: number): Promise<void> => {
    const { DRAGON_RUN_ID: id, DRAGON_RUNTIME_DIR: directory } = process.env;
    await told.put([id, directory, process.ppid]);
    if (depth === 0) return;
    const child = new Process({ target: tellRun, args: [told, depth - 1] });
    await child.start();
    await child.join({ throw: true });
  },
);
