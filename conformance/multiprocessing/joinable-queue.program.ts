/** The checks of `joinable-queue.test.ts`: what queues do besides, joinable and simple queues. */
import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { ClosedError, OwnerDiedError, QueueEmpty, QueueFull, SerializeError } from 'dragon-runtime';
import { JoinableQueue, Process, Queue, SimpleQueue } from 'dragon-runtime/multiprocessing';
import fc from 'fast-check';
import { check, inProcess, multiProcess, runChecks } from '../harness/inside.ts';
import { getUnknown, holdOne, waitUnreferenced, workOff } from '../tasks/workers.ts';

async function started(process: Process): Promise<Process> {
  await process.start();
  return process;
}

check('calls that do not wait, and batches that block', () => {
  using queue = new Queue<number>({ maxsize: 3 });
  queue.putNowait(1);
  queue.putManySync([2, 3]);
  assert.throws(() => queue.putNowait(4), QueueFull);
  assert.throws(
    () => queue.putManySync([4, 5], { timeout: 5 }),
    (error: unknown) => error instanceof QueueFull && error.details?.['done'] === 0,
  );
  assert.equal(queue.getNowait(), 1);
  assert.deepEqual(queue.getManySync(1), [2]);
  assert.deepEqual(queue.getManySync(), [3]);
  assert.deepEqual(queue.getManySync(0), []);
  assert.throws(() => queue.getNowait(), QueueEmpty);
  assert.throws(() => queue.getManySync(2, { timeout: 5 }), QueueEmpty);
});

check('items that can not be serialised are told', async () => {
  const told: unknown[] = [];
  using queue = new Queue<unknown>({
    maxsize: 3,
    onSerializeError: (error, item) => {
      assert.ok(error instanceof SerializeError);
      told.push(item);
    },
  });
  const bad = [() => 1, { deep: [Symbol('s')] }, new WeakMap(), Promise.resolve(), () => 2];
  await queue.put(bad[0]);
  queue.putSync(bad[1]);
  assert.ok(queue.tryPut(bad[2]));
  await queue.putMany([1, bad[3], 2]);
  queue.putManySync([bad[4], 3]);
  assert.deepEqual(told, bad);
  assert.deepEqual(await queue.getMany(), [1, 2, 3]);
  using carrier = new Queue<Queue<unknown>>();
  carrier.putSync(queue);
  using other = carrier.getSync();
  await assert.rejects(other.put(bad[0]), SerializeError);
});

check('an item that can not be decoded', async () => {
  const { registerClass } = await import('dragon-runtime');
  class OnlyHere {
    readonly x = 1;
  }
  registerClass(OnlyHere, { name: 'OnlyHere' });
  using queue = new Queue<unknown>();
  using tasks = new JoinableQueue<unknown>();
  using log = new Queue<unknown>();
  for (const one of [queue, tasks]) {
    one.putSync(new OnlyHere());
    one.putSync('next');
    const child = await started(new Process({ target: getUnknown, args: [one, log] }));
    assert.deepEqual(await log.get({ timeout: 5000 }), [true, 'next']);
    await child.join({ throw: true });
    one.putSync(new OnlyHere());
    assert.ok((await one.get()) instanceof OnlyHere);
  }
  // Of three items the child has finished one and this process has one: the damaged one is done.
  assert.equal(tasks.joinSync({ timeout: 0 }), false);
  tasks.taskDone();
  assert.equal(await tasks.join({ timeout: 5000 }), true);
});

check('batches of short and long items', async () => {
  const queues = [new Queue<unknown>(), new Queue<unknown>({ maxsize: 7 })];
  const all = Array.from({ length: 700 }, (_, i) => {
    if (i % 97 === 5) return new Uint8Array(20_000).fill(i);
    return [i, -i, String(i).repeat(i % 50), { i }, new Uint8Array(i % 200).fill(i), null][i % 6];
  });
  for (const queue of queues) {
    const puts = queue.putMany(all);
    const got: unknown[] = [];
    while (got.length < all.length) got.push(...(await queue.getMany(1 + (got.length % 300))));
    await puts;
    assert.deepEqual(got, all);
    assert.equal(queue.qsize(), 0);
    queue.putManySync(all.slice(0, 7));
    assert.deepEqual(queue.getManySync(), all.slice(0, 7));
    for (const put of [
      async (items: Iterable<unknown>) => queue.putMany(items),
      async (items: Iterable<unknown>) => queue.putManySync(items),
    ]) {
      await assert.rejects(put([1, 2, () => 3, 4]), (error: unknown) => {
        return error instanceof SerializeError && error.details?.['done'] === 2;
      });
      assert.deepEqual(queue.getManySync(), [1, 2]);
      const failing = function* () {
        yield* [1, new Uint8Array(20_000), 3];
        throw new RangeError('no more');
      };
      await assert.rejects(put(failing()), RangeError);
      assert.deepEqual(queue.getManySync(), [1, new Uint8Array(20_000), 3]);
    }
    queue.close();
  }
});

check('an item that can not be decoded in a batch', async () => {
  const { DecodeError, registerClass } = await import('dragon-runtime');
  class Damaged {}
  const deserialize = (): Damaged => {
    throw new Error('no');
  };
  registerClass(Damaged, { name: 'Damaged', serialize: () => 1, deserialize });
  using queue = new Queue<unknown>();
  queue.putManySync([1, 2, new Damaged(), new Uint8Array(20_000), 3, new Damaged(), 4]);
  assert.deepEqual(await queue.getMany(), [1, 2]);
  assert.equal(queue.qsize(), 5);
  await assert.rejects(queue.getMany(), DecodeError);
  assert.equal((queue.getSync() as Uint8Array).byteLength, 20_000);
  assert.deepEqual(queue.getManySync(), [3]);
  assert.throws(() => queue.tryGet(), DecodeError);
  assert.equal(await queue.get(), 4);
  assert.ok(queue.empty());
});

check('streams', async () => {
  using queue = new Queue<number>({ maxsize: 2 });
  const reader = queue.readable().getReader();
  await queue.putMany([1, 2]);
  await turn();
  assert.equal(queue.qsize(), 2);
  assert.deepEqual(await reader.read(), { done: false, value: 1 });
  assert.equal(queue.qsize(), 1);
  assert.deepEqual(await reader.read(), { done: false, value: 2 });
  const pending = reader.read();
  await reader.cancel();
  assert.equal((await pending).done, true);
  queue.putSync(3);
  assert.deepEqual(queue.tryGet(), { ok: true, value: 3 });

  const writer = queue.writable().getWriter();
  const writes = [4, 5, 6].map((item) => writer.write(item));
  const gone = Promise.all(writes);
  for (const item of [4, 5, 6]) assert.equal(await queue.get(), item);
  await gone;
  await queue.putMany([7, 8]);
  const stuck = writer.write(9);
  const aborted = assert.rejects(stuck, /enough/);
  await writer.abort(new Error('enough'));
  await aborted;
  assert.deepEqual(await queue.getMany(), [7, 8]);

  const ending = queue.readable().getReader();
  const last = ending.read();
  queue.close();
  assert.deepEqual(await last, { done: true, value: undefined });
});

check('joinThread', async () => {
  using queue = new Queue<number>({ maxsize: 1 });
  assert.equal(await queue.joinThread(), true);
  const puts = [queue.put(1), queue.put(2)];
  assert.equal(await queue.joinThread({ timeout: 10 }), false);
  const joined = queue.joinThread();
  await queue.get();
  assert.equal(await joined, true);
  await Promise.all(puts);
  await assert.rejects(queue.joinThread({ signal: AbortSignal.abort() }));
});

check('unreferenced waits', async () => {
  using queue = new Queue<number>();
  using full = new Queue<number>({ maxsize: 1 });
  full.putSync(1);
  const child = await started(new Process({ target: waitUnreferenced, args: [queue, full] }));
  assert.ok(await child.join({ timeout: 8000 }), 'the process waits');
  assert.equal(child.exitCode, 0);
  assert.equal(queue.unref().ref(), queue);
});

type Step = 'put' | 'get' | 'done' | 'join';

check('joins follow the model', async () => {
  const steps = fc.array(fc.constantFrom<Step>('put', 'get', 'done', 'join'), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(steps, fc.boolean(), async (list, sync) => {
      using queue = new JoinableQueue<number>();
      let [waiting, inHand] = [0, 0];
      const joins: { settled: boolean; result: Promise<boolean> }[] = [];
      for (const step of [...list, 'join'] as Step[]) {
        if (step === 'put') {
          queue.putNowait(waiting++);
        } else if (step === 'get') {
          assert.equal(queue.tryGet().ok, waiting > 0);
          if (waiting > 0) [waiting, inHand] = [waiting - 1, inHand + 1];
        } else if (step === 'done') {
          if (inHand > 0) queue.taskDone();
          else assert.throws(() => queue.taskDone(), { code: 'ERR_STATE' });
          inHand = Math.max(0, inHand - 1);
        } else {
          const join = { settled: false, result: queue.join() };
          join.result.then(
            () => {
              join.settled = true;
            },
            () => undefined,
          );
          joins.push(join);
          if (sync) assert.equal(queue.joinSync({ timeout: 0 }), waiting + inHand === 0);
        }
        if (waiting + inHand === 0) {
          for (const { result } of joins.splice(0)) assert.equal(await result, true);
        } else {
          await Promise.resolve();
          for (const { settled } of joins) assert.equal(settled, false);
        }
      }
      queue.close();
      for (const { result } of joins) await assert.rejects(result, ClosedError);
    }),
    inProcess,
  );
});

check('a join comes after all work', async () => {
  using tasks = new JoinableQueue<number | null>();
  using log = new Queue<number>();
  const workers = await Promise.all(
    [true, false, true, false].map((sync) =>
      started(new Process({ target: workOff, args: [tasks, log, sync] })),
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.nat(60), fc.boolean(), async (count, sync) => {
      const items = Array.from({ length: count }, (_, i) => i);
      await tasks.putMany(items);
      const limits = { timeout: 5000 };
      assert.equal(sync ? tasks.joinSync(limits) : await tasks.join(limits), true);
      const done = count === 0 ? [] : await log.getMany();
      assert.deepEqual(
        done.toSorted((a, b) => a - b),
        items,
      );
    }),
    multiProcess,
  );
  await tasks.putMany(workers.map(() => null));
  for (const worker of workers) await worker.join({ throw: true });
  assert.equal(await tasks.join({ timeout: 5000 }), true);
});

check('items of the dead', async () => {
  using tasks = new JoinableQueue<number>();
  using log = new Queue<number>();
  tasks.putManySync([1, 2]);
  const victim = await started(new Process({ target: holdOne, args: [tasks, log] }));
  assert.equal(await log.get({ timeout: 5000 }), 1);
  assert.equal(await tasks.get(), 2);
  const joined = assert.rejects(tasks.join({ timeout: 8000 }), OwnerDiedError);
  tasks.taskDone();
  await victim.kill();
  await victim.join();
  await joined;
  assert.throws(() => tasks.joinSync({ timeout: 5000 }), OwnerDiedError);
  tasks.forgetLost();
  assert.equal(await tasks.join({ timeout: 5000 }), true);
});

check('a joinable queue is a queue', async () => {
  using carrier = new Queue<JoinableQueue<number>>();
  const queue = new JoinableQueue<number>({ maxsize: 2, consumers: 3 });
  carrier.putSync(queue);
  const other = carrier.getSync();
  assert.ok(other instanceof JoinableQueue && other instanceof Queue);
  assert.equal(other.maxsize, 2);
  other.putSync(1);
  assert.equal(queue.getSync(), 1);
  other.taskDone();
  assert.equal(await other.join(), true);
  other.putSync(2);
  const joins = [queue.join(), other.join()];
  const ended = joins.map((pending) => assert.rejects(pending, ClosedError));
  queue.destroy();
  await Promise.all(ended);
  other.close();
  assert.throws(() => other.taskDone(), ClosedError);
  assert.throws(() => new JoinableQueue({ consumers: 5000 }), { code: 'ERR_INVALID_ARGUMENT' });
});

check('a simple queue follows the model', async () => {
  const step = fc.constantFrom('put', 'putSync', 'get', 'getSync', 'empty');
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(step, fc.anything())), async (steps) => {
      using queue = new SimpleQueue<number>();
      const model: number[] = [];
      for (const [i, [kind]] of steps.entries()) {
        if (kind === 'put') await queue.put(i);
        if (kind === 'putSync') queue.putSync(i);
        if (kind.startsWith('put')) model.push(i);
        else if (kind === 'empty') assert.equal(queue.empty(), model.length === 0);
        else if (model.length === 0) assert.throws(() => queue.getSync({ timeout: 0 }), QueueEmpty);
        else assert.equal(kind === 'get' ? await queue.get() : queue.getSync(), model.shift());
      }
    }),
    inProcess,
  );
  using carrier = new Queue<SimpleQueue<number>>();
  const queue = new SimpleQueue<number>();
  carrier.putSync(queue);
  using other = carrier.getSync();
  assert.ok(other instanceof SimpleQueue);
  other.putSync(1);
  for await (const item of queue) {
    assert.equal(item, 1);
    queue.close();
  }
  await assert.rejects(queue.get(), ClosedError);
});

await runChecks();
