import { describe, expect, it } from 'vitest';
import { Barrier } from './barrier.ts';
import { Broadcast } from './broadcast.ts';
import { Condition } from './condition.ts';
import { Event } from './event.ts';
import { RobustLock } from './lock.ts';
import { useNode } from './node.fixture.ts';
import { Semaphore } from './semaphore.ts';
import type { WaitOptions } from './wait.ts';

const fixture = useNode();

function code(name: string) {
  return expect.objectContaining({ code: name });
}

/** A second attachment, as another process would have it. */
function other<T>(
  kind: { attach(node: typeof fixture.node, handle: Uint8Array): T },
  handle: Uint8Array,
): T {
  return kind.attach(fixture.node, handle);
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('semaphores from TypeScript', () => {
  it('are taken and given in every form [EVT-090]', async () => {
    using semaphore = Semaphore.create(fixture.pool, { initial: 3, bound: 4 });
    using its = other(Semaphore, semaphore.serialize());
    expect(semaphore.tryAcquire()).toBe(true);
    expect(semaphore.acquireSync()).toBe(true);
    expect(await semaphore.acquire({ timeout: 0 })).toBe(true);
    expect(semaphore.tryAcquire()).toBe(false);
    expect(semaphore.acquireSync({ timeout: 3 })).toBe(false);
    expect(await semaphore.acquire({ timeout: 3 })).toBe(false);
    expect(await its.waitZero()).toBe(true);
    const waits = [semaphore.acquire(), its.acquire()];
    its.release(2);
    expect(await Promise.all(waits)).toEqual([true, true]);
    const zero = semaphore.waitZero();
    expect(await zero).toBe(true);
    expect(semaphore.waitZeroSync()).toBe(true);
    semaphore.release();
    expect(its.value).toBe(1);
    expect(its.bound).toBe(4);
    expect(semaphore.waitZeroSync({ timeout: 0 })).toBe(false);
    expect(() => semaphore.release(4)).toThrow(code('ERR_STATE'));
    expect(() => semaphore.release(0)).toThrow(code('ERR_INVALID_ARGUMENT'));
    expect(semaphore.value).toBe(1);
    using unbounded = Semaphore.create(fixture.pool);
    expect(unbounded.bound).toBeUndefined();
    expect(() => Semaphore.create(fixture.pool, { initial: 2, bound: 1 })).toThrow(
      code('ERR_INVALID_ARGUMENT'),
    );
  });
});

describe('several permits from TypeScript', () => {
  it('are taken in one step in every form [EVT-015]', async () => {
    using semaphore = Semaphore.create(fixture.pool, { initial: 2, bound: 5 });
    using its = other(Semaphore, semaphore.serialize());
    expect(semaphore.tryAcquire(3)).toBe(false);
    expect(semaphore.acquireSync({ permits: 3, timeout: 2 })).toBe(false);
    expect(await semaphore.acquire({ permits: 3, timeout: 2 })).toBe(false);
    expect(semaphore.value).toBe(2);
    const waits = [semaphore.acquire({ permits: 3 }), its.acquire({ permits: 2 })];
    expect(its.value).toBe(0);
    its.release(3);
    expect(await Promise.all(waits)).toEqual([true, true]);
    expect(() => semaphore.tryAcquire(6)).toThrow(code('ERR_INVALID_ARGUMENT'));
    await expect(semaphore.acquire({ permits: 0 })).rejects.toEqual(code('ERR_INVALID_ARGUMENT'));
  });
});

describe('events from TypeScript', () => {
  it('are set, cleared and waited for in every form [EVT-090]', async () => {
    using event = Event.create(fixture.pool);
    using its = other(Event, event.serialize());
    expect(event.waitSync({ timeout: 2 })).toBe(false);
    expect(await event.wait({ timeout: 2 })).toBe(false);
    const waits = [event.wait(), its.wait()];
    its.set();
    its.clear();
    expect(await Promise.all(waits)).toEqual([true, true]);
    expect(event.isSet).toBe(false);
    event.set();
    expect(its.isSet).toBe(true);
    expect(its.waitSync()).toBe(true);
    using set = Event.create(fixture.pool, { set: true });
    expect(await set.wait({ timeout: 0 })).toBe(true);
  });
});

describe('barriers from TypeScript', () => {
  it('release their parties in every form [EVT-090]', async () => {
    using barrier = Barrier.create(fixture.pool, 3);
    using its = other(Barrier, barrier.serialize());
    expect(barrier.tryWait()).toBeUndefined();
    expect(() => barrier.waitSync({ timeout: 0 })).toThrow(code('ERR_TIMEOUT'));
    await expect(barrier.wait({ timeout: 0 })).rejects.toEqual(code('ERR_TIMEOUT'));
    for (const last of ['try', 'sync', 'async']) {
      const waits = [barrier.wait(), its.wait()];
      expect(barrier.waiting).toBe(2);
      if (last === 'try') expect(its.tryWait()).toBe(2);
      if (last === 'sync') expect(its.waitSync()).toBe(2);
      if (last === 'async') expect(await its.wait()).toBe(2);
      expect(await Promise.all(waits)).toEqual([0, 1]);
    }
    expect(barrier.parties).toBe(3);
    expect(() => Barrier.create(fixture.pool, 0)).toThrow(code('ERR_INVALID_ARGUMENT'));
  });

  it('break when one times out, aborts or closes, until a reset [EVT-091, EVT-092]', async () => {
    using barrier = Barrier.create(fixture.pool, 3);
    const ways: [string, (its: Barrier) => Promise<unknown>][] = [
      ['ERR_TIMEOUT', (its) => its.wait({ timeout: 3 })],
      [
        'ERR_CLOSED',
        (its) => {
          const waiting = its.wait();
          its.close();
          return waiting;
        },
      ],
      [
        'ERR_BARRIER_BROKEN',
        (its) => {
          const waiting = its.wait();
          its.abort();
          return waiting;
        },
      ],
    ];
    for (const [name, leave] of ways) {
      const waiting = expect(barrier.wait()).rejects.toEqual(code('ERR_BARRIER_BROKEN'));
      await expect(leave(other(Barrier, barrier.serialize()))).rejects.toEqual(code(name));
      await waiting;
      expect(barrier.broken).toBe(true);
      await expect(barrier.wait()).rejects.toEqual(code('ERR_BARRIER_BROKEN'));
      barrier.reset();
      expect(barrier.broken).toBe(false);
    }
    const controller = new AbortController();
    const waits = [
      expect(barrier.wait()).rejects.toEqual(code('ERR_BARRIER_BROKEN')),
      expect(barrier.wait({ signal: controller.signal })).rejects.toThrow('enough'),
    ];
    controller.abort(new Error('enough'));
    await Promise.all(waits);
  });
});

describe('barriers whose last party acts, from TypeScript', () => {
  it('let the others wait until it has acted [EVT-035]', async () => {
    using barrier = Barrier.create(fixture.pool, 2, { lastActs: true });
    using its = other(Barrier, barrier.serialize());
    for (const last of ['try', 'sync', 'async'] as const) {
      let acted = 0;
      const act = () => {
        acted++;
        expect(its.tryWait()).toBeUndefined();
        expect(() => its.waitSync({ timeout: 1 })).toThrow(code('ERR_TIMEOUT'));
      };
      const first = barrier.wait({ act });
      if (last === 'try') expect(its.tryWait({ act })).toBe(1);
      if (last === 'sync') expect(its.waitSync({ act })).toBe(1);
      if (last === 'async') expect(await its.wait({ act: async () => act() })).toBe(1);
      expect(await first).toBe(0);
      expect([acted, barrier.broken]).toEqual([1, false]);
    }
  });

  it('are broken when it fails to [EVT-036]', async () => {
    using barrier = Barrier.create(fixture.pool, 2, { lastActs: true });
    const ways: [(act: () => unknown) => unknown, () => unknown, string][] = [
      [(act) => barrier.wait({ act }), () => Promise.reject(new Error('no')), 'no'],
      [(act) => barrier.waitSync({ act }), () => Promise.resolve(), 'a promise'],
    ];
    for (const [wait, act, why] of ways) {
      const first = expect(barrier.wait()).rejects.toEqual(code('ERR_BARRIER_BROKEN'));
      await expect(async () => await wait(act)).rejects.toThrow(why);
      await first;
      barrier.reset();
    }
  });
});

describe('conditions from TypeScript', () => {
  it('are waited for and notified in every form [EVT-090]', async () => {
    using condition = Condition.create(fixture.pool);
    using its = other(Condition, condition.serialize());
    const lock = RobustLock.create(fixture.pool);
    await expect(condition.wait(lock)).rejects.toEqual(code('ERR_NOT_OWNER'));
    lock.acquireSync();
    expect(condition.waitSync(lock, { timeout: 2 })).toBe(false);
    expect(lock.locked).toBe(true);
    expect(await condition.wait(lock, { timeout: 2 })).toBe(false);
    expect(lock.locked).toBe(true);
    let isReady = false;
    const waiting = condition.waitFor(lock, () => isReady);
    await settled();
    expect(lock.tryAcquire()).toBe(true);
    expect(its.waiting).toBe(1);
    expect(its.notify()).toBe(1);
    lock.release();
    await settled();
    expect(condition.waiting).toBe(1);
    isReady = true;
    expect(its.notifyAll()).toBe(1);
    expect(await waiting).toBe(true);
    expect(its.notifyAll()).toBe(0);
    expect(await condition.waitFor(lock, () => false, { timeout: 5 })).toBe(false);
    expect(lock.locked).toBe(true);
    lock.release();
    lock.close();
  });

  it('pass the notify of an aborted wait on, and end it with the lock held [EVT-091]', async () => {
    using condition = Condition.create(fixture.pool);
    const lock = RobustLock.create(fixture.pool);
    const controller = new AbortController();
    lock.acquireSync();
    const aborted = condition.wait(lock, { signal: controller.signal });
    lock.acquireSync();
    const next = condition.wait(lock);
    expect(condition.waiting).toBe(2);
    expect(condition.notify()).toBe(1);
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    expect(lock.locked).toBe(true);
    lock.release();
    expect(await next).toBe(true);
    lock.close();
  });
});

describe('broadcasts from TypeScript', () => {
  it('give each round to all who wait, in every form [EVT-090]', async () => {
    using broadcast = Broadcast.create(fixture.pool, { payloadBytes: 8, rounds: 2 });
    using its = other(Broadcast, broadcast.serialize());
    expect(() => broadcast.waitSync({ timeout: 2 })).toThrow(code('ERR_TIMEOUT'));
    const waits = [broadcast.wait(), its.wait(), its.wait({ from: 2 })];
    expect(its.tryPublish(Uint8Array.of(1))).toBe(1);
    expect(its.lastWoken).toBe(3);
    expect(broadcast.publishSync(Uint8Array.of(2, 2))).toBe(2);
    expect(await Promise.all(waits)).toEqual([
      { bytes: Uint8Array.of(1), round: 1, missed: 0 },
      { bytes: Uint8Array.of(1), round: 1, missed: 0 },
      { bytes: Uint8Array.of(2, 2), round: 2, missed: 0 },
    ]);
    const seen: number[] = [];
    const reading = (async () => {
      for await (const { bytes, missed } of broadcast.rounds()) {
        seen.push(bytes[0] ?? 0, missed);
        if (seen.length === 6) break;
      }
    })();
    for (let i = 3; i <= 5; i++) {
      await settled();
      expect(await its.publish(Uint8Array.of(i))).toBe(i);
    }
    await reading;
    expect(seen).toEqual([3, 0, 4, 0, 5, 0]);
    for (let i = 6; i <= 20; i++) its.publishSync(Uint8Array.of(i));
    const late = broadcast.tryRead(6);
    expect(late?.bytes[0]).toBe(late?.round);
    expect(late?.missed).toBe((late?.round ?? 0) - 6);
    expect(() => its.publishSync(new Uint8Array(9))).toThrow(code('ERR_TOO_LARGE'));
    expect(broadcast.round).toBe(20);
  });
});

describe('every object', () => {
  const lock = () => {
    const made = RobustLock.create(fixture.pool);
    made.acquireSync();
    return made;
  };
  const kinds = [
    {
      name: 'semaphore',
      make: () => Semaphore.create(fixture.pool, { initial: 0 }),
      attach: (handle: Uint8Array) => other(Semaphore, handle),
      wait: (object: Semaphore, options?: WaitOptions) => object.acquire(options),
    },
    {
      name: 'event',
      make: () => Event.create(fixture.pool),
      attach: (handle: Uint8Array) => other(Event, handle),
      wait: (object: Event, options?: WaitOptions) => object.wait(options),
    },
    {
      name: 'barrier',
      make: () => Barrier.create(fixture.pool, 2),
      attach: (handle: Uint8Array) => other(Barrier, handle),
      wait: (object: Barrier, options?: WaitOptions) => object.wait(options),
    },
    {
      name: 'condition',
      make: () => Condition.create(fixture.pool),
      attach: (handle: Uint8Array) => other(Condition, handle),
      wait: (object: Condition, options?: WaitOptions) => object.wait(lock(), options),
    },
    {
      name: 'broadcast',
      make: () => Broadcast.create(fixture.pool),
      attach: (handle: Uint8Array) => other(Broadcast, handle),
      wait: (object: Broadcast, options?: WaitOptions) => object.wait(options),
    },
  ] as const;

  it.each(kinds)('$name: rejects waits when it is destroyed or closed [EVT-092]', async (kind) => {
    const wait = kind.wait as (object: unknown, options?: WaitOptions) => Promise<unknown>;
    const object = kind.make();
    const its = kind.attach(object.serialize());
    const closing = expect(wait(its)).rejects.toEqual(code('ERR_CLOSED'));
    its.close();
    await closing;
    await expect(wait(its)).rejects.toEqual(code('ERR_CLOSED'));
    if (object instanceof Barrier) object.reset();
    const again = kind.attach(object.serialize());
    const destroyed = expect(wait(again)).rejects.toEqual(code('ERR_OBJECT_DESTROYED'));
    object.destroy();
    await destroyed;
    await expect(wait(object)).rejects.toEqual(code('ERR_OBJECT_DESTROYED'));
    again.close();
    object.close();
    expect(fixture.node.waits.size).toBe(0);
  });

  it.each(kinds)('$name: rejects with the reason of an abort [EVT-091]', async (kind) => {
    const wait = kind.wait as (object: unknown, options?: WaitOptions) => Promise<unknown>;
    using object = kind.make();
    const controller = new AbortController();
    const waiting = expect(wait(object, { signal: controller.signal })).rejects.toThrow('enough');
    await settled();
    controller.abort(new Error('enough'));
    await waiting;
    await expect(wait(object, { signal: controller.signal })).rejects.toThrow('enough');
    await expect(wait(object, { timeout: Number.NaN })).rejects.toThrow(TypeError);
  });

  it.each(kinds)('$name: is lent and adopted once [EVT-001]', (kind) => {
    using object = kind.make();
    const { descriptor, cancel } = object.lend();
    const classes = { semaphore: Semaphore, event: Event, barrier: Barrier, condition: Condition };
    const adopt = { ...classes, broadcast: Broadcast }[kind.name].attach;
    using adopted = adopt(fixture.node, descriptor, { adopt: true });
    expect(adopted.serialize()).toEqual(object.serialize());
    expect(() => adopt(fixture.node, descriptor, { adopt: true })).toThrow(
      code('ERR_OBJECT_DESTROYED'),
    );
    cancel();
    expect(() => RobustLock.attach(fixture.node, object.serialize())).toThrow(
      code('ERR_BAD_HANDLE'),
    );
  });
});
