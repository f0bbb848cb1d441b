import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { Channel } from './channel.ts';
import { RobustLock } from './lock.ts';
import { useNode } from './node.fixture.ts';

const fixture = useNode();
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function openChannel(capacity = 4) {
  const channel = Channel.create(fixture.pool, { capacity });
  const sender = channel.openSender();
  const receiver = channel.openReceiver();
  const close = (): void => channel.close();
  return { channel, sender, receiver, close };
}

describe('time-outs', () => {
  it('0 and less try once, NaN is refused before anything happens [WAI-001]', async () => {
    const { sender, receiver, close } = openChannel();
    await expect(receiver.receive({ timeout: 0 })).rejects.toMatchObject({ code: 'ERR_TIMEOUT' });
    await expect(receiver.receive({ timeout: -5 })).rejects.toMatchObject({ code: 'ERR_TIMEOUT' });
    await expect(sender.send(bytes('x'), { timeout: Number.NaN })).rejects.toThrow(TypeError);
    expect(() => sender.sendSync(bytes('x'), { timeout: Number.NaN })).toThrow(TypeError);
    expect(receiver.tryReceive()).toBeUndefined();
    close();
  });

  it('end no earlier than the time asked for, async and sync [WAI-002]', async () => {
    const { receiver, close } = openChannel();
    for (const timeout of [1, 15, 40]) {
      const begin = performance.now();
      await expect(receiver.receive({ timeout })).rejects.toMatchObject({ code: 'ERR_TIMEOUT' });
      expect(performance.now() - begin).toBeGreaterThanOrEqual(timeout - 1);
      const beginSync = performance.now();
      expect(() => receiver.receiveSync({ timeout })).toThrow();
      expect(performance.now() - beginSync).toBeGreaterThanOrEqual(timeout - 1);
    }
    close();
  });
});

describe('aborts', () => {
  it('consume nothing: every message is received exactly once [WAI-003]', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }), async (aborts) => {
        const { sender, receiver, close } = openChannel(64);
        const waits = aborts.map((isAborted) => {
          const controller = new AbortController();
          const message = receiver.receive({ signal: controller.signal });
          if (isAborted) setImmediate(() => controller.abort(new Error('stop')));
          return message.then(
            ({ bytes: data }) => data[0],
            (error: Error) => error.message,
          );
        });
        for (let i = 0; i < aborts.length; ++i) {
          sender.sendSync(Uint8Array.of(i));
          if (i % 3 === 2) await new Promise(setImmediate);
        }
        await sleep(5);
        while (receiver.channel.messageCount > 0 && waits.length > aborts.length) await sleep(1);
        const left: number[] = [];
        for (let m = receiver.tryReceive(); m !== undefined; m = receiver.tryReceive()) {
          left.push(m.bytes[0] as number);
        }
        const got = await Promise.all(waits);
        const received = got.filter((value) => typeof value === 'number');
        expect([...received, ...left].sort((a, b) => Number(a) - Number(b))).toEqual(
          aborts.map((_, i) => i),
        );
        close();
      }),
      { numRuns: 30 },
    );
  });

  it('reject at once when the signal is aborted already, without a try [WAI-003]', async () => {
    const { sender, receiver, close } = openChannel();
    sender.sendSync(bytes('kept'));
    const signal = AbortSignal.abort(new Error('before'));
    await expect(receiver.receive({ signal })).rejects.toThrow('before');
    expect(() => receiver.receiveSync({ signal })).toThrow('before');
    expect(receiver.channel.messageCount).toBe(1);
    close();
  });

  it('leave a lock free for the next waiter [WAI-003] [WAI-006]', async () => {
    const lock = RobustLock.create(fixture.pool);
    expect(lock.tryAcquire()).toBe(true);
    const controller = new AbortController();
    const aborted = lock.acquire({ signal: controller.signal }).catch(() => 'aborted');
    const next = lock.acquire({ timeout: 2000 });
    lock.release();
    controller.abort();
    const results = await Promise.all([aborted, next]);
    if (results[0] === true) lock.release();
    expect([true, 'aborted']).toContain(results[0]);
    expect(results[1]).toBe(true);
    lock.release();
    lock.close();
  });

  it('pass on the wake that they did not use [WAI-006]', async () => {
    const lock = RobustLock.create(fixture.pool);
    const tooLate = sleep(2000).then(() => 'the wake was lost');
    // Without its timer no wait looks again by itself, which would hide a wake that was lost.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      expect(lock.tryAcquire()).toBe(true);
      const controller = new AbortController();
      const aborted = lock.acquire({ signal: controller.signal }).catch(() => 'aborted');
      const next = lock.acquire();
      lock.release();
      controller.abort();
      expect(await aborted).toBe('aborted');
      expect(await Promise.race([next, tooLate])).toBe(true);
    } finally {
      vi.useRealTimers();
      lock.close();
    }
  });
});

describe('pending waits', () => {
  it('do not disturb timers and file reads, 200 of them [WAI-005]', async () => {
    const channels = Array.from({ length: 200 }, () => openChannel(1));
    const waits = channels.map(({ receiver }) => receiver.receive());
    await Promise.race([
      Promise.all([sleep(2), readFile('/proc/self/stat')]),
      sleep(5000).then(() => Promise.reject(new Error('starved'))),
    ]);
    for (const [i, { sender }] of channels.entries()) sender.sendSync(Uint8Array.of(i));
    const got = await Promise.all(waits);
    expect(got.map(({ bytes: data }) => data[0])).toEqual(channels.map((_, i) => i % 256));
    for (const { close } of channels) close();
  });

  it('that wake each other leave turns of the event loop to the rest [WAI-012]', async () => {
    const [there, back] = [openChannel(), openChannel()];
    let answers = 0;
    let isOver = false;
    const pass = async (from: typeof there, to: typeof there): Promise<void> => {
      for (;;) {
        const { bytes: data } = await from.receiver.receive();
        answers++;
        to.sender.sendSync(isOver ? bytes('end') : data);
        if (isOver) return;
      }
    };
    const players = [pass(there, back), pass(back, there)];
    // Both wait before the first message comes, so that each answer is a wake.
    await new Promise(setImmediate);
    there.sender.sendSync(bytes('ball'));
    let most = 0;
    for (let turn = 0; turn < 200; turn++) {
      const before = answers;
      await new Promise(setImmediate);
      most = Math.max(most, answers - before);
    }
    await Promise.all([sleep(2), readFile('/proc/self/stat')]);
    isOver = true;
    await Promise.all(players);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(2 * 16);
    for (const { close } of [there, back]) close();
  });

  it('reject with ERR_OBJECT_DESTROYED when their object is destroyed [WAI-008]', async () => {
    const { channel, receiver } = openChannel();
    const waits = [receiver.receive(), receiver.receive(), channel.poll('in')];
    const settled = Promise.allSettled(waits);
    channel.destroy();
    for (const result of await settled) {
      expect(result).toMatchObject({ reason: { code: 'ERR_OBJECT_DESTROYED' } });
    }
    channel.close();
  });

  it('reject with ERR_CLOSED when their handle is closed [WAI-008]', async () => {
    const { receiver, close } = openChannel();
    const wait = receiver.receive();
    receiver.close();
    await expect(wait).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    close();
  });

  it('are told of a close by it, and not by looks of their own [WAI-008]', async () => {
    const closed = { code: 'ERR_CLOSED' };
    // Without its timer no wait looks again by itself.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      for (const which of ['receiver', 'sender', 'channel'] as const) {
        const ends = openChannel(1);
        if (which === 'sender') ends.sender.sendSync(bytes('x'));
        const wait = which === 'sender' ? ends.sender.send(bytes('y')) : ends.receiver.receive();
        const state = wait.then(
          () => 'settled',
          (error: unknown) => error,
        );
        ends[which].close();
        const later = new Promise((resolve) => setImmediate(resolve, 'not told'));
        expect(await Promise.race([state, later])).toMatchObject(closed);
        ends.close();
      }
    } finally {
      vi.useRealTimers();
    }
  });

  it('of senders and receivers on one channel are all served [WAI-009]', async () => {
    const { sender, receiver, close } = openChannel(1);
    const sends = Array.from({ length: 50 }, (_, i) => sender.send(Uint8Array.of(i)));
    const got: number[] = [];
    for (let i = 0; i < 50; ++i) got.push((await receiver.receive()).bytes[0] as number);
    await Promise.all(sends);
    expect(got.sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    close();
  });

  it('make closing the node an error that says how many there are [WAI-010]', async () => {
    const { receiver, close } = openChannel();
    const wait = receiver.receive({ timeout: 1000 });
    expect(() => fixture.node.close()).toThrow(/1 waits? /);
    receiver.close();
    await expect(wait).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    close();
  });

  it("appear among the node's waiters with their age [WAI-009]", async () => {
    const { sender, receiver, close } = openChannel();
    const wait = receiver.receive();
    await sleep(5);
    const mine = fixture.node.waiting().filter(({ pid }) => pid === process.pid);
    expect(mine).toHaveLength(1);
    expect(mine[0]?.sinceMs).toBeGreaterThan(1);
    sender.sendSync(bytes('end'));
    await wait;
    expect(fixture.node.waiting()).toHaveLength(0);
    close();
  });
});
