/** The checks of `codec.test.ts`: values, errors and handles on their way between processes. */
import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { DecodeError, DragonError, SerializeError } from 'dragon-runtime';
import { Pool as Memory } from 'dragon-runtime/core';
import { Lock, Pool, Process, pipe, Queue } from 'dragon-runtime/multiprocessing';
import fc from 'fast-check';
import { bytes, clonable, errors, graphs } from '../../codec/values.ts';
import { contradictions, type Event } from '../../core/queue-history.ts';
import { check, inProcess, multiProcess, runChecks, sized } from '../../harness/inside.ts';
import {
  companion,
  type Holding,
  type LockStep,
  type Order,
  type QueueStep,
  thrower,
  useLock,
  useQueue,
} from '../../tasks/codec-tasks.ts';

const COMPANIONS = 3;
const KiB = 1024;

async function startCompanion() {
  const [near, far] = pipe<Order, unknown>();
  const process = new Process({ target: companion, args: [far], daemon: true });
  await process.start();
  far.close();
  const ask = async (order: Order): Promise<unknown> => {
    await near.send(order);
    return await near.recv();
  };
  const end = async (): Promise<void> => {
    near.close();
    await process.join();
  };
  return { ask, end };
}

const companions = await Promise.all(Array.from({ length: COMPANIONS }, startCompanion));
const [first] = companions as [Awaited<ReturnType<typeof startCompanion>>];

const anything = fc.oneof(
  { weight: 3, arbitrary: clonable() },
  { weight: 1, arbitrary: graphs() },
  { weight: 1, arbitrary: bytes() },
);

check('values return equal', async () => {
  using queue = new Queue();
  await fc.assert(
    fc.asyncProperty(anything, async (value) => {
      queue.putSync(value);
      assert(isDeepStrictEqual(queue.getSync(), value), 'through a queue');
      const back = await first.ask({ kind: 'return', value });
      assert(isDeepStrictEqual(back, value), 'through another process');
    }),
    inProcess,
  );
});

const throwing = {
  get field(): never {
    throw new Error('mine');
  },
};
const refused: readonly unknown[] = [
  () => 1,
  Symbol('s'),
  throwing,
  new Proxy({}, {}),
  Promise.resolve(1),
  new URL('http://x/'),
  new SharedArrayBuffer(8),
];

check('what can not be sent changes nothing', async () => {
  const command = fc.oneof(
    fc.record({ put: fc.nat(9) }),
    fc.constant('get' as const),
    fc.record({
      bad: fc.constantFrom(...refused),
      form: fc.constantFrom('put', 'putSync', 'tryPut'),
      lends: fc.boolean(),
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 40 }), async (commands) => {
      using queue = new Queue<unknown>({ maxsize: 4 });
      using other = new Queue();
      const model: number[] = [];
      for (const one of commands) {
        if (one === 'get') {
          const next = model.shift();
          assert.deepEqual(queue.tryGet().value, next);
        } else if ('put' in one) {
          assert.equal(queue.tryPut(one.put), model.length < 4);
          if (model.length < 4) model.push(one.put);
        } else {
          const item = { ok: 1, list: [one.lends ? other : 0, { bad: one.bad }] };
          const put = async () => queue[one.form as 'put'](item);
          await assert.rejects(put, (error: unknown) => {
            assert(SerializeError.is(error));
            assert.match(String(error.details?.['path']), /^\$\.list\[1\]\.bad/);
            return true;
          });
        }
        assert.equal(queue.qsize(), model.length);
      }
    }),
    inProcess,
  );
});

const fieldsOf = (error: Error): object => {
  const { name, message } = error;
  return { ...error, name, message, list: (error as AggregateError).errors };
};

/** The causes of an error, without what the way back has added. */
function causesOf(error: Error): unknown[] {
  const causes: unknown[] = [];
  for (let at: unknown = error.cause; at !== undefined && causes.length < 50; ) {
    if (at instanceof Error && at.name === 'RemoteTraceback') break;
    causes.push(at instanceof Error ? fieldsOf(at) : at);
    at = at instanceof Error ? at.cause : undefined;
  }
  return causes;
}

check('errors survive', async () => {
  await using pool = new Pool({ processes: 1 });
  const fate = async (value: unknown): Promise<unknown> => {
    try {
      await pool.apply(thrower, [value]);
    } catch (error) {
      return error;
    }
    throw new Error('nothing was thrown');
  };
  await fc.assert(
    fc.asyncProperty(errors(), async (error) => {
      const back = (await fate(error)) as Error;
      assert.equal(Object.getPrototypeOf(back), Object.getPrototypeOf(error));
      assert(isDeepStrictEqual(fieldsOf(back), fieldsOf(error)));
      assert(isDeepStrictEqual(causesOf(back), causesOf(error)));
    }),
    inProcess,
  );
  const plain = (await fate(new TypeError('here'))) as Error;
  assert.match(String((plain.cause as Error).message), /TypeError: here\n/);
  for (const value of [5, null, undefined, 'text', { a: [1n] }, -0]) {
    assert.deepEqual(await fate(value), value);
  }
});

check('histories', async () => {
  const queueStep = fc.constantFrom<QueueStep>(
    ...(['put', 'putSync', 'tryPut', 'get', 'getSync', 'tryGet'] as const),
  );
  const lockStep = fc.constantFrom<LockStep>('acquire', 'acquireSync', 'tryAcquire');
  const scripts = <T>(step: fc.Arbitrary<T>) =>
    fc.array(fc.array(step, { maxLength: 30 }), { minLength: 2, maxLength: COMPANIONS + 1 });
  const everybody = <T, R>(
    all: readonly T[],
    mine: (own: T) => Promise<R>,
    ask: (its: T, by: number) => Order,
  ) =>
    Promise.all(
      all.map((steps, i) => {
        const other = companions[i - 1];
        return other === undefined ? mine(steps) : (other.ask(ask(steps, i + 1)) as Promise<R>);
      }),
    );
  await fc.assert(
    fc.asyncProperty(scripts(queueStep), fc.constantFrom(1, 2, 7, 100), async (all, maxsize) => {
      using queue = new Queue<number>({ maxsize });
      const events: Event[] = (
        await everybody(
          all,
          (steps) => useQueue(queue, 1, steps),
          (steps, by) => ({ kind: 'use queue', queue, by, steps }),
        )
      ).flat();
      const left = queue.qsize();
      events.push(...(await useQueue(queue, 0, Array<QueueStep>(left).fill('tryGet'))));
      assert.deepEqual(contradictions(events, maxsize), []);
    }),
    multiProcess,
  );
  await fc.assert(
    fc.asyncProperty(scripts(lockStep), async (all) => {
      using lock = new Lock();
      const holdings: Holding[] = (
        await everybody(
          all,
          (steps) => useLock(lock, steps),
          (steps) => ({ kind: 'use lock', lock, steps }),
        )
      ).flat();
      const held = holdings.flatMap((one) => ('held' in one ? [one] : []));
      held.sort((a, b) => a.held[0] - b.held[0]);
      held.forEach((one, i) => {
        const next = held[i + 1];
        assert(next === undefined || next.held[0] >= one.held[1], 'two held it at once');
      });
      for (const one of holdings) {
        if (!('refused' in one)) continue;
        const [from, to] = one.refused;
        const isRight = held.some(({ around }) => around[0] <= to && around[1] >= from);
        assert(isRight, 'it was refused while it was free');
      }
    }),
    multiProcess,
  );
});

/** The bytes of a message with a handle, some of them changed, or its end missing. */
const damage = fc.record({
  flips: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { maxLength: 3 }),
  cut: fc.option(fc.nat(), { nil: undefined, freq: 3 }),
});

check('damaged handles', async () => {
  const [near, far] = pipe();
  using queue = new Queue();
  using lock = new Lock();
  const handles = [{ queue }, [lock], new Map([[near, 1]])];
  const messages = handles.map((value) => {
    near.sendSync(value);
    return Uint8Array.from(far.recvBytesSync());
  });
  fc.assert(
    fc.property(fc.nat(), damage, (which, { flips, cut }) => {
      const message = Uint8Array.from(messages[which % messages.length] as Uint8Array);
      for (const [at, bits] of flips) {
        const place = at % message.length;
        message[place] = (message[place] as number) ^ bits;
      }
      const end = cut === undefined ? message.length : cut % message.length;
      near.sendBytesSync(message.subarray(0, end));
      try {
        const value = far.recvSync();
        // What is not damaged names the same objects, or is something else that is whole.
        for (const one of [(value as { queue?: unknown })?.queue, ...[value].flat()]) {
          if (one instanceof Queue || one instanceof Lock) one.close();
        }
      } catch (error) {
        assert(DragonError.is(error), String(error));
        assert.match(error.code, /^(E[A-Z]+|ERR_[A-Z_]+)$/);
      }
    }),
    { numRuns: sized(1000) },
  );
  near.sendSync('whole');
  assert.equal(far.recvSync(), 'whole');
  queue.putSync(1);
  assert.deepEqual([queue.getSync(), lock.tryAcquire()], [1, true]);
  near.close();
  far.close();
});

check('one bad message harms nobody', async () => {
  const [near, far] = pipe();
  near.sendBytesSync(Uint8Array.of(0x91, 0xff));
  near.sendSync(new Float64Array(100 * KiB).fill(2));
  await assert.rejects(far.recv(), (error) => DecodeError.is(error));
  assert.equal(((await far.recv()) as Float64Array)[5], 2);
  near.close();
  far.close();
});

check('big arrays are not copied', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const memory = Memory.default();
  const usedMiB = () => Math.round(memory.stats().usedBytes / KiB / KiB);
  using queue = new Queue<unknown>();
  // Made and emptied once, so that the queue's own memory is there before.
  queue.putSync(new Float64Array(128 * KiB));
  queue.getSync();
  const settled = async (wanted: number): Promise<number> => {
    for (let i = 0; i < 20 && usedMiB() !== wanted; i++) {
      collect();
      await turn();
    }
    return usedMiB();
  };
  const before = usedMiB();
  const base = await settled(Math.max(0, before - 1));
  const known = new Set(memory.allocations().map(({ id }) => id));
  queue.putSync({ name: 'samples', data: new Float64Array(128 * KiB).fill(1.5) });
  let got = queue.getSync() as { name: string; data: Float64Array } | undefined;
  assert.equal(got?.name, 'samples');
  assert.deepEqual([got?.data.byteOffset, got?.data.buffer.byteLength], [0, KiB * KiB]);
  assert(got?.data.every((sample) => sample === 1.5));
  assert.equal(usedMiB(), base + 1);
  // What is written to the message's memory is seen in the array: it is the same memory.
  const mine = memory
    .allocations()
    .find(({ id, byteLength }) => !known.has(id) && byteLength > KiB * KiB);
  const payload = memory.find(mine?.id ?? 0n);
  const end = (payload?.byteLength ?? 0) - 8;
  payload?.write(new Uint8Array(new Float64Array([7.25]).buffer), end);
  assert.equal(got?.data.at(-1), 7.25);
  collect();
  await turn();
  assert.equal(usedMiB(), base + 1);
  got = undefined;
  assert.equal(await settled(base), base);
  // Without a big array, and of one that is a small part of its message, nothing is kept.
  for (const value of ['x'.repeat(KiB * KiB), [new Uint8Array(16 * KiB), 'x'.repeat(KiB * KiB)]]) {
    queue.putSync(value);
    assert(isDeepStrictEqual(queue.getSync(), value));
    assert.equal(usedMiB(), base);
  }
});

await runChecks();
await Promise.all(companions.map(({ end }) => end()));
