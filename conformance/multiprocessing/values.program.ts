/** The checks of `values.test.ts`: shared values, arrays and structs. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClosedError, OwnerDiedError, TimeoutError } from 'dragon-runtime';
import { Pool as Memory } from 'dragon-runtime/core';
import {
  array,
  Lock,
  Pool,
  Process,
  pipe,
  Queue,
  RawArray,
  RawStruct,
  RawValue,
  rawArray,
  rawStruct,
  rawValue,
  ShareableList,
  Array as SharedArray,
  SharedMemory,
  SharedStruct,
  struct,
  type TypeCode,
  Value,
  value,
} from 'dragon-runtime/multiprocessing';
import { check, runChecks } from '../harness/inside.ts';
import { passOn, serveValues, type ValueScript, write } from '../tasks/value-tasks.ts';

const memory = Memory.default();
/** How many shared objects there are, and locks. */
const left = (): number =>
  memory.allocations().filter(({ type }) => type === 'region' || type === 'lock').length;

/** What a process had is given back a moment after its end. */
async function until(isSo: () => boolean): Promise<void> {
  for (let waitedMs = 0; !isSo(); waitedMs++) {
    assert.ok(waitedMs < 5000);
    await sleep(1);
  }
}

const CODES: readonly TypeCode[] = [...'cbBhHiIlLqQfd?'] as TypeCode[];

// First, while no earlier check has anything left that the collector or a recovery gives back.
check('the last one that has it', async () => {
  const before = left();
  const [near, far] = pipe<ValueScript, unknown>();
  const counter = value('i', 3);
  const victim = new Process({ target: serveValues, args: [far] });
  await victim.start();
  far.close();
  await near.send({ kind: 'take and die', value: counter as unknown as Value<TypeCode> });
  counter.close();
  await victim.join();
  near.close();
  await until(() => left() === before);
});

check('elements begin as zero', () => {
  for (const code of CODES) {
    for (const length of [1, 7, 1000]) {
      const dirty = rawArray(code, length);
      new Uint8Array(dirty.subarray().buffer).fill(0xa5);
      dirty.close();
      using fresh = rawArray(code, length);
      const zero = { l: 0n, L: 0n, q: 0n, Q: 0n, '?': false }[code as string] ?? 0;
      assert.ok(fresh.slice().every((element) => element === zero));
    }
  }
  using given = value('h', -7);
  assert.equal(given.value, -7);
});

check('conversions', () => {
  const cases: [TypeCode, unknown, unknown][] = [
    ['b', 300, 44],
    ['B', -1, 255],
    ['h', 40_000, -25_536],
    ['H', 65_537, 1],
    ['i', 2 ** 31, -(2 ** 31)],
    ['I', -1, 2 ** 32 - 1],
    ['q', 2n ** 63n, -(2n ** 63n)],
    ['Q', -1n, 2n ** 64n - 1n],
    ['l', -(2n ** 64n), 0n],
    ['f', 0.1, Math.fround(0.1)],
    ['f', 1e40, Number.POSITIVE_INFINITY],
    ['d', 0.1, 0.1],
    ['?', 2, true],
    ['?', 0, false],
    ['c', 255, 255],
  ];
  for (const [code, given, read] of cases) {
    using element = rawValue(code, given as never);
    assert.equal(element.value, read);
  }
  using quiet = rawValue('d', Number.NaN);
  assert.ok(Number.isNaN(quiet.value));
  const wrong: [TypeCode, unknown][] = [
    ['i', 1.5],
    ['i', Number.NaN],
    ['i', 5n],
    ['i', '5'],
    ['i', true],
    ['q', 5],
    ['d', 5n],
    ['d', '5'],
    ['c', 256],
    ['c', -1],
    ['?', 'true'],
  ];
  for (const [code, given] of wrong) {
    using element = rawValue(code);
    const before = element.value;
    assert.throws(() => {
      element.value = given as never;
    }, TypeError);
    assert.equal(element.value, before);
  }
});

check('what is refused', () => {
  const before = left();
  const refused = [
    () => value('x' as never),
    () => value('toString' as never),
    () => value('i', 1.5),
    () => value('i', 1, { lock: 5 as never }),
    () => array('d', 4, { lock: 'yes' as never }),
    () => array('i', [1, 'two' as never]),
    () => array('i', 1.5),
    () => struct({ x: 'i' }, { x: 1 }, { lock: {} as never }),
    () => struct({}),
    () => struct({ '1': 'i' }),
    () => struct({ x: 'y' as never }),
    () => struct({ x: ['i', 0] }),
    () => struct({ x: null as never }),
  ];
  for (const make of refused) assert.throws(make, TypeError);
  assert.throws(() => array('i', -1), RangeError);
  assert.equal(left(), before);
});

check('passed on', async () => {
  const before = left();
  {
    using number = value('i', 1);
    using raw = rawValue('d', 0.5);
    using list = array('q', [1n, 2n]);
    using cells = rawArray('?', 3);
    using span = struct({ first: 'i', inner: { tag: ['c', 3] } }, { first: 4 });
    using bare = rawStruct({ x: 'f' });
    using out = new Queue<unknown>();
    using back = new Queue<unknown>();
    await using other = new Process({ target: passOn, args: [out, back] });
    await other.start();
    await out.put({ number, raw, list, cells, span, bare });
    type All = {
      number: typeof number;
      raw: typeof raw;
      list: typeof list;
      cells: typeof cells;
      span: typeof span;
      bare: typeof bare;
    };
    const same = (await back.get()) as All;
    same.number.updateSync((was) => was + 1);
    same.raw.value *= 3;
    same.list[1] = -1n;
    same.cells.set([true], 2);
    same.span.fields.inner.tag[2] = 7;
    same.bare.assign({ x: 0.25 });
    assert.equal(number.value, 2);
    assert.equal(raw.value, 1.5);
    assert.deepEqual(list.slice(), [1n, -1n]);
    assert.deepEqual([...cells], [false, false, true]);
    assert.deepEqual([...span.fields.inner.tag], [0, 0, 7]);
    assert.equal(bare.fields.x, 0.25);
    assert.equal(await number.getLock().acquire(), true);
    assert.equal(same.number.getLock().locked, true);
    number.getLock().release();
    await other.join();
    for (const each of Object.values(same)) each.close();
    await using pool = new Pool({ processes: 1 });
    await pool.apply(write, [
      [number, raw],
      [9, 2.5],
    ]);
    assert.deepEqual([number.value, raw.value], [9, 2.5]);
    await pool.close();
    await pool.join();
  }
  await until(() => left() === before);
});

check('update', async () => {
  using counter = value('i', 3);
  const counted = await counter.update(async (was) => {
    await sleep(1);
    assert.ok(counter.getLock().locked);
    return was + 1;
  });
  assert.equal(counted, 4);
  assert.equal(
    counter.updateSync((was) => was + 2 ** 32),
    4,
  );
  assert.deepEqual(
    counter.tryUpdate((was) => was * 2),
    { ok: true, value: 8 },
  );
  await assert.rejects(
    counter.update(() => Promise.reject(new Error('no'))),
    /no/,
  );
  assert.throws(() => counter.updateSync(() => 1.5), TypeError);
  assert.deepEqual([counter.value, counter.getLock().locked], [8, false]);
  counter.getLock().acquireSync();
  let ran = false;
  const change = (): number => {
    ran = true;
    return 0;
  };
  assert.deepEqual(counter.tryUpdate(change), { ok: false });
  await assert.rejects(counter.update(change, { timeout: 5 }), TimeoutError);
  assert.throws(() => counter.updateSync(change, { timeout: 5 }), TimeoutError);
  const aborted = AbortSignal.abort(new Error('stop'));
  await assert.rejects(counter.update(change, { signal: aborted }), /stop/);
  assert.equal(ran, false);
  counter.getLock().release();
  using list = array('i', [1, 2, 3]);
  assert.equal(await list.update((raw) => raw.fill(5).at(-1)), 5);
  assert.equal(
    list.updateSync((raw) => raw.length),
    3,
  );
  assert.deepEqual(
    list.tryUpdate((raw) => raw.slice(2)),
    { ok: true, value: [5] },
  );
  using span = struct({ low: 'i', high: 'i' });
  await span.update((fields) => {
    fields.low = 1;
    fields.high = 2;
  });
  assert.equal(
    span.updateSync(({ low, high }) => low + high),
    3,
  );
  assert.deepEqual(
    span.tryUpdate((fields) => fields.high),
    { ok: true, value: 2 },
  );
});

check('a holder that died', async () => {
  const [near, far] = pipe<ValueScript, unknown>();
  using counter = value('i', 3);
  const victim = new Process({ target: serveValues, args: [far] });
  await victim.start();
  far.close();
  await near.send({ kind: 'take and die', value: counter as unknown as Value<TypeCode> });
  await victim.join();
  near.close();
  const add = (was: number): number => was + 1;
  await assert.rejects(counter.update(add, { timeout: 5000 }), OwnerDiedError);
  assert.deepEqual([counter.value, counter.getLock().locked], [3, false]);
  assert.equal(await counter.update(add), 4);
  assert.equal(counter.updateSync(add), 5);
});

check('lock and object', () => {
  using lock = new Lock();
  using given = value('i', 5, { lock });
  assert.equal(given.getLock(), lock);
  assert.ok(given.getObj() instanceof RawValue);
  assert.equal(given.getObj().value, 5);
  assert.ok(value('i', 5, { lock: false }) instanceof RawValue);
  assert.ok(array('i', 5, { lock: false }) instanceof RawArray);
  assert.ok(struct({ x: 'i' }, {}, { lock: false }) instanceof RawStruct);
  using own = array('i', [5], { lock: true });
  assert.ok(own.getLock() instanceof Lock);
  assert.equal(own.getObj()[0], 5);
});

check('arrays', () => {
  using list = array('i', new Set([3, 1, 2]));
  assert.deepEqual([list.length, list[0], list.at(-1), [...list]], [3, 3, 2, [3, 1, 2]]);
  list[1] = -8;
  list.set([7], 2);
  assert.deepEqual(list.slice(), [3, -8, 7]);
  assert.deepEqual([list.slice(-2), list.slice(0, 1), list.slice(2, 1)], [[-8, 7], [3], []]);
  const view = list.subarray(1);
  assert.ok(view instanceof Int32Array);
  view[0] = 11;
  assert.equal(Atomics.add(list.subarray(), 1, 1), 11);
  assert.equal(list[1], 12);
  assert.deepEqual(list.fill(4, 1).slice(), [3, 4, 4]);
  using none = array('d', 0);
  assert.deepEqual([none.length, [...none], none.slice()], [0, [], []]);
  for (const wrong of [3, -1, 1e9, 0.5]) {
    assert.throws(() => list[wrong], RangeError);
    assert.throws(() => {
      list[wrong] = 1;
    }, RangeError);
  }
  assert.throws(() => list.at(-4), RangeError);
  assert.throws(() => list.set([1, 2], 2), RangeError);
  assert.throws(() => list.set([1], -1), RangeError);
  assert.throws(() => list.fill(1, 0, 4), RangeError);
  assert.throws(() => list.set([1, 1.5]), TypeError);
  assert.throws(() => list.set(['1' as never]), TypeError);
  assert.deepEqual(list.slice(), [3, 4, 4]);
  // Other properties are none of its business.
  assert.equal((list as unknown as { nothing?: unknown }).nothing, undefined);
  Object.assign(list, { note: 'mine' });
  assert.equal((list as unknown as { note?: unknown }).note, 'mine');
});

check('structs', () => {
  const schema = {
    flag: '?',
    big: 'q',
    tag: ['c', 3],
    half: 'h',
    inner: { x: 'f', y: 'd' },
    last: 'b',
  } as const;
  using span = struct(schema, { big: 5n, tag: [1, 2], inner: { y: 2.5 } });
  const places = span.layout.fields.map(({ name, offset }) => [name, offset]);
  assert.deepEqual(places, [
    ['flag', 0],
    ['big', 8],
    ['tag', 16],
    ['half', 20],
    ['inner', 24],
    ['last', 40],
  ]);
  assert.deepEqual([span.layout.bytes, span.layout.alignment], [48, 8]);
  const { fields } = span;
  assert.deepEqual([fields.flag, fields.big, [...fields.tag]], [false, 5n, [1, 2, 0]]);
  assert.deepEqual([fields.inner.x, fields.inner.y], [0, 2.5]);
  fields.half = 70_000;
  assert.equal(fields.half, 4464);
  assert.throws(() => span.assign({ last: 5, big: 6 as never }), TypeError);
  assert.throws(() => span.assign({ last: 5, tag: [1, 2, 3, 4] }), RangeError);
  assert.throws(() => span.assign({ last: 5, nothing: 1 } as never), TypeError);
  assert.throws(() => span.assign({ last: 5, inner: { z: 1 } as never }), TypeError);
  assert.equal(fields.last, 0);
  using copy = span.clone();
  copy.fields.inner.y = 1;
  copy.fields.tag[0] = 9;
  assert.deepEqual([fields.inner.y, fields.tag[0], copy.fields.big], [2.5, 1, 5n]);
  assert.notEqual(copy.getLock(), span.getLock());
});

check('close', async () => {
  using lock = new Lock();
  const counter = value('i', 1);
  const guarded = value('i', 1, { lock });
  const list = array('i', [1]);
  const span = struct({ x: 'i', tag: ['c', 2] });
  const view = list.subarray();
  const { fields } = span;
  for (const each of [counter, guarded, list, span]) {
    each.close();
    each.close();
    assert.equal(each.closed, true);
  }
  assert.equal(view.length, 0);
  assert.equal(lock.closed, false);
  const uses = [
    () => counter.value,
    () => {
      counter.value = 1;
    },
    () => counter.updateSync(() => 1),
    () => guarded.tryUpdate(() => 1),
    () => counter.getLock().locked,
    () => list[0],
    () => list.slice(),
    () => list.set([]),
    () => list.subarray(),
    () => list.updateSync(() => 1),
    () => fields.x,
    () => fields.tag,
    () => span.assign({}),
    () => span.clone(),
    () => span.updateSync(() => 1),
  ];
  for (const use of uses) assert.throws(use, ClosedError);
  await assert.rejects(
    counter.update(() => 1),
    ClosedError,
  );
  using queue = new Queue<unknown>();
  await assert.rejects(queue.put(counter), /was closed/);
});

check('made with new', () => {
  const classes: readonly (readonly [string, new (...args: never[]) => unknown])[] = [
    ["rawValue('i', 0)", RawValue],
    ["value('i', 0)", Value],
    ["array('d', 3)", RawArray],
    ["array('d', 3)", SharedArray],
    ["struct({ x: 'd' })", RawStruct],
    ["struct({ x: 'd' })", SharedStruct],
    ['ShareableList.from([1, 2])', ShareableList],
    ['SharedMemory.create({ size })', SharedMemory],
  ];
  const before = left();
  for (const [call, Class] of classes) {
    const message = `this is not made with new; call ${call}`;
    for (const args of [[], ['i', 0], [[1, 2]], [{ size: 100 }]]) {
      assert.throws(() => Reflect.construct(Class, args), { name: 'TypeError', message });
    }
  }
  assert.equal(left(), before);
});

await runChecks();
