import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { Channel } from './channel.ts';
import { ChannelSet, type WatchEvent } from './channel-set.ts';
import { useNode } from './node.fixture.ts';

const fixture = useNode();

function channels(count: number, capacity = 2): Channel[] {
  return Array.from({ length: count }, () => Channel.create(fixture.pool, { capacity }));
}

function closeAll(...all: Channel[]): void {
  for (const channel of all) channel.close();
}

describe('channel sets from TypeScript', () => {
  it('tell what is ready in every form [EVT-065] [EVT-060]', async () => {
    using set = new ChannelSet(fixture.node);
    const [first, second] = channels(2) as [Channel, Channel];
    const sender = second.openSender();
    set.add(first, 'full').add(second, ['in', 'full']);
    expect([set.size, set.has(first)]).toEqual([2, true]);
    expect(set.tryPoll()).toBeUndefined();
    expect(set.pollSync({ timeout: 3 })).toBeUndefined();
    expect(await set.poll({ timeout: 3 })).toBeUndefined();
    expect(await set.poll({ timeout: 0 })).toBeUndefined();
    const polling = set.poll();
    sender.sendSync(Uint8Array.of(1));
    expect(await polling).toEqual({ channel: second, events: ['in'] });
    sender.sendSync(Uint8Array.of(2));
    expect(set.tryPoll()).toEqual({ channel: second, events: ['in', 'full'] });
    expect(set.pollSync()).toEqual({ channel: second, events: ['in', 'full'] });
    set.add(second, 'empty');
    expect(set.tryPoll()).toBeUndefined();
    expect(set.delete(second)).toBe(true);
    expect(set.delete(second)).toBe(false);
    expect(() => set.add(second, [])).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }),
    );
    closeAll(first, second);
  });

  it('see members that come and go while a poll is pending [EVT-065]', async () => {
    using set = new ChannelSet(fixture.node);
    const [first, second] = channels(2) as [Channel, Channel];
    const polling = set.poll();
    second.openSender().sendSync(Uint8Array.of(1));
    set.add(first);
    set.add(second);
    expect((await polling)?.channel).toBe(second);
    const again = set.delete(second) && set.poll();
    first.destroy();
    expect(await again).toEqual({ channel: first, events: ['ended'] });
    closeAll(first, second);
  });

  it('are aborted and closed as other waits are [EVT-065]', async () => {
    const set = new ChannelSet(fixture.node);
    const [only] = channels(1) as [Channel];
    set.add(only);
    const controller = new AbortController();
    const aborted = expect(set.poll({ signal: controller.signal })).rejects.toThrow('enough');
    const closed = expect(set.poll()).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    controller.abort(new Error('enough'));
    await aborted;
    set.close();
    await closed;
    await expect(set.poll()).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    closeAll(only);
  });

  it('enter the queues of their channels once for a loop of polls [EVT-066]', async () => {
    using set = new ChannelSet(fixture.node);
    const all = channels(3);
    const senders = all.map((channel) => channel.openSender());
    const receivers = all.map((channel) => channel.openReceiver());
    for (const channel of all) set.add(channel);
    // Only who stands in a queue is among the waits. A poll that finds something by itself may
    // come before the bell that brings the woken one back, so that is waited for.
    const waits = () => fixture.node.native.waits();
    let enteredMs = 0;
    for (let i = 0; i < 50; i++) {
      const polling = set.poll();
      if (i === 0) enteredMs = performance.now();
      await vi.waitFor(() => expect(waits()).toHaveLength(all.length), { interval: 1 });
      // None has entered again: all wait since the first poll.
      const nowMs = performance.now();
      for (const { sinceMs } of waits()) expect(nowMs - sinceMs).toBeLessThanOrEqual(enteredMs);
      const index = i % all.length;
      senders[index]?.sendSync(Uint8Array.of(i));
      expect((await polling)?.channel).toBe(all[index]);
      receivers[index]?.receiveSync();
    }
    // Who polls no more does not wait.
    await vi.waitFor(() => expect(waits()).toHaveLength(0), { timeout: 5000 });
    closeAll(...all);
  });

  it('agree with a model of queues, whoever is ready in turn [EVT-060] [EVT-061]', async () => {
    const names: WatchEvent[] = ['in', 'out', 'empty', 'full'];
    const events = fc.subarray(names, { minLength: 1 });
    const step = fc.oneof(
      fc.record({ kind: fc.constantFrom('send', 'receive'), at: fc.nat({ max: 4 }) }),
      fc.record({ kind: fc.constant('watch'), at: fc.nat({ max: 4 }), events }),
      fc.record({ kind: fc.constantFrom('poll', 'poll', 'leave'), at: fc.nat({ max: 4 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        using set = new ChannelSet(fixture.node);
        const all = channels(5, 2);
        const senders = all.map((channel) => channel.openSender());
        const receivers = all.map((channel) => channel.openReceiver());
        const queued = all.map(() => 0);
        const watched = new Map<number, WatchEvent[]>();
        const readyFor = (at: number): WatchEvent[] => {
          const count = queued[at] ?? 0;
          const is = { in: count > 0, out: count < 2, empty: count === 0, full: count === 2 };
          return names.filter((name) => is[name] && watched.get(at)?.includes(name));
        };
        try {
          for (const one of steps) {
            const { kind, at } = one;
            const count = queued[at] ?? 0;
            if (kind === 'send') {
              expect(senders[at]?.trySend(Uint8Array.of(1))).toBe(count < 2);
              if (count < 2) queued[at] = count + 1;
            } else if (kind === 'receive') {
              expect(receivers[at]?.tryReceive() !== undefined).toBe(count > 0);
              if (count > 0) queued[at] = count - 1;
            } else if (kind === 'leave') {
              expect(set.delete(all[at] as Channel)).toBe(watched.delete(at));
            } else if ('events' in one) {
              set.add(all[at] as Channel, one.events);
              watched.set(at, one.events);
            } else {
              // As often as channels are ready: each is told once.
              const ready = [...watched.keys()].filter((member) => readyFor(member).length > 0);
              const told = ready.map(() => set.tryPoll());
              expect(new Set(told.map((result) => result?.channel))).toEqual(
                new Set(ready.map((member) => all[member])),
              );
              for (const result of told) {
                const member = all.indexOf(result?.channel as Channel);
                expect(result?.events).toEqual(readyFor(member));
              }
              if (ready.length === 0) {
                expect(set.tryPoll()).toBeUndefined();
                expect(await set.poll({ timeout: 0 })).toBeUndefined();
              } else {
                expect(all.indexOf((await set.poll())?.channel as Channel)).not.toBe(-1);
              }
            }
          }
        } finally {
          closeAll(...all);
        }
      }),
    );
    expect(fixture.pool.stats().usedBytes).toBe(0);
  });
});
