/** What processes do with shared memory that they are given, or know by name. */
import { defineTask } from 'dragon-runtime';
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
  async (names: readonly string[], line: Connection<string, never>): Promise<void> => {
    const [block, list] = names as [string, string];
    const made = SharedMemory.create({ name: block, size: 1000 });
    made.buf[0] = 9;
    ShareableList.from(['x', 1], { name: list });
    await line.send('made');
    for (;;) await line.recv();
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
