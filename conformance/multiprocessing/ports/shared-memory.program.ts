/** The ported tests of shared memory by name and of shareable lists. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { ExistsError, NotFoundError } from 'dragon-runtime';
import { Pool as Memory } from 'dragon-runtime/core';
import {
  type ListItem,
  Process,
  pipe,
  Queue,
  ShareableList,
  SharedMemory,
} from 'dragon-runtime/multiprocessing';
import { check, runChecks } from '../../harness/inside.ts';
import {
  editList,
  makeAndDie,
  writeByHandle,
  writeByName,
} from '../../tasks/shared-memory-tasks.ts';

async function run(target: unknown, args: unknown[]): Promise<void> {
  const child = new Process({ target: target as never, args });
  await child.start();
  await child.join();
  assert.equal(child.exitCode, 0);
}

/** What arrives of an object that is passed through a queue. */
async function passed<T>(object: T): Promise<T> {
  using queue = new Queue<T>();
  await queue.put(object);
  return await queue.get();
}

/** How many bytes an object is in a message. */
async function sizeOf(object: object): Promise<number> {
  const [near, far] = pipe<never, unknown>();
  await far.send(object);
  const { length } = await near.recvBytes();
  near.close();
  far.close();
  return length;
}

check('_TestSharedMemory.test_shared_memory_basics', async () => {
  const block = SharedMemory.create({ name: 'test01', size: 512 });
  assert.deepEqual([block.name, block.size, block.buf.length], ['test01', 512, 512]);
  assert.match(String(block), /test01.*512/);
  block.buf[0] = 42;
  const second = SharedMemory.attach('test01');
  assert.equal(second.buf[0], 42);
  second.buf[511] = 43;
  assert.deepEqual([block.buf[511], second.size], [43, 512]);
  assert.throws(() => SharedMemory.create({ name: 'test01', size: 512 }), ExistsError);
  assert.throws(() => SharedMemory.attach('not there'), NotFoundError);
  assert.throws(() => SharedMemory.create({ size: -2 }), RangeError);
  second.close();
  block.close();
  block.unlink();
  assert.throws(() => block.unlink(), NotFoundError);
  assert.throws(() => SharedMemory.attach('test01'), NotFoundError);
});

check('_TestSharedMemory.test_shared_memory_recreate', async () => {
  const names = ['test02', 'test03'];
  await using first = SharedMemory.create({ name: 'test02', size: 1 });
  const makeName = (): string => names.shift() as string;
  await using second = SharedMemory.create({ size: 1, makeName });
  assert.deepEqual([second.name, names], ['test03', []]);
  first.buf[0] = 1;
  assert.equal(second.buf[0], 0);
});

check('_TestSharedMemory.test_invalid_shared_memory_cration', async () => {
  for (const size of [-1, 0, undefined as never]) {
    assert.throws(() => SharedMemory.create({ size }), RangeError);
  }
});

check('_TestSharedMemory.test_shared_memory_pickle_unpickle', async () => {
  await using block = SharedMemory.create({ size: 512 });
  block.buf.set([1, 2, 3]);
  using same = await passed(block);
  assert.deepEqual([same.name, same.size], [block.name, block.size]);
  assert.deepEqual([...same.buf.subarray(0, 3)], [1, 2, 3]);
  same.buf[0] = 10;
  block.buf[1] = 20;
  assert.deepEqual([block.buf[0], same.buf[1]], [10, 20]);
});

check('_TestSharedMemory.test_shared_memory_pickle_unpickle_dead_object', async () => {
  const block = SharedMemory.create({ size: 512 });
  using queue = new Queue<SharedMemory>();
  await queue.put(block);
  block.close();
  block.unlink();
  await assert.rejects(queue.get(), (error: Error) => {
    return error instanceof NotFoundError || error.cause instanceof NotFoundError;
  });
});

check('_TestSharedMemory.test_shared_memory_across_processes', async () => {
  await using block = SharedMemory.create({ size: 512 });
  await run(writeByName, [block.name, new TextEncoder().encode('howdy')]);
  assert.equal(new TextDecoder().decode(block.buf.subarray(0, 5)), 'howdy');
  await run(writeByHandle, [block, new TextEncoder().encode('HELLO')]);
  assert.equal(new TextDecoder().decode(block.buf.subarray(0, 5)), 'HELLO');
});

const ITEMS: ListItem[] = [
  'howdy',
  new TextEncoder().encode('HoWdY'),
  -273.154,
  100n,
  null,
  true,
  42,
];

check('_TestSharedMemory.test_shared_memory_ShareableList_basics', async () => {
  await using list = ShareableList.from(ITEMS);
  assert.equal(list.format, '8s8bdqn?d');
  assert.deepEqual([...list], ITEMS);
  assert.deepEqual([list.length, list.index(100n), list.count(42)], [7, 3, 1]);
  list[4] = 'some';
  assert.deepEqual([list[4], list.format], ['some', '8s8bdq8s?d']);
  list[0] = 'pi';
  list[6] = Math.PI;
  assert.deepEqual([list[0], list[6]], ['pi', Math.PI]);
  // More than its slot has, and its neighbours see nothing of it.
  assert.throws(() => {
    list[0] = 'far too many bytes';
  }, RangeError);
  list[0] = 'ä'.repeat(4);
  assert.throws(() => {
    list[0] = 'ä'.repeat(5);
  }, RangeError);
  assert.deepEqual([list[0], list[1]], ['ääää', ITEMS[1]]);
  assert.throws(() => list[7], RangeError);
  assert.throws(() => {
    list[7] = 1;
  }, RangeError);
  assert.throws(() => list.index('nothing'), RangeError);
  await using copy = ShareableList.from(list);
  assert.deepEqual([...copy], [...list]);
  assert.notEqual(copy.shm.name, list.shm.name);
  copy[6] = 0;
  assert.equal(list[6], Math.PI);
  using attached = ShareableList.attach(list.shm.name);
  attached[3] = -1n;
  assert.equal(list[3], -1n);
  await using empty = ShareableList.from([]);
  assert.deepEqual([empty.length, empty.format, [...empty]], [0, '', []]);
});

check('_TestSharedMemory.test_shared_memory_ShareableList_pickling', async () => {
  await using list = ShareableList.from(Array.from({ length: 10 }, (_, i) => i));
  using same = await passed(list);
  assert.deepEqual([...same], [...list]);
  same[0] = -1;
  list[1] = -2;
  assert.deepEqual([list[0], same[1]], [-1, -2]);
  // A handle, whatever the list's size.
  await using long = ShareableList.from(['x'.repeat(100_000)]);
  assert.equal(await sizeOf(long), await sizeOf(list));
  await run(editList, [long, 0, 'short']);
  assert.equal(long[0], 'short');
});

check('_TestSharedMemory.test_shared_memory_ShareableList_pickling_dead_object', async () => {
  const list = ShareableList.from([1, 2]);
  using queue = new Queue<ShareableList>();
  await queue.put(list);
  list.close();
  list.shm.unlink();
  await assert.rejects(queue.get(), (error: Error) => {
    return error instanceof NotFoundError || error.cause instanceof NotFoundError;
  });
});

/** Has a process make blocks of these names and be killed. */
async function killedAfterMaking(names: readonly [string, string], track = true): Promise<void> {
  const [near, far] = pipe<never, string>();
  const owner = new Process({ target: makeAndDie, args: [names, far, track] });
  await owner.start();
  far.close();
  await near.recv();
  using block = SharedMemory.attach(names[0]);
  assert.equal(block.buf[0], 9);
  block.close();
  await owner.kill();
  await owner.join();
  near.close();
}

async function untilGone(name: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < 5000; waitedMs++) {
    try {
      SharedMemory.attach(name).close();
    } catch (error) {
      assert.ok(error instanceof NotFoundError);
      return;
    }
    await sleep(1);
  }
  assert.fail(`${name} is still there`);
}

check('_TestSharedMemory.test_shared_memory_cleaned_after_process_termination', async () => {
  const regions = (): number =>
    Memory.default()
      .allocations()
      .filter(({ type }) => type === 'region').length;
  const before = regions();
  await killedAfterMaking(['killed', 'killed list']);
  await untilGone('killed');
  await untilGone('killed list');
  for (let waitedMs = 0; regions() > before && waitedMs < 5000; waitedMs++) await sleep(1);
  assert.equal(regions(), before);
});

check('_TestSharedMemory.test_shared_memory_name_with_embedded_null', async () => {
  const refused = { code: 'ERR_INVALID_ARGUMENT' };
  assert.throws(() => SharedMemory.create({ name: 'a\0b', size: 1 }), refused);
  assert.throws(() => SharedMemory.attach('a\0b'), refused);
  assert.throws(() => ShareableList.from([1], { name: '\0' }), refused);
});

check('_TestSharedMemory.test_shared_memory_tracking', async () => {
  await killedAfterMaking(['tracked', 'tracked list']);
  await untilGone('tracked');
  // The name is free for another block.
  await using next = SharedMemory.create({ name: 'tracked', size: 1 });
  assert.equal(next.buf[0], 0);
});

check('_TestSharedMemory.test_shared_memory_untracking', async () => {
  await killedAfterMaking(['untracked', 'untracked list'], false);
  await killedAfterMaking(['untracked too', 'untracked list too'], false);
  for (const name of ['untracked', 'untracked too']) {
    const block = SharedMemory.attach(name);
    assert.deepEqual([block.buf[0], block.size], [9, 1000]);
    block.unlink();
    block.close();
    assert.throws(() => SharedMemory.attach(name), NotFoundError);
    const list = ShareableList.attach(name.replace('untracked', 'untracked list'));
    assert.deepEqual([...list], ['x', 1]);
    list.shm.unlink();
    list.close();
  }
});

check('TestResourceTracker.test_too_long_name_resource', () => {
  const refused = { code: 'ERR_INVALID_ARGUMENT', message: /1 to 255 bytes/ };
  for (const name of ['x'.repeat(256), 'ü'.repeat(128), 'x'.repeat(100_000)]) {
    assert.throws(() => SharedMemory.create({ name, size: 1 }), refused);
    assert.throws(() => SharedMemory.attach(name), refused);
    assert.throws(() => ShareableList.from([1], { name }), refused);
  }
  for (const name of ['x'.repeat(255), `${'ü'.repeat(127)}x`]) {
    const block = SharedMemory.create({ name, size: 1 });
    using same = SharedMemory.attach(name);
    assert.equal(same.size, 1);
    block.unlink();
    block.close();
  }
});

await runChecks();
