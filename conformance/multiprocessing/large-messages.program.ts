/** The checks of `large-messages.test.ts`: memory of large arrays, how many are on their way. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool as Memory } from 'dragon-runtime/core';
import { borrow, Pool, Process, pipe, Queue, release } from 'dragon-runtime/multiprocessing';
import fc from 'fast-check';
import { check, inProcess, runChecks } from '../harness/inside.ts';
import { filled, keepArray, lentAndLast, putArrays } from '../tasks/array-tasks.ts';

const KiB = 1024;
const MiB = KiB * KiB;
const memory = Memory.default();
const used = (): number => memory.stats().usedBytes;

type Transferable = ArrayBuffer & { transfer?: () => ArrayBuffer };

/** Lengths of arrays; those from 16 KiB on may stay where the message lies. */
const lengths = fc.array(fc.constantFrom(0, 8, 16 * KiB - 8, 16 * KiB, 100_000, MiB), {
  minLength: 1,
  maxLength: 4,
});

check('at once, with every view', () => {
  using queue = new Queue<unknown>();
  const [reader, writer] = pipe<unknown>({ duplex: false });
  queue.putSync(new Uint8Array(MiB));
  release(queue.getSync());
  writer.sendBytesSync(new Uint8Array(MiB));
  release(reader.recvBytesSync());
  const before = used();

  queue.putSync(new Float64Array(MiB / 8).fill(0.5));
  const array = queue.getSync() as Float64Array;
  const views = [array.subarray(5), new Uint8Array(array.buffer, 8), Buffer.from(array.buffer)];
  assert.equal(array.at(-1), 0.5);
  assert(used() - before >= MiB);
  release(views[0]);
  assert.deepEqual(
    [array, ...views].map((view) => view.byteLength),
    [0, 0, 0, 0],
  );
  assert.equal(used(), before);

  writer.sendBytesSync(new Uint8Array(MiB).fill(3));
  const bytes = reader.recvBytesSync();
  assert.equal(bytes.at(-1), 3);
  release(bytes);
  assert.deepEqual([bytes.length, used()], [0, before]);
  for (const end of [reader, writer]) end.close();
});

check('those inside a value', () => {
  using queue = new Queue<unknown>();
  const before = used();
  const value = {
    list: [new Uint8Array(20_000).fill(1)],
    map: new Map([[new Uint8Array(20_000).fill(2), new Set([new Float32Array(9000).fill(3)])]]),
    buffer: new Uint8Array(30_000).fill(4).buffer,
    again: undefined as unknown,
  };
  value.again = value;
  queue.putSync(value);
  const got = queue.getSync() as typeof value;
  const [[key, set]] = got.map as unknown as [[Uint8Array, Set<Float32Array>]];
  const [floats] = set as unknown as [Float32Array];
  const arrays = [got.list[0] as Uint8Array, key, floats];
  assert.deepEqual(
    arrays.map((array) => array.at(-1)),
    [1, 2, 3],
  );
  release(got);
  assert.deepEqual(
    arrays.map((array) => array.length),
    [0, 0, 0],
  );
  assert.equal(got.buffer.byteLength, 0);
  assert.equal(used(), before);
});

check('one array of several', () => {
  using queue = new Queue<Uint8Array[]>();
  fc.assert(
    fc.property(lengths, fc.infiniteStream(fc.nat()), (sizes, order) => {
      const before = used();
      queue.putSync(sizes.map((size, i) => new Uint8Array(size).fill(i + 1)));
      const arrays = queue.getSync();
      const isKept = used() > before;
      const left = new Set(arrays.keys());
      while (left.size > 0) {
        const one = [...left][order.next().value % left.size] as number;
        release(arrays[one]);
        release(arrays[one]);
        left.delete(one);
        for (const other of left) {
          assert(
            arrays[other]?.every((byte) => byte === other + 1),
            'another one was touched',
          );
          assert.equal(arrays[other]?.length, sizes[other]);
        }
        const isLent = isKept && (sizes[one] as number) >= 16 * KiB;
        assert.equal(arrays[one]?.length, isLent ? 0 : sizes[one]);
        const waits = [...left].some((other) => (sizes[other] as number) >= 16 * KiB);
        assert.equal(used() > before, isKept && waits);
      }
    }),
    inProcess,
  );
});

check('what was never lent', () => {
  const own = [new Uint8Array(MiB), new Uint8Array(20), Buffer.alloc(100)];
  const shared = new Uint8Array(new SharedArrayBuffer(MiB));
  for (const value of [...own, own, shared, { shared }, 1, 'x', null, undefined, () => own]) {
    release(value);
  }
  assert.deepEqual(
    [...own, shared].map(({ length }) => length),
    [MiB, 20, 100, MiB],
  );
  using block = memory.allocateSync(MiB);
  const { bytes } = block;
  bytes.fill(5);
  release(bytes);
  assert.equal(block.bytes[MiB - 1], 5, 'the allocation holds its memory');
});

check('bytes that were moved', () => {
  using queue = new Queue<Uint8Array[]>();
  queue.putSync([new Uint8Array(20_000).fill(1), new Uint8Array(20_000).fill(2)]);
  const [first, second] = queue.getSync() as [Uint8Array, Uint8Array];
  const moved = (first.buffer as Transferable).transfer?.();
  if (moved !== undefined) {
    const refused = { code: 'ERR_STATE' };
    assert.throws(() => release([moved, second]), refused);
    assert.equal(second.length, 0, 'the others are released all the same');
    assert.throws(() => release(first), refused);
    assert(new Uint8Array(moved).every((byte) => byte === 1));
  }
});

check('at the end of a block', () => {
  using queue = new Queue<Uint8Array>();
  const before = used();
  queue.putSync(new Uint8Array(MiB).fill(6));
  let seen: Uint8Array;
  {
    using block = borrow(queue.getSync());
    seen = block.value;
    assert.equal(seen.at(-1), 6);
  }
  assert.deepEqual([seen.length, used()], [0, before]);
});

check('a stream in a blocking loop', async () => {
  using queue = new Queue<Uint8Array>({ maxsize: 4 });
  const count = 300;
  const putter = new Process({ target: putArrays, args: [queue, count, MiB] });
  await putter.start();
  const before = used();
  let most = 0;
  for (let i = 0; i < count; i++) {
    const array = queue.getSync();
    assert.equal(array[0], i & 0xff);
    most = Math.max(most, used() - before);
    release(array);
    assert.equal(array.length, 0, 'every one of them lay in the pool');
  }
  // Four wait, one is being written, one is read.
  assert(most <= 7 * MiB, `${most / MiB} MiB of a pool were used`);
  await putter.join();
});

check('a killed receiver', async () => {
  using queue = new Queue<Uint8Array>();
  using taken = new Queue<number>();
  const before = used();
  const keeper = new Process({ target: keepArray, args: [queue, taken] });
  await keeper.start();
  await queue.put(new Uint8Array(MiB));
  assert.equal(await taken.get(), MiB);
  assert(used() - before >= MiB);
  await keeper.kill();
  await keeper.join();
  for (let i = 0; i < 300 && used() - before >= MiB; i++) await sleep(10);
  assert(used() - before < MiB, 'what it had was not given back');
});

check('chunks and results of pools', async () => {
  await using pool = new Pool({ processes: 1 });
  const arrays = [1, 2, 3].map((fill) => new Float64Array(MiB / 8).fill(fill));
  assert.deepEqual(await pool.map(lentAndLast, arrays), [
    [true, 1],
    [true, 2],
    [true, 3],
  ]);
  assert.deepEqual(await pool.apply(lentAndLast, [new Float64Array(10)]), [false, 0]);
  const results = await pool.map(filled, [20_000, 10, 30_000]);
  assert.deepEqual(
    results.map((result) => result.at(-1)),
    [20_000, 10, 30_000],
  );
  release(results);
  assert.deepEqual(
    results.map(({ length }) => length),
    [0, 10, 0],
  );
});

check('capacity of pipes', () => {
  for (const [capacity, room] of [
    [undefined, 128],
    [1, 1],
    [3, 3],
  ] as const) {
    const [near, far] = pipe<number>(capacity === undefined ? {} : { capacity });
    for (const end of [near, far]) {
      let sent = 0;
      while (end.trySend(sent)) sent++;
      assert.equal(sent, room);
    }
    near.close();
    far.close();
  }
  for (const capacity of [0, -1, 1.5, Number.NaN, 2 ** 20 + 1]) {
    assert.throws(() => pipe({ capacity }), { code: 'ERR_INVALID_ARGUMENT' }, String(capacity));
  }
});

await runChecks();
