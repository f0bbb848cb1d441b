/** What processes do with shared memory that they are given, or know by name. */
import { defineTask } from 'dragon-runtime';
import { Region } from 'dragon-runtime/core';
import { type Connection, ShareableList, SharedMemory } from 'dragon-runtime/multiprocessing';

export const writeByName = defineTask(
  import.meta.url,
  'writeByName',
  async (name: string, bytes: Uint8Array): Promise<void> => {
    using block = SharedMemory.attach(name);
    block.buf.set(bytes);
  },
);

export const writeByHandle = defineTask(
  import.meta.url,
  'writeByHandle',
  (block: SharedMemory, bytes: Uint8Array): void => {
    block.buf.set(bytes);
    block.close();
  },
);

/** Makes a block and a list, says so, and is killed. */
export const makeAndDie = defineTask(
  import.meta.url,
  'makeAndDie',
  async (
    names: readonly string[],
    line: Connection<string, never>,
    track = true,
  ): Promise<void> => {
    const [block, list] = names as [string, string];
    const made = SharedMemory.create({ name: block, size: 1000, track });
    made.buf[0] = 9;
    ShareableList.from(['x', 1], { name: list, track });
    await line.send('made');
    for (;;) await line.recv();
  },
);

/** Dies when the block has its name, and is about to be left to the run. */
export const dieWhileMaking = defineTask(
  import.meta.url,
  'dieWhileMaking',
  (name: string): void => {
    Region.prototype.entrust = () => void process.kill(process.pid, 'SIGKILL');
    SharedMemory.create({ name, size: 8, track: false });
  },
);

export const editList = defineTask(
  import.meta.url,
  'editList',
  (list: ShareableList, index: number, item: string): void => {
    list[index] = item;
    list.close();
  },
);
