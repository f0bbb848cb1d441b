/** The ported tests of shared values, arrays, structs and of the memory that they lie in. */
import assert from 'node:assert/strict';
import { Pool as Memory, Node } from 'dragon-runtime/core';
import {
  array,
  Lock,
  Process,
  RawArray,
  RawValue,
  rawArray,
  rawStruct,
  rawValue,
  struct,
  value,
} from 'dragon-runtime/multiprocessing';
import { check, runChecks } from '../../harness/inside.ts';
import {
  type AnyValue,
  collectHandles,
  type Doubled,
  double,
  prefixSums,
  SPAN,
  sumUp,
  write,
} from '../../tasks/value-tasks.ts';

/** Runs a child to its end. */
async function run(target: unknown, args: unknown[], execArgv?: string[]): Promise<void> {
  const child = new Process({ target: target as never, args, ...(execArgv && { execArgv }) });
  await child.start();
  await child.join();
  assert.equal(child.exitCode, 0);
}

/** Code, first value, and what a child writes. */
const WRITTEN = [
  ['i', 4343, 24234],
  ['d', 3.625, -4.25],
  ['h', -232, 234],
  ['q', 2n ** 33n, 2n ** 34n],
  ['c', 120, 121],
] as const;

async function valuesOf(raw: boolean): Promise<void> {
  const values = WRITTEN.map(([code, first]) =>
    raw ? rawValue(code, first as never) : value(code, first as never),
  ) as unknown as AnyValue[];
  for (const [i, [, first]] of WRITTEN.entries()) assert.equal(values[i]?.value, first);
  await run(write, [values, WRITTEN.map(([, , second]) => second)]);
  for (const [i, [, , second]] of WRITTEN.entries()) assert.equal(values[i]?.value, second);
  for (const each of values) each.close();
}

check('_TestValue.test_value', () => valuesOf(false));
check('_TestValue.test_rawvalue', () => valuesOf(true));

check('_TestValue.test_getobj_getlock', () => {
  using first = value('i', 5);
  assert.ok(first.getLock() instanceof Lock);
  assert.equal(first.getObj().value, 5);
  using second = value('i', 5, { lock: true });
  assert.ok(second.getLock() instanceof Lock && second.getObj() instanceof RawValue);
  using lock = new Lock();
  using third = value('i', 5, { lock });
  assert.equal(third.getLock(), lock);
  assert.equal(third.getObj().value, 5);
  using fourth = value('i', 5, { lock: false });
  assert.ok(!('getLock' in fourth) && !('getObj' in fourth));
  assert.throws(() => value('i', 5, { lock: 'navalue' as never }), TypeError);
  using fifth = rawValue('i', 5);
  assert.ok(!('getLock' in fifth) && !('getObj' in fifth));
});

const NUMBERS = [680, 626, 934, 821, 150, 233, 548, 982, 714, 831];

async function arraysOf(raw: boolean): Promise<void> {
  using numbers = raw ? rawArray('i', NUMBERS) : array('i', NUMBERS);
  const own = [...NUMBERS];
  assert.equal(numbers.length, own.length);
  assert.equal(numbers[3], own[3]);
  assert.deepEqual(numbers.slice(2, 7), own.slice(2, 7));
  numbers.set([1, 2, 3, 4], 4);
  own.splice(4, 4, 1, 2, 3, 4);
  assert.deepEqual([...numbers], own);
  using sums = rawArray('i', own);
  prefixSums(sums);
  await run(sumUp, [numbers]);
  assert.deepEqual([...numbers], [...sums]);
}

check('_TestArray.test_array', () => arraysOf(false));
check('_TestArray.test_rawarray', () => arraysOf(true));

check('_TestArray.test_array_from_size', () => {
  const size = 10;
  for (let time = 0; time < 3; time++) {
    using numbers = array('i', size);
    assert.equal(numbers.length, size);
    assert.deepEqual([...numbers], new Array(size).fill(0));
    const counted = Array.from({ length: size }, (_, i) => i);
    numbers.set(counted);
    assert.deepEqual([...numbers], counted);
  }
});

check('_TestArray.test_getobj_getlock_obj', () => {
  const contents = [0, 1, 2];
  using first = array('i', contents);
  assert.ok(first.getLock() instanceof Lock);
  assert.deepEqual([...first.getObj()], contents);
  using lock = new Lock();
  using second = array('i', contents, { lock });
  assert.equal(second.getLock(), lock);
  assert.ok(second.getObj() instanceof RawArray);
  using third = array('i', contents, { lock: false });
  assert.ok(!('getLock' in third) && !('getObj' in third));
  assert.throws(() => array('i', contents, { lock: 'notalock' as never }), TypeError);
  using fourth = rawArray('i', contents);
  assert.ok(!('getLock' in fourth) && !('getObj' in fourth));
});

const HELLO = [...new TextEncoder().encode('hello')];

/** All kinds with a lock, or the numbers without one and the rest with. */
async function doubledBy(lock: boolean): Promise<void> {
  const all: Doubled = lock
    ? {
        int: value('i', 7),
        double: value('d', 1 / 3),
        long: value('q', 2n ** 33n),
        span: struct(SPAN, { first: 3, second: 2.5 }),
        doubles: array('d', [0, 1, 2, 3]),
        text: array('c', 20),
      }
    : {
        int: rawValue('i', 7),
        double: rawValue('d', 1 / 3),
        long: rawValue('q', 2n ** 33n),
        span: rawStruct(SPAN, { first: 3, second: 2.5 }),
        doubles: rawArray('d', [0, 1, 2, 3]),
        text: rawArray('c', 20),
      };
  all.text.set(HELLO);
  await run(double, [all]);
  assert.deepEqual([all.int.value, all.double.value, all.long.value], [14, 2 / 3, 2n ** 34n]);
  assert.deepEqual([all.span.fields.first, all.span.fields.second], [6, 5]);
  assert.deepEqual([...all.doubles], [0, 2, 4, 6]);
  assert.deepEqual(all.text.slice(0, 11), [...HELLO, ...HELLO, 0]);
  for (const each of Object.values(all)) each.close();
}

check('_TestSharedCTypes.test_sharedctypes', () => doubledBy(false));
check('_TestSharedCTypes.test_synchronize', () => doubledBy(true));

check('_TestSharedCTypes.test_copy', () => {
  using span = rawStruct(SPAN, { first: 2, second: 5 });
  using copy = span.clone();
  span.assign({ first: 0, second: 0 });
  assert.deepEqual([copy.fields.first, copy.fields.second], [2, 5]);
});

check('_TestHeap.test_heap', () => {
  const limitBytes = 64 << 20;
  const pool = Memory.create(Node.current(), { limitBytes, initialBytes: 1 << 16 });
  const blocks: { free(): void; byteLength: number }[] = [];
  // Small numbers often, as upstream draws them, from a generator of its own.
  let seed = 12345;
  const random = (): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return seed / 2 ** 32;
  };
  for (let step = 0; step < 5000; step++) {
    const bytes = Math.max(1, Math.floor(Math.exp(random() * 9)));
    blocks.push(pool.allocateSync(bytes));
    if (blocks.length > 300) blocks.splice(Math.floor(random() * blocks.length), 1)[0]?.free();
    if (step % 250 !== 0) continue;
    const { usedBytes, freeBytes, allocations } = pool.stats();
    assert.equal(usedBytes + freeBytes, limitBytes);
    assert.equal(allocations, blocks.length);
    // Finds blocks that overlap, lie apart, or are counted wrongly.
    assert.equal(pool.audit(), '');
  }
  for (const block of blocks) block.free();
  const { usedBytes, allocations } = pool.stats();
  assert.deepEqual([usedBytes, allocations, pool.audit()], [0, 0, '']);
  pool.allocateSync(limitBytes).free();
  pool.destroy();
  pool.close();
});

check('_TestHeap.test_free_from_gc', () => run(collectHandles, [10_000], ['--expose-gc']));

await runChecks();
