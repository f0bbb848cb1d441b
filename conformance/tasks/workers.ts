/** What the processes of a joinable queue do. */
import { DecodeError, defineTask } from 'dragon-runtime';
import { JoinableQueue, type Queue } from 'dragon-runtime/multiprocessing';

/** Works items off until one is null: logs each before it says that it is done. */
export const workOff = defineTask(
  import.meta.url,
  'workOff',
  async (tasks: JoinableQueue<number | null>, log: Queue<number>, sync: boolean) => {
    for (;;) {
      const item = sync ? tasks.getSync() : await tasks.get();
      if (item !== null) log.putSync(item);
      tasks.taskDone();
      if (item === null) return;
    }
  },
);

/** Takes an item, says so, and stays until it is killed. */
export const holdOne = defineTask(
  import.meta.url,
  'holdOne',
  async (tasks: JoinableQueue<number>, log: Queue<number>) => {
    log.putSync(await tasks.get());
    await new Promise(() => setInterval(() => undefined, 1000));
  },
);

/** Says what a get of an item does here, where its class is not known. */
export const getUnknown = defineTask(
  import.meta.url,
  'getUnknown',
  async (queue: Queue<unknown>, log: Queue<unknown>) => {
    const told = await queue.get().catch((error: unknown) => error instanceof DecodeError);
    log.putSync([told, await queue.get()]);
    if (queue instanceof JoinableQueue) queue.taskDone();
  },
);

/** Waits for an item that never comes, unreferenced. */
export const waitUnreferenced = defineTask(
  import.meta.url,
  'waitUnreferenced',
  (queue: Queue<number>, full: Queue<number>) => {
    void queue.unref().get();
    full.cancelJoinThread();
    void full.put(2);
  },
);
