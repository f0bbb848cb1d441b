/** The checks of `shared-memory.test.ts`: blocks of memory by name, and lists in them. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClosedError, ExistsError, NotFoundError } from 'dragon-runtime';
import { Pool as Memory } from 'dragon-runtime/core';
import { Process, pipe, Queue, ShareableList, SharedMemory } from 'dragon-runtime/multiprocessing';
import { check, runChecks } from '../harness/inside.ts';
import {
  dieWhileMaking,
  editList,
  makeAndDie,
  writeByHandle,
  writeByName,
} from '../tasks/shared-memory-tasks.ts';

const memory = Memory.default();
const regions = (): number => memory.allocations().filter(({ type }) => type === 'region').length;

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let waitedMs = 0; !(await isSo()); waitedMs++) {
    assert.ok(waitedMs < 5000);
    await sleep(1);
  }
}

async function run(target: never, args: unknown[]): Promise<void> {
  const child = new Process({ target, args });
  await child.start();
  await child.join();
  assert.equal(child.exitCode, 0);
}

async function isMissing(name: string): Promise<boolean> {
  try {
    using _block = SharedMemory.attach(name);
    return false;
  } catch (error) {
    return error instanceof NotFoundError;
  }
}

check('one block', async () => {
  const before = regions();
  await using block = SharedMemory.create({ name: 'one', size: 100 });
  assert.deepEqual([block.name, block.size, block.buf.length], ['one', 100, 100]);
  assert.equal(String(block), 'SharedMemory("one", size=100)');
  assert.ok(block.buf.every((byte) => byte === 0));
  using same = SharedMemory.attach('one');
  using third = SharedMemory.attach('one');
  same.buf[99] = 7;
  assert.deepEqual([block.buf[99], third.buf[99], third.size], [7, 7, 100]);
  assert.throws(() => SharedMemory.create({ name: 'one', size: 1 }), ExistsError);
  assert.throws(() => SharedMemory.create({ name: 'one', size: 1 }), ExistsError);
  await run(writeByName as never, ['one', Uint8Array.of(1, 2, 3)]);
  assert.deepEqual([...block.buf.subarray(0, 3)], [1, 2, 3]);
  await run(writeByHandle as never, [same, Uint8Array.of(4)]);
  assert.equal(block.buf[0], 4);
  assert.equal(regions(), before + 1);
});

check('what is refused', async () => {
  const before = regions();
  for (const size of [0, -1, 1.5, Number.NaN, undefined as never]) {
    assert.throws(() => SharedMemory.create({ size }), RangeError);
    assert.throws(() => SharedMemory.create({ size }), RangeError);
  }
  for (const name of ['', 'a\0b', 'x'.repeat(256), 5 as never]) {
    const refused = { code: 'ERR_INVALID_ARGUMENT' };
    assert.throws(() => SharedMemory.create({ name, size: 1 }), refused);
    assert.throws(() => SharedMemory.attach(name), refused);
    assert.throws(() => SharedMemory.attach(name), refused);
  }
  assert.throws(() => SharedMemory.create({ size: 2 ** 50 }), { code: 'ERR_TOO_LARGE' });
  assert.equal(regions(), before);
});

check('made-up names', async () => {
  await using first = SharedMemory.create({ size: 1 });
  await using second = SharedMemory.create({ size: 1 });
  assert.notEqual(first.name, second.name);
  const names = [first.name, second.name, 'third', 'fourth'];
  const makeName = (): string => names.shift() as string;
  await using third = SharedMemory.create({ size: 1, makeName });
  assert.equal(third.name, 'third');
  await using fourth = SharedMemory.create({ size: 1, makeName });
  assert.equal(fourth.name, 'fourth');
});

check('close and unlink', async () => {
  const before = regions();
  const block = SharedMemory.create({ name: 'ends', size: 8 });
  const view = block.buf;
  view[0] = 3;
  block.close();
  block.close();
  assert.equal(view.length, 0);
  assert.throws(() => block.buf, ClosedError);
  // Who made it keeps it.
  const again = SharedMemory.attach('ends');
  assert.equal(again.buf[0], 3);
  block.unlink();
  assert.throws(() => block.unlink(), NotFoundError);
  assert.throws(() => again.unlink(), NotFoundError);
  assert.throws(() => SharedMemory.attach('ends'), NotFoundError);
  assert.equal(again.buf[0], 3);
  const next = SharedMemory.create({ name: 'ends', size: 8 });
  assert.equal(next.buf[0], 0);
  assert.throws(() => again.unlink(), NotFoundError);
  again.close();
  using other = SharedMemory.attach('ends');
  other.unlink();
  await using queue = new Queue<SharedMemory>();
  await assert.rejects(queue.put(next));
  next.close();
  other.close();
  assert.equal(regions(), before);
});

check('on its way', async () => {
  const block = SharedMemory.create({ size: 8 });
  using queue = new Queue<SharedMemory>();
  await queue.put(block);
  await queue.put(block);
  using same = await queue.get();
  same.buf[3] = 5;
  assert.deepEqual([block.buf[3], same.name], [5, block.name]);
  block.unlink();
  await assert.rejects(queue.get(), (error: Error) => {
    return error instanceof NotFoundError || error.cause instanceof NotFoundError;
  });
  block.close();
});

check('deaths', async () => {
  const before = regions();
  const files = readdirSync('/dev/shm').length;
  const [near, far] = pipe<never, string>();
  const victim = new Process({ target: makeAndDie, args: [['doomed', 'list'], far] });
  await victim.start();
  far.close();
  assert.equal(await near.recv(), 'made');
  const kept = SharedMemory.attach('doomed');
  await victim.kill();
  await victim.join();
  near.close();
  await until(() => isMissing('list'));
  assert.equal(kept.buf[0], 9);
  using again = SharedMemory.attach('doomed');
  assert.equal(again.buf[0], 9);
  again.close();
  kept.close();
  await until(() => isMissing('doomed'));
  await until(() => regions() === before);
  assert.equal(readdirSync('/dev/shm').length, files);
});

check('lists', async () => {
  const items = ['howdy', 'höwdy ☃', new Uint8Array([1, 0]), -273.154, 100n, null, true, false];
  await using list = ShareableList.from(items, { name: 'items' });
  assert.deepEqual([...list], items);
  assert.equal(list.format, '8s16s8bdqn??');
  assert.deepEqual([list.length, list.at(-1), list[4], list.shm.name], [8, false, 100n, 'items']);
  using same = ShareableList.attach('items');
  same[0] = 'a\0b\0\0';
  same.set(-1, 'eight by');
  assert.deepEqual([list[0], list[7]], ['a\0b\0\0', 'eight by']);
  assert.equal(list.format, '8s16s8bdqn?8s');
  list[3] = null;
  list[5] = -0;
  assert.ok(Object.is(same[5], -0) && same[3] === null);
  const before = [...list];
  assert.throws(() => {
    list[0] = 'ninebytes';
  }, RangeError);
  assert.throws(() => list.set(0, 'ä☃ä☃'), RangeError);
  assert.throws(() => list.set(4, 2n ** 63n), RangeError);
  assert.throws(() => list.set(4, {} as never), TypeError);
  assert.throws(() => list[8], RangeError);
  assert.throws(() => list[-1], RangeError);
  assert.throws(() => list.at(-9), RangeError);
  assert.throws(() => list.set(8, 1), RangeError);
  assert.deepEqual([...list], before);
  assert.deepEqual([list.count(true), list.count('no'), list.index(100n)], [1, 0, 4]);
  assert.throws(() => list.index('no'), RangeError);
  assert.throws(() => ShareableList.from([Symbol('x') as never]), TypeError);
  await run(editList as never, [list, 1, 'edited']);
  assert.equal(list[1], 'edited');
  await using copy = ShareableList.from(list);
  copy[1] = 'other';
  assert.deepEqual([list[1], copy[1], copy.length], ['edited', 'other', 8]);
  await using none = ShareableList.from([]);
  assert.deepEqual([none.length, [...none], none.format], [0, [], '']);
  same.close();
  assert.throws(() => same[0], ClosedError);
  assert.throws(() => same.set(0, 1), ClosedError);
  using attached = ShareableList.attach('items');
  assert.equal(attached[1], 'edited');
});

check('blocks that are not tracked', async () => {
  const before = regions();
  const [near, far] = pipe<never, string>();
  const names = ['kept', 'kept list'];
  const maker = new Process({ target: makeAndDie, args: [names, far as never, false] });
  await maker.start();
  assert.equal(await near.recv(), 'made');
  const attached = SharedMemory.attach('kept');
  await maker.kill();
  await maker.join();
  assert.equal(attached.buf[0], 9);
  attached.close();
  using again = SharedMemory.attach('kept');
  assert.equal(again.buf[0], 9);
  assert.throws(() => SharedMemory.create({ name: 'kept', size: 1 }), ExistsError);
  await run(writeByName as never, ['kept', Uint8Array.of(5)]);
  assert.equal(again.buf[0], 5);
  again.unlink();
  assert.ok(await isMissing('kept'));
  const list = ShareableList.attach('kept list');
  list.shm.unlink();
  list.close();
  again.close();
  await until(() => regions() === before);
});

check('a maker that dies before its block is kept', async () => {
  const before = regions();
  for (const name of ['half', 'half']) {
    const maker = new Process({ target: dieWhileMaking, args: [name] });
    await maker.start();
    await maker.join();
    assert.equal(maker.signal, 'SIGKILL');
    await until(() => regions() === before);
  }
  assert.ok(await isMissing('half'));
  const block = SharedMemory.create({ name: 'half', size: 3 });
  block.unlink();
  block.close();
  assert.equal(regions(), before);
});

await runChecks();
