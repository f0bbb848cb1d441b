/** The checks of `meeting.test.ts`: several processes at one object, alive, killed and stopped. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { currentNode } from 'dragon-runtime';
import {
  Barrier,
  Broadcast,
  Channel,
  Condition,
  Pool,
  RobustLock,
  Semaphore,
} from 'dragon-runtime/core';
import fc from 'fast-check';
import { check, inProcess, multiProcess, runChecks } from '../harness/inside.ts';
import {
  type Happened,
  type Party,
  type Passed,
  type SemaphoreStep,
  startParties,
} from '../tasks/parties.ts';
import { type Call, isLinearizable } from './linear.ts';

const pool = Pool.create(currentNode(), { limitBytes: 16 << 20 });

async function eventually(holds: () => boolean): Promise<void> {
  const endMs = performance.now() + 5000;
  while (!holds()) {
    assert.ok(performance.now() < endMs, 'it did not come to be within 5 s');
    await sleep(2);
  }
}

async function kill(party: Party | undefined): Promise<void> {
  await party?.process.kill();
  await party?.process.join();
}

const semaphoreStep = fc.oneof(
  fc.record({
    kind: fc.constant<'acquire'>('acquire'),
    flavour: fc.constantFrom<'async' | 'sync' | 'try'>('async', 'sync', 'try'),
    timeoutMs: fc.nat({ max: 4 }),
  }),
  fc.record({ kind: fc.constant<'release'>('release'), permits: fc.integer({ min: 1, max: 3 }) }),
);

check('semaphore histories', async () => {
  await using parties = await startParties(3);
  const scripts = fc.array(fc.array(semaphoreStep, { minLength: 1, maxLength: 6 }), {
    minLength: 2,
    maxLength: 3,
  });
  const bounds = fc.record({
    initial: fc.nat({ max: 3 }),
    bound: fc.option(fc.integer({ min: 3, max: 5 }), { nil: undefined }),
  });
  await fc.assert(
    fc.asyncProperty(scripts, bounds, async (all, { initial, bound }) => {
      using semaphore = Semaphore.create(pool, {
        initial,
        ...(bound === undefined ? {} : { bound }),
      });
      const handle = semaphore.serialize();
      const histories = await Promise.all(
        all.map((steps, i) =>
          (parties[i] as Party).play<Happened<SemaphoreStep>[]>({
            kind: 'semaphore',
            handle,
            steps,
          }),
        ),
      );
      const most = bound ?? Number.MAX_SAFE_INTEGER;
      const apply = (
        value: number,
        call: Call<SemaphoreStep>,
        others: readonly Call<SemaphoreStep>[],
      ) => {
        const { done } = call as Happened<SemaphoreStep>;
        const { step } = call;
        if (step.kind === 'release') {
          if (done) return value + step.permits <= most ? value + step.permits : undefined;
          return value + step.permits > most ? value : undefined;
        }
        if (done) return value > 0 ? value - 1 : undefined;
        // The last permit may be kept for another that has waited.
        const isContended = others.some(
          (other) =>
            other !== call &&
            other.step.kind === 'acquire' &&
            other.startNs < call.endNs &&
            call.startNs < other.endNs,
        );
        return value === 0 || (value === 1 && isContended) ? value : undefined;
      };
      assert.ok(isLinearizable(histories, initial, apply), JSON.stringify(histories));
      const sum = histories.flat().reduce((value, { step, done }) => {
        if (!done) return value;
        return step.kind === 'release' ? value + step.permits : value - 1;
      }, initial);
      assert.equal(semaphore.value, sum);
    }),
    { numRuns: multiProcess.numRuns * 3 },
  );
});

check('barrier rounds', async () => {
  await using parties = await startParties(4);
  const part = fc.record({
    flavour: fc.constantFrom<'async' | 'sync'>('async', 'sync'),
    delayMs: fc.constantFrom(0, 0, 1),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(part, { minLength: 2, maxLength: 4 }),
      fc.integer({ min: 1, max: 20 }),
      async (parts, rounds) => {
        using barrier = Barrier.create(pool, parts.length);
        const handle = barrier.serialize();
        const all = await Promise.all(
          parts.map((one, i) =>
            (parties[i] as Party).play<Passed[]>({ kind: 'barrier', handle, rounds, ...one }),
          ),
        );
        for (let round = 0; round < rounds; round++) {
          const passed = all.map((one) => one[round] as Passed);
          assert.deepEqual(
            passed.map(({ index }) => index).sort(),
            parts.map((_, i) => i),
          );
          // Nobody has left before all had come.
          assert.ok(
            Math.max(...passed.map(({ startNs }) => startNs)) <=
              Math.min(...passed.map(({ endNs }) => endNs)),
          );
        }
      },
    ),
    multiProcess,
  );
});

/** The code of an error of the runtime, the name of any other. */
function nameOf(error: { code?: unknown; name: string }): string {
  return typeof error.code === 'string' ? error.code : error.name;
}

check('barrier automaton', async () => {
  const step = fc.constantFrom('wait', 'wait', 'wait', 'try', 'leave', 'abort', 'reset');
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(step, { maxLength: 40 }),
      async (parties, steps) => {
        using barrier = Barrier.create(pool, parties);
        using other = Barrier.attach(currentNode(), barrier.serialize());
        const outcomes: Promise<[string, string]>[] = [];
        let waiting: { expected: string; leave: AbortController }[] = [];
        let broken = false;
        const settle = (outcome: (index: number) => string): void => {
          for (const [index, one] of waiting.entries()) one.expected = outcome(index);
          waiting = [];
        };
        const breakAll = (): void => {
          settle(() => 'ERR_BARRIER_BROKEN');
          broken = true;
        };
        for (const [at, kind] of steps.entries()) {
          const object = at % 2 === 0 ? barrier : other;
          if (kind === 'wait') {
            const one = { expected: 'pending', leave: new AbortController() };
            const { signal } = one.leave;
            const came = object.wait({ signal }).then(String, nameOf);
            outcomes.push(came.then((told) => [told, one.expected]));
            if (broken) one.expected = 'ERR_BARRIER_BROKEN';
            else waiting.push(one);
            if (waiting.length === parties) settle(String);
          } else if (kind === 'try') {
            const isLast: boolean = !broken && waiting.length === parties - 1;
            if (broken) assert.throws(() => object.tryWait(), { code: 'ERR_BARRIER_BROKEN' });
            else assert.equal(object.tryWait(), isLast ? parties - 1 : undefined);
            if (isLast) settle(String);
          } else if (kind === 'leave') {
            const leaver = waiting[0];
            if (leaver === undefined) continue;
            breakAll();
            leaver.expected = 'AbortError';
            leaver.leave.abort();
          } else if (kind === 'abort') {
            object.abort();
            breakAll();
          } else {
            object.reset();
            if (waiting.length > 0) breakAll();
            broken = false;
          }
          // A promise gives up in a later turn.
          await Promise.resolve();
          await sleep(0);
          assert.equal(object.broken, broken);
          assert.equal(object.waiting, waiting.length);
        }
        settle(() => 'ERR_OBJECT_DESTROYED');
        barrier.destroy();
        for (const [told, expected] of await Promise.all(outcomes)) assert.equal(told, expected);
      },
    ),
    { numRuns: Math.ceil(inProcess.numRuns / 2) },
  );
});

check('channel set deliveries', async () => {
  await using parties = await startParties(4);
  const shape = fc.record({
    channels: fc.integer({ min: 1, max: 5 }),
    capacity: fc.integer({ min: 1, max: 4 }),
    count: fc.integer({ min: 0, max: 60 }),
    flavours: fc.tuple(
      fc.constantFrom<'async' | 'sync'>('async', 'sync'),
      fc.constantFrom<'async' | 'sync'>('async', 'sync'),
    ),
  });
  await fc.assert(
    fc.asyncProperty(shape, async ({ channels, capacity, count, flavours }) => {
      const all = Array.from({ length: channels }, () => Channel.create(pool, { capacity }));
      const stop = Channel.create(pool);
      const handles = all.map((channel) => channel.serialize());
      const watching = flavours.map((flavour, i) =>
        (parties[i] as Party).play<[number, number][]>({
          kind: 'watch',
          channels: handles,
          stop: stop.serialize(),
          flavour,
        }),
      );
      await Promise.all(
        [2, 3].map((i) =>
          (parties[i] as Party).play({ kind: 'produce', channels: handles, producer: i, count }),
        ),
      );
      stop.openSender().sendSync(Uint8Array.of(1));
      const taken = await Promise.all(watching);
      // Each message once, and those of one producer and channel in their order at each watcher.
      const numbers = Array.from({ length: count }, (_, number) => number);
      for (const producer of [2, 3]) {
        const own = taken.map((seen) => seen.filter(([from]) => from === producer));
        const told = own.flat().map(([, number]) => number);
        assert.deepEqual(
          told.sort((a, b) => a - b),
          numbers,
        );
      }
      for (const seen of taken) {
        for (const [at, [producer, number]] of seen.entries()) {
          const later = seen.slice(at + 1);
          const isOrdered = later.every(
            ([from, next]) =>
              from !== producer || next % channels !== number % channels || next > number,
          );
          assert.ok(isOrdered);
        }
      }
      for (const channel of [...all, stop]) channel.close();
    }),
    multiProcess,
  );
});

check('a waiter is killed', async () => {
  await using parties = await startParties(3);
  using semaphore = Semaphore.create(pool, { initial: 0 });
  const handle = semaphore.serialize();
  const steps: SemaphoreStep[] = [{ kind: 'acquire', flavour: 'sync', timeoutMs: 8000 }];
  const plays = parties.map((party) =>
    party.play<Happened<SemaphoreStep>[]>({ kind: 'semaphore', handle, steps }).catch(() => []),
  );
  const waits = () =>
    currentNode()
      .waiting()
      .filter(({ blocked }) => blocked).length;
  await eventually(() => waits() >= 3);
  // By itself, since the services answer before the signal is sent: until then it may take one.
  process.kill(parties[0]?.process.pid ?? 0, 'SIGKILL');
  semaphore.release(2);
  const [, ...others] = await Promise.all([parties[0]?.process.join(), ...plays.slice(1)]);
  assert.ok(others.every((history) => (history as Happened<SemaphoreStep>[])[0]?.done));
  assert.equal(semaphore.value, 0);
});

check('a party is killed', async () => {
  await using parties = await startParties(3);
  using barrier = Barrier.create(pool, 4);
  const handle = barrier.serialize();
  const script = { kind: 'barrier', handle, rounds: 1, delayMs: 0 } as const;
  const own = assert.rejects(barrier.wait(), { code: 'ERR_BARRIER_BROKEN' });
  const plays = [
    parties[0]?.play({ ...script, flavour: 'sync' }).catch(() => undefined),
    parties[1]?.play({ ...script, flavour: 'sync' }),
  ];
  await eventually(() => barrier.waiting === 3);
  await kill(parties[0]);
  assert.equal(await plays[1], 'ERR_BARRIER_BROKEN');
  await own;
  // The third comes when it is broken; after a reset the barrier is as new.
  const late = await parties[2]?.play({ ...script, flavour: 'async' });
  assert.equal(late, 'ERR_BARRIER_BROKEN');
  barrier.reset();
  const again = [barrier.wait(), barrier.wait()];
  const theirs = parties.slice(1).map((one) => one.play<Passed[]>({ ...script, flavour: 'sync' }));
  const indexes = [
    ...(await Promise.all(again)),
    ...(await Promise.all(theirs)).map(([one]) => one?.index),
  ];
  assert.deepEqual(indexes.sort(), [0, 1, 2, 3]);
});

check('a notified waiter is killed', async () => {
  for (let i = 0; i < multiProcess.numRuns / 2; i++) {
    await using parties = await startParties(2);
    using condition = Condition.create(pool);
    const lock = RobustLock.create(pool);
    const handles = { handle: condition.serialize(), lock: lock.serialize() };
    parties[0]?.play({ kind: 'condition', ...handles, flavour: 'sync' }).catch(() => undefined);
    await eventually(() => condition.waiting === 1);
    const next = parties[1]?.play({
      kind: 'condition',
      ...handles,
      flavour: i % 2 ? 'sync' : 'async',
    });
    await eventually(() => condition.waiting === 2);
    // Stopped, the first in the queue has its notify and does not use it.
    process.kill(parties[0]?.process.pid ?? 0, 'SIGSTOP');
    await lock.acquire();
    assert.equal(condition.notify(), 1);
    lock.release();
    await sleep(i);
    process.kill(parties[0]?.process.pid ?? 0, 'SIGKILL');
    assert.equal(await next, true);
    lock.close();
  }
});

check('writers are killed and readers stopped', async () => {
  await using parties = await startParties(4);
  using broadcast = Broadcast.create(pool, { payloadBytes: 100 });
  const handle = broadcast.serialize();
  const [stopped, reader, first, second] = parties;
  stopped?.play({ kind: 'read', handle, count: 1_000_000 }).catch(() => undefined);
  first?.play({ kind: 'write for ever', handle }).catch(() => undefined);
  second?.play({ kind: 'write for ever', handle }).catch(() => undefined);
  await eventually(() => broadcast.round > 50);
  process.kill(stopped?.process.pid ?? 0, 'SIGSTOP');
  assert.equal(await reader?.play({ kind: 'read', handle, count: 100 }), true);
  await kill(first);
  const before = broadcast.round;
  assert.equal(await reader?.play({ kind: 'read', handle, count: 100 }), true);
  assert.ok(broadcast.round > before);
  await kill(second);
  const own = broadcast.wait();
  broadcast.publishSync(new Uint8Array(100));
  assert.equal((await own).missed, 0);
  process.kill(stopped?.process.pid ?? 0, 'SIGKILL');
});

check('a watcher is killed', async () => {
  await using parties = await startParties(3);
  const channels = [1, 2].map(() => Channel.create(pool, { capacity: 4 }));
  const stop = Channel.create(pool);
  const handles = channels.map((channel) => channel.serialize());
  const script = { kind: 'watch', channels: handles, stop: stop.serialize() } as const;
  parties[0]?.play({ ...script, flavour: 'sync' }).catch(() => undefined);
  const rest = parties[1]?.play<[number, number][]>({ ...script, flavour: 'async' });
  const production = { kind: 'produce', channels: handles, count: 150 } as const;
  const producing = parties[2]?.play({ ...production, producer: 1 });
  await sleep(20);
  await kill(parties[0]);
  await producing;
  await parties[2]?.play({ ...production, producer: 2 });
  stop.openSender().sendSync(Uint8Array.of(1));
  const taken = (await rest) ?? [];
  // What the dead had taken is gone with it; nothing came twice.
  assert.equal(new Set(taken.map(String)).size, taken.length);
  assert.equal(taken.filter(([producer]) => producer === 2).length, 150);
  assert.ok(channels.every((channel) => channel.messageCount === 0));
});

check('current node', () => {
  const node = currentNode();
  assert.equal(currentNode(), node);
  const own = node.actors().filter(({ actorId }) => actorId === node.actorId);
  assert.deepEqual(
    own.map(({ pid, state }) => [pid, state]),
    [[process.pid, 'live']],
  );
});

await runChecks();
pool.close();
