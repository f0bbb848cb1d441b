/** The checks of `queue.test.ts`: queues within one process and between several. */
import assert from 'node:assert/strict';
import { ClosedError, DragonError, QueueEmpty, QueueFull, SerializeError } from 'dragon-runtime';
import { Lock, pipe, Queue } from 'dragon-runtime/multiprocessing';
import fc from 'fast-check';
import { check, inProcess, multiProcess, runChecks } from '../harness/inside.ts';
import { type Flavour, type Seen, startActors, type Tagged } from '../tasks/actors.ts';

const flavour = fc.constantFrom<Flavour>('async', 'sync');

/** Item sizes from nothing to 4 MiB, mostly small. */
const itemSizes = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: 0, max: 2000 }) },
  { weight: 4, arbitrary: fc.constantFrom(4095, 4096, 4097, 65_535, 65_537) },
  { weight: 1, arbitrary: fc.constant(4 * 1024 * 1024) },
);

function isIncreasing(numbers: readonly number[]): boolean {
  return numbers.every((value, i) => i === 0 || value > (numbers[i - 1] as number));
}

await using actors = await startActors(16);

/** Lets some actors put and others get; what each consumer saw. */
async function exchange(
  producers: readonly { readonly sizes: readonly number[]; readonly flavour: Flavour }[],
  consumers: readonly Flavour[],
  maxsize: number,
): Promise<Seen[][]> {
  using queue = new Queue<Tagged | null>({ maxsize });
  const eaters = consumers.map((kind, i) =>
    actors[i]?.play({ kind: 'consume', queue, flavour: kind }),
  );
  const makers = producers.map(({ sizes, flavour: kind }, i) =>
    actors[15 - i]?.play({ kind: 'produce', queue, producer: i, sizes, flavour: kind }),
  );
  await Promise.all(makers);
  for (const _ of consumers) await queue.put(null);
  const seen = (await Promise.all(eaters)) as Seen[][];
  assert.equal(queue.qsize(), 0);
  return seen;
}

check('producer order and no loss', async () => {
  const producer = fc.record({ sizes: fc.array(itemSizes, { maxLength: 30 }), flavour });
  await fc.assert(
    fc.asyncProperty(
      fc.array(producer, { minLength: 1, maxLength: 8 }),
      fc.array(flavour, { minLength: 1, maxLength: 8 }),
      fc.constantFrom(0, 1, 3, 64),
      async (producers, consumers, maxsize) => {
        const seen = await exchange(producers, consumers, maxsize);
        for (const items of seen) {
          for (const id of producers.keys()) {
            const own = items.filter(([producerId]) => producerId === id);
            assert.ok(isIncreasing(own.map(([, sequence]) => sequence)), 'order of a producer');
          }
        }
        const out = seen.flat().toSorted(([a, b], [c, d]) => a - c || b - d);
        const expected = producers.flatMap(({ sizes }, id) =>
          sizes.map((bytes, sequence): Seen => [id, sequence, bytes, true]),
        );
        assert.deepEqual(out, expected);
      },
    ),
    multiProcess,
  );
});

/** What commands do to a model of the queue, and to the queue. */
type Command = {
  readonly kind: 'put' | 'tryPut' | 'get' | 'tryGet' | 'look';
  readonly item: number;
};

async function obey(queue: Queue<number>, model: number[], command: Command): Promise<void> {
  const { kind, item } = command;
  const isFull = model.length === queue.maxsize;
  if (kind === 'put') {
    const put = queue.put(item, { timeout: 0 });
    if (isFull) await assert.rejects(put, QueueFull);
    else await put;
  }
  if (kind === 'tryPut') assert.equal(queue.tryPut(item), !isFull);
  if ((kind === 'put' || kind === 'tryPut') && !isFull) model.push(item);
  if (kind === 'get') {
    const get = queue.get({ timeout: 0 });
    if (model.length === 0) await assert.rejects(get, QueueEmpty);
    else assert.equal(await get, model.shift());
  }
  if (kind === 'tryGet') {
    const expected = model.length === 0 ? { ok: false } : { ok: true, value: model.shift() };
    assert.deepEqual(queue.tryGet(), expected);
  }
  assert.equal(queue.qsize(), model.length);
  assert.equal(queue.empty(), model.length === 0);
  assert.equal(queue.full(), model.length === queue.maxsize);
}

check('follows the model', async () => {
  const command = fc.record<Command>({
    kind: fc.constantFrom('put', 'tryPut', 'get', 'tryGet', 'look'),
    item: fc.integer(),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 64 }),
      fc.array(command, { maxLength: 100 }),
      async (maxsize, commands) => {
        using queue = new Queue<number>({ maxsize });
        const model: number[] = [];
        for (const one of commands) await obey(queue, model, one);
      },
    ),
    inProcess,
  );
});

check('maxsize', () => {
  using unbounded = new Queue<number>();
  for (let i = 0; i < 5000; i++) assert.ok(unbounded.tryPut(i));
  assert.equal(unbounded.full(), false);
  using negative = new Queue<number>({ maxsize: -3 });
  assert.equal(negative.maxsize, 0);
  for (const maxsize of [0.5, Number.NaN, 2 ** 20 + 1, '12' as never]) {
    assert.throws(() => new Queue({ maxsize }), { code: 'ERR_INVALID_ARGUMENT' });
  }
});

check('waiting calls are served in order', async () => {
  using queue = new Queue<number>({ maxsize: 1 });
  const puts = Array.from({ length: 20 }, (_, i) => queue.put(i));
  const gets = Array.from({ length: 20 }, () => queue.get());
  assert.deepEqual(
    await Promise.all(gets),
    Array.from({ length: 20 }, (_, i) => i),
  );
  await Promise.all(puts);
  // A place, or an item, that has just come is for the call that waits already.
  queue.putSync(20);
  const earlierPut = queue.put(21);
  assert.equal(queue.getSync(), 20);
  assert.equal(queue.tryPut(-1), false);
  const laterPut = queue.put(22);
  assert.deepEqual([await queue.get(), await queue.get()], [21, 22]);
  await Promise.all([earlierPut, laterPut]);
  const earlierGet = queue.get();
  queue.putSync(23);
  assert.deepEqual(queue.tryGet(), { ok: false });
  const laterGet = queue.get();
  await queue.put(24);
  assert.deepEqual([await earlierGet, await laterGet], [23, 24]);
});

check('time-outs', async () => {
  using queue = new Queue<number>({ maxsize: 1 });
  for (const timeout of [-1, 0, 1, 30]) {
    for (const wait of [() => queue.get({ timeout }), async () => queue.getSync({ timeout })]) {
      const startMs = performance.now();
      await assert.rejects(wait(), QueueEmpty);
      const elapsedMs = performance.now() - startMs;
      assert.ok(elapsedMs >= timeout - 1, `${elapsedMs} ms for a time-out of ${timeout}`);
    }
  }
  queue.putSync(1);
  await assert.rejects(queue.put(2, { timeout: 20 }), QueueFull);
  assert.throws(() => queue.putSync(2, { timeout: 20 }), QueueFull);
  await assert.rejects(queue.get({ timeout: Number.NaN }), TypeError);
  assert.throws(() => queue.getSync({ timeout: Number.NaN }), TypeError);
  assert.equal(queue.getSync({ timeout: Number.POSITIVE_INFINITY }), 1);
});

check('undefined is an item', async () => {
  using queue = new Queue<undefined>();
  assert.deepEqual(queue.tryGet(), { ok: false });
  assert.ok(queue.tryPut(undefined));
  await queue.put(undefined);
  assert.deepEqual(queue.tryGet(), { ok: true, value: undefined });
  assert.equal(await queue.get(), undefined);
});

check('abort takes and adds nothing', async () => {
  const step = fc.record({
    kind: fc.constantFrom<'put' | 'get'>('put', 'get'),
    abortAfter: fc.option(fc.integer({ min: 0, max: 6 })),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      using queue = new Queue<number>({ maxsize: 3 });
      const outcomes: Promise<number | 'put' | 'aborted'>[] = [];
      const controllers: { at: number; controller: AbortController }[] = [];
      for (const [i, { kind, abortAfter }] of steps.entries()) {
        const controller = new AbortController();
        const { signal } = controller;
        const work: Promise<number | 'put'> =
          kind === 'put' ? queue.put(i, { signal }).then(() => 'put') : queue.get({ signal });
        outcomes.push(
          work.catch((error: unknown) => {
            assert.equal(error, signal.reason);
            return 'aborted';
          }),
        );
        if (abortAfter !== null) controllers.push({ at: i + abortAfter, controller });
        for (const { at, controller: due } of controllers) if (at === i) due.abort();
        if (i % 3 === 0) await Promise.resolve();
      }
      // What still waits is fed or emptied, so that every outcome is known.
      const results = Promise.all(outcomes);
      let settled = false;
      void results.then(() => {
        settled = true;
      });
      const drained: number[] = [];
      let fed = 0;
      while (!settled) {
        const next = queue.tryGet();
        if (next.ok) drained.push(next.value);
        else if (queue.tryPut(-1)) fed++;
        await new Promise(setImmediate);
      }
      const known = await results;
      for (let next = queue.tryGet(); next.ok; next = queue.tryGet()) drained.push(next.value);
      const got = known.filter((outcome): outcome is number => typeof outcome === 'number');
      const put = steps.flatMap((_, i) => (known[i] === 'put' ? [i] : []));
      const came = [...got, ...drained].toSorted((a, b) => a - b);
      assert.deepEqual(came, [...new Array<number>(fed).fill(-1), ...put]);
    }),
    inProcess,
  );
});

check('an aborted signal is seen first', async () => {
  using queue = new Queue<number>();
  const signal = AbortSignal.abort(new Error('not today'));
  await assert.rejects(queue.put(1, { signal }), /not today/);
  assert.equal(queue.qsize(), 0);
  queue.putSync(1);
  await assert.rejects(queue.get({ signal }), /not today/);
  assert.throws(() => queue.getSync({ signal }), /not today/);
  assert.equal(queue.qsize(), 1);
});

check('items are serialised at the call', async () => {
  using queue = new Queue<{ n: number; data: Uint8Array }>({ maxsize: 1 });
  const item = { n: 1, data: new Uint8Array(1000).fill(1) };
  const first = queue.put(item);
  item.n = 2;
  item.data.fill(2);
  const second = queue.put(item);
  item.n = 3;
  item.data.fill(3);
  const third = queue.put(item); // waits for its turn behind the second
  item.n = 4;
  item.data.fill(4);
  for (const expected of [1, 2, 3]) {
    const { n, data } = await queue.get();
    assert.equal(n, expected);
    assert.ok(data.every((byte) => byte === expected));
  }
  await Promise.all([first, second, third]);
});

check('an unserialisable item changes nothing', async () => {
  const bad: fc.Arbitrary<unknown> = fc.constantFrom<unknown>(
    () => 1,
    Symbol('s'),
    new WeakMap(),
    Promise.resolve(1),
    {
      get field() {
        throw new Error('getter');
      },
    },
  );
  const nested = fc.tuple(bad, fc.array(fc.string({ minLength: 1 }), { maxLength: 3 }));
  await fc.assert(
    fc.asyncProperty(nested, fc.nat(4), async ([value, path], before) => {
      using queue = new Queue<unknown>({ maxsize: 5 });
      for (let i = 0; i < before; i++) queue.putSync(i);
      const item = path.reduceRight<unknown>((inner, key) => ({ [`k${key}`]: inner }), value);
      await assert.rejects(queue.put(item), SerializeError);
      assert.throws(() => queue.putSync(item), SerializeError);
      assert.throws(() => queue.tryPut(item), SerializeError);
      assert.equal(queue.qsize(), before);
      queue.putSync('after');
      for (let i = 0; i < before; i++) assert.equal(await queue.get(), i);
      assert.equal(await queue.get(), 'after');
    }),
    inProcess,
  );
  using queue = new Queue<unknown>();
  await assert.rejects(queue.put({ a: [1, { b: () => 1 }] }), (error: Error) => {
    assert.match(error.message, /a.*1.*b/);
    return true;
  });
});

check('handles are items', async () => {
  using queue = new Queue<unknown>();
  const inner = new Queue<string>();
  const lock = new Lock();
  const [near, far] = pipe<string>();
  await queue.put({ inner, list: [lock, far] });
  inner.close();
  lock.close();
  far.close();
  const got = (await queue.get()) as { inner: Queue<string>; list: [Lock, typeof far] };
  got.inner.putSync('through the queue');
  assert.equal(got.inner.getSync(), 'through the queue');
  assert.ok(got.list[0].tryAcquire());
  await near.send('through the pipe');
  assert.equal(await got.list[1].recv(), 'through the pipe');
  for (const handle of [got.inner, ...got.list, near]) handle.close();
});

check('too large', async () => {
  using queue = new Queue<Uint8Array>();
  // The pool's limit is set by the test.
  const item = new Uint8Array(64 * 1024 * 1024);
  await assert.rejects(queue.put(item, { timeout: 5000 }), { code: 'ERR_TOO_LARGE' });
  assert.throws(() => queue.tryPut(item), { code: 'ERR_TOO_LARGE' });
  assert.equal(queue.qsize(), 0);
});

check('batches', async () => {
  using queue = new Queue<number>({ maxsize: 5 });
  await queue.putMany([1, 2, 3]);
  await assert.rejects(queue.putMany([4, 5, 6, 7], { timeout: 20 }), (error: unknown) => {
    assert.ok(error instanceof QueueFull);
    assert.deepEqual(error.details, { done: 2 });
    return true;
  });
  assert.deepEqual(await queue.getMany(2), [1, 2]);
  assert.deepEqual(await queue.getMany(), [3, 4, 5]);
  assert.deepEqual(await queue.getMany(0), []);
  await assert.rejects(queue.getMany(3, { timeout: 10 }), QueueEmpty);
});

check('close', async () => {
  const queue = new Queue<number>({ maxsize: 1 });
  queue.putSync(1);
  const put = queue.put(2);
  const empty = new Queue<number>();
  const get = empty.get();
  const failures = [assert.rejects(put, ClosedError), assert.rejects(get, ClosedError)];
  for (const one of [queue, empty]) {
    one.close();
    one.close();
    assert.equal(one.closed, true);
    await assert.rejects(one.get(), ClosedError);
    await assert.rejects(one.put(1), ClosedError);
    for (const call of [
      () => one.getSync(),
      () => one.putSync(1),
      () => one.tryGet(),
      () => one.tryPut(1),
      () => one.qsize(),
      () => one.empty(),
    ]) {
      assert.throws(call, ClosedError);
    }
  }
  await Promise.all(failures);
});

check('close ends everything', async () => {
  const waits = fc.array(fc.constantFrom<'put' | 'get' | 'stream'>('put', 'get', 'stream'), {
    maxLength: 8,
  });
  await fc.assert(
    fc.asyncProperty(waits, fc.nat(3), fc.nat(2), async (pending, filled, turns) => {
      const queue = new Queue<number>({ maxsize: 2 });
      for (let i = 0; i < filled; i++) queue.tryPut(i);
      const settled = pending.map((kind): Promise<unknown> => {
        if (kind === 'stream') return queue.readable().getReader().read();
        return kind === 'put' ? queue.put(9) : queue.get();
      });
      const outcomes = Promise.allSettled(settled);
      for (let i = 0; i < turns; i++) await new Promise(setImmediate);
      for (let i = 0; i < 2; i++) queue.close();
      for (const outcome of await outcomes) {
        if (outcome.status === 'rejected') assert.ok(outcome.reason instanceof ClosedError);
      }
      const options = { timeout: 0 };
      for (const call of [
        () => queue.put(1, options),
        () => queue.get(options),
        () => queue.putMany([1], options),
        () => queue.getMany(1, options),
      ]) {
        await assert.rejects(call(), ClosedError);
      }
      for (const call of [
        () => queue.putSync(1, options),
        () => queue.getSync(options),
        () => queue.tryPut(1),
        () => queue.tryGet(),
        () => queue.putNowait(1),
        () => queue.getNowait(),
        () => queue.putManySync([1], options),
        () => queue.getManySync(1, options),
        () => queue.qsize(),
        () => queue.empty(),
        () => queue.full(),
        () => queue.destroy(),
      ]) {
        assert.throws(call, ClosedError);
      }
    }),
    inProcess,
  );
});

check('lives until the last holder closes', async () => {
  using carrier = new Queue<Queue<number>>();
  const queue = new Queue<number>();
  queue.putSync(1);
  carrier.putSync(queue);
  queue.close();
  const other = carrier.getSync();
  assert.equal(await other.get({ timeout: 1000 }), 1);
  other.putSync(2);
  carrier.putSync(other);
  const third = carrier.getSync();
  other.close();
  assert.equal(third.getSync({ timeout: 1000 }), 2);
  third.close();
});

check('iteration', async () => {
  const queue = new Queue<number>();
  await queue.putMany([1, 2, 3]);
  const seen: number[] = [];
  for await (const item of queue) {
    seen.push(item);
    if (item === 3) queue.close();
  }
  assert.deepEqual(seen, [1, 2, 3]);
});

check('destroy', async () => {
  using carrier = new Queue<Queue<number>>();
  const queue = new Queue<number>();
  carrier.putSync(queue);
  const other = carrier.getSync();
  const pending = assert.rejects(other.get(), ClosedError);
  queue.destroy();
  await pending;
  await assert.rejects(other.put(1), ClosedError);
  const seen: number[] = [];
  for await (const item of other) seen.push(item);
  assert.deepEqual(seen, []);
  other.close();
});

check('a killed process leaves it usable', async () => {
  await using victims = await startActors(1);
  using queue = new Queue<string>({ maxsize: 4 });
  using lock = new Lock();
  const [victim] = victims;
  assert.ok(victim);
  const playing = victim.play({ kind: 'hold', lock, queue });
  playing.catch(() => undefined);
  assert.equal(await queue.get({ timeout: 5000 }), 'held');
  await victim.process.kill();
  await victim.process.join();
  for (let next = queue.tryGet(); next.ok; next = queue.tryGet()) {
    assert.equal(next.value.length, 1 << 20);
  }
  await queue.put('after');
  assert.equal(await queue.get({ timeout: 5000 }), 'after');
  assert.ok(await lock.acquire({ timeout: 5000 }));
  assert.ok(lock.ownerDied);
  lock.release();
  assert.ok(DragonError.is(await playing.catch((error: unknown) => error)));
});

await runChecks();
