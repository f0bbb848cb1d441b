/** Bodies of the ported tests of queues. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClosedError, defineTask, QueueEmpty, QueueFull, SerializeError } from 'dragon-runtime';
import { JoinableQueue, Process, Queue, SimpleQueue } from 'dragon-runtime/multiprocessing';
import { calls, type Flavour } from './flavours.ts';

const PATIENCE_MS = 100;
const TOLERANCE_MS = 1;

/** Checks that `work` fails as `how` says, and not before its time. */
async function fails(
  work: () => Promise<unknown> | undefined,
  how: new (text: string) => Error,
  afterMs: number,
): Promise<void> {
  const beginMs = performance.now();
  await assert.rejects(async () => await work(), how);
  const tookMs = performance.now() - beginMs;
  assert.ok(tookMs >= afterMs - TOLERANCE_MS, `${tookMs} ms instead of ${afterMs}`);
  assert.ok(tookMs < afterMs + 2000, `${tookMs} ms instead of ${afterMs}`);
}

async function started(process: Process): Promise<Process> {
  await process.start();
  return process;
}

/** Empties a queue of six when told, and tells what it got. */
export const emptySix = defineTask(
  import.meta.url,
  'emptySix',
  async (queue: Queue<number>, go: Queue<string>, gone: Queue<number[]>, flavour: Flavour) => {
    await calls(go, flavour).get();
    const items: number[] = [];
    for (let i = 0; i < 6; i++) items.push(await calls(queue, flavour).get({ timeout: 5000 }));
    await calls(gone, flavour).put(items);
  },
);

export async function testPut(flavour: Flavour): Promise<void> {
  using queue = new Queue<number>({ maxsize: 6 });
  using go = new Queue<string>();
  using gone = new Queue<number[]>();
  const child = await started(
    new Process({ target: emptySix, args: [queue, go, gone, flavour], daemon: true }),
  );
  const { put } = calls(queue, flavour);
  assert.deepEqual([queue.empty(), queue.full()], [true, false]);
  await put(1);
  await put(2, {});
  await put(3, { timeout: Number.POSITIVE_INFINITY });
  await put(4, { timeout: 0 });
  assert.ok(queue.tryPut(5));
  queue.putNowait(6);
  assert.deepEqual([queue.empty(), queue.full()], [false, true]);
  assert.equal(queue.tryPut(7), false);
  await fails(async () => queue.putNowait(7), QueueFull, 0);
  await fails(() => put(7, { timeout: 0 }), QueueFull, 0);
  await fails(() => put(7, { timeout: -1 }), QueueFull, 0);
  await fails(() => put(7, { timeout: PATIENCE_MS }), QueueFull, PATIENCE_MS);
  await calls(go, flavour).put('go');
  assert.deepEqual(await calls(gone, flavour).get({ timeout: 5000 }), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual([queue.empty(), queue.full()], [true, false]);
  await child.join({ throw: true });
}

/** Puts these items when told, and says so. */
export const putSome = defineTask(
  import.meta.url,
  'putSome',
  async (
    queue: Queue<number>,
    items: readonly number[],
    go: Queue<string>,
    gone: Queue<string>,
    flavour: Flavour,
  ) => {
    await calls(go, flavour).get();
    for (const item of items) await calls(queue, flavour).put(item);
    await calls(gone, flavour).put('done');
  },
);

export async function testGet(flavour: Flavour): Promise<void> {
  using queue = new Queue<number>();
  using go = new Queue<string>();
  using gone = new Queue<string>();
  const child = await started(
    new Process({
      target: putSome,
      args: [queue, [2, 3, 4, 5, 6, 7], go, gone, flavour],
      daemon: true,
    }),
  );
  const { get } = calls(queue, flavour);
  assert.ok(queue.empty());
  await calls(go, flavour).put('go');
  await calls(gone, flavour).get();
  assert.ok(!queue.empty());
  assert.equal(await get({ timeout: Number.POSITIVE_INFINITY }), 2);
  assert.equal(await get({}), 3);
  assert.equal(await get({ timeout: 1000 }), 4);
  assert.equal(await get({ timeout: 0 }), 5);
  assert.equal(queue.getNowait(), 6);
  assert.deepEqual(queue.tryGet(), { ok: true, value: 7 });
  assert.ok(queue.empty());
  assert.deepEqual(queue.tryGet(), { ok: false });
  await fails(async () => queue.getNowait(), QueueEmpty, 0);
  await fails(() => get({ timeout: 0 }), QueueEmpty, 0);
  await fails(() => get({ timeout: -1 }), QueueEmpty, 0);
  await fails(() => get({ timeout: PATIENCE_MS }), QueueEmpty, PATIENCE_MS);
  await child.join({ throw: true });
}

export async function testFork(flavour: Flavour): Promise<void> {
  using queue = new Queue<number>();
  using go = new Queue<string>();
  using gone = new Queue<string>();
  for (let i = 0; i < 10; i++) await calls(queue, flavour).put(i);
  const added = Array.from({ length: 10 }, (_, i) => 10 + i);
  const child = await started(
    new Process({ target: putSome, args: [queue, added, go, gone, flavour], daemon: true }),
  );
  await calls(go, flavour).put('go');
  for (let i = 0; i < 20; i++) assert.equal(await calls(queue, flavour).get(), i);
  assert.deepEqual(queue.tryGet(), { ok: false });
  await child.join({ throw: true });
}

export async function testQsize(flavour: Flavour): Promise<void> {
  using queue = new Queue<number>();
  const { put, get } = calls(queue, flavour);
  assert.equal(queue.qsize(), 0);
  await put(1);
  assert.equal(queue.qsize(), 1);
  await put(5);
  assert.equal(queue.qsize(), 2);
  await get();
  assert.equal(queue.qsize(), 1);
  await get();
  assert.equal(queue.qsize(), 0);
}

/** Takes items until one is null; notes each before it says that it is done. */
export const workOff = defineTask(
  import.meta.url,
  'workOff',
  async (queue: JoinableQueue<number | null>, notes: Queue<number>, flavour: Flavour) => {
    for (;;) {
      const item = await calls(queue, flavour).get();
      if (item === null) break;
      await sleep(5);
      await calls(notes, flavour).put(item);
      queue.taskDone();
    }
    queue.taskDone();
  },
);

export async function testTaskDone(flavour: Flavour): Promise<void> {
  using queue = new JoinableQueue<number | null>();
  using notes = new Queue<number>();
  const limits = { timeout: 5000 };
  const join = async (): Promise<boolean> =>
    flavour === 'async' ? await queue.join(limits) : queue.joinSync(limits);
  const workers = await Promise.all(
    Array.from({ length: 4 }, () =>
      started(new Process({ target: workOff, args: [queue, notes, flavour], daemon: true })),
    ),
  );
  for (let i = 0; i < 10; i++) await calls(queue, flavour).put(i);
  assert.ok(await join());
  const worked = [...new Array(10)].map(() => notes.getNowait());
  assert.deepEqual(
    worked.toSorted((a, b) => a - b),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
  for (const _ of workers) await calls(queue, flavour).put(null);
  for (const worker of workers) await worker.join({ throw: true });
  assert.ok(await join());
  assert.throws(() => queue.taskDone(), { code: 'ERR_STATE' });
}

export async function testNoImportLockContention(): Promise<void> {
  const { got } = await import('./queue-at-load.ts');
  assert.equal(got, 'while loading');
}

export async function testTimeout(flavour: Flavour): Promise<void> {
  using queue = new Queue<number>();
  await fails(() => calls(queue, flavour).get({ timeout: 200 }), QueueEmpty, 200);
}

function unserialisable(): unknown[] {
  const thrower = {
    get field(): never {
      throw new Error('the getter throws');
    },
  };
  return [thrower, () => 1, { inside: [Symbol('s')] }];
}

export async function testQueueFeederDonotStopOnexc(flavour: Flavour): Promise<void> {
  using queue = new Queue<unknown>({ maxsize: 1 });
  const told: unknown[] = [];
  using dropping = new Queue<unknown>({
    maxsize: 1,
    onSerializeError: (_, item) => told.push(item),
  });
  const bad = unserialisable();
  for (const item of bad) {
    await assert.rejects(calls(queue, flavour).put(item), SerializeError);
    await calls(dropping, flavour).put(item);
    for (const one of [queue, dropping]) {
      assert.equal(one.qsize(), 0);
      await calls(one, flavour).put(true, { timeout: 0 });
      assert.ok(one.full());
      assert.equal(await calls(one, flavour).get({ timeout: 1000 }), true);
    }
  }
  assert.deepEqual(told, bad);
}

export async function testQueueFeederOnQueueFeederError(flavour: Flavour): Promise<void> {
  const told: { error: Error; item: unknown }[] = [];
  using queue = new Queue<unknown>({
    onSerializeError: (error, item) => told.push({ error, item }),
  });
  const [thrower] = unserialisable();
  await calls(queue, flavour).put(thrower);
  assert.ok(queue.empty());
  assert.equal(told.length, 1);
  assert.equal(told[0]?.item, thrower);
  assert.ok(told[0]?.error instanceof SerializeError);
  assert.match(String((told[0].error.cause as Error).message), /the getter throws/);
}

export async function testClosedQueuePutGetExceptions(flavour: Flavour): Promise<void> {
  for (const queue of [new Queue<string>(), new JoinableQueue<string>()]) {
    queue.close();
    const closed = (error: unknown): boolean =>
      error instanceof ClosedError && /closed/.test(error.message);
    await assert.rejects(calls(queue, flavour).put('foo'), closed);
    await assert.rejects(calls(queue, flavour).get(), closed);
    assert.throws(() => queue.tryPut('foo'), closed);
    assert.throws(() => queue.tryGet(), closed);
  }
}

export async function testClosedQueueEmptyExceptions(): Promise<void> {
  for (const queue of [new Queue<string>(), new JoinableQueue<string>()]) {
    queue.close();
    for (const call of [() => queue.empty(), () => queue.full(), () => queue.qsize()]) {
      assert.throws(call, ClosedError);
    }
  }
}

/** Says what `empty` is, then puts an item, when told to. */
export const lookAndPut = defineTask(
  import.meta.url,
  'lookAndPut',
  async (queue: SimpleQueue<unknown>, go: Queue<string>, flavour: Flavour) => {
    await calls(go, flavour).get();
    const before = queue.empty();
    if (flavour === 'async') {
      await queue.put(before);
      await queue.put(queue.empty());
    } else {
      queue.putSync(before);
      queue.putSync(queue.empty());
    }
  },
);

export async function testSimpleEmpty(flavour: Flavour): Promise<void> {
  using queue = new SimpleQueue<unknown>();
  using go = new Queue<string>();
  const get = async (): Promise<unknown> =>
    flavour === 'async' ? await queue.get() : queue.getSync();
  const child = await started(
    new Process({ target: lookAndPut, args: [queue, go, flavour], daemon: true }),
  );
  assert.equal(queue.empty(), true);
  await calls(go, flavour).put('go');
  await child.join({ throw: true });
  assert.equal(queue.empty(), false);
  assert.equal(await get(), true);
  assert.equal(await get(), false);
  assert.equal(queue.empty(), true);
}

export async function testSimpleClose(): Promise<void> {
  const queue = new SimpleQueue();
  queue.close();
  queue.close();
}

export async function testSimpleClosed(): Promise<void> {
  const queue = new SimpleQueue<number>();
  queue.putSync(1);
  assert.equal(queue.closed, false);
  queue.close();
  assert.equal(queue.closed, true);
  await assert.rejects(queue.get(), ClosedError);
  await assert.rejects(queue.put(2), ClosedError);
}

export async function testSimpleEmptyExceptions(): Promise<void> {
  const queue = new SimpleQueue();
  queue.close();
  assert.throws(() => queue.empty(), ClosedError);
}
