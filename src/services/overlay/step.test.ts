/** Phases and beats over whole trees in virtual time, with losses, delays and duplicates. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Clock } from '../simulation/clock.ts';
import { Random } from '../simulation/random.ts';
import {
  BEAT_PATIENCE_MS,
  CUT_OFF_MS,
  type OverlayEffect,
  type OverlayEvent,
  type OverlayMessage,
  overlayState,
  type PhaseOutcome,
} from './state.ts';
import { step } from './step.ts';

type Fresh<E> = E extends OverlayEvent ? Omit<E, 'nowMs'> : never;

/** Overlays of all nodes, with links that deliver in order. */
class Net {
  readonly clock = new Clock();
  readonly nodes;
  readonly random: Random;
  readonly sent: { from: number; to: number; message: OverlayMessage }[] = [];
  readonly outcomes: PhaseOutcome[] = [];
  readonly down: number[] = [];
  readonly cutOff = new Set<number>();
  /** How late a node's answers and messages are. */
  delayMs: (nodeId: number) => number = () => 0;
  answers: (nodeId: number, phase: number) => boolean = () => true;
  isCut: (from: number, to: number) => boolean = () => false;
  /** How many of the messages arrive twice. */
  twice = 0.05;
  readonly gone = new Set<number>();
  readonly #timers = new Map<string, () => void>();
  readonly #arrivals = new Map<string, number>();

  constructor(count: number, fanOut = 32, seed = 1) {
    this.random = new Random(seed);
    this.nodes = Array.from({ length: count }, (_, id) => overlayState(id, { count, fanOut }));
  }

  feed(nodeId: number, event: Fresh<OverlayEvent>): void {
    const state = this.nodes[nodeId];
    if (state === undefined || this.gone.has(nodeId)) return;
    const effects = step(state, { ...event, nowMs: this.clock.nowMs } as OverlayEvent);
    for (const effect of effects) this.#carryOut(nodeId, effect);
  }

  begin(phase: number, patienceMs = 1000): void {
    this.feed(0, { kind: 'begin', phase, name: 'test', patienceMs, body: Uint8Array.of(phase) });
  }

  startAll(): void {
    for (const { nodeId } of this.nodes) this.feed(nodeId, { kind: 'start' });
  }

  lose(nodeId: number): void {
    this.gone.add(nodeId);
  }

  run(untilMs: number): void {
    while (this.clock.advance(untilMs));
    this.clock.nowMs = Math.max(this.clock.nowMs, untilMs);
  }

  count(type: OverlayMessage['type']): number {
    return this.sent.filter(({ message }) => message.type === type).length;
  }

  #carryOut(nodeId: number, effect: OverlayEffect) {
    switch (effect.kind) {
      case 'send':
        return this.#send(nodeId, effect.to, effect.message);
      case 'deliver': {
        const { phase } = effect.message;
        if (!this.answers(nodeId, phase)) return;
        const part = nodeId % 2 === 1 ? { err: 0, body: Uint8Array.of(nodeId % 256) } : undefined;
        const answer = (): void => this.feed(nodeId, { kind: 'answer', phase, part });
        this.clock.after(this.random.below(20) + this.delayMs(nodeId), answer);
        return;
      }
      case 'done':
        this.outcomes.push(effect.outcome);
        return;
      case 'node-down':
        this.down.push(effect.nodeId);
        return;
      case 'cut-off':
        this.cutOff.add(nodeId);
        return;
      case 'timer': {
        const key = `${nodeId}.${effect.id}`;
        this.#timers.get(key)?.();
        const strike = (): void => this.feed(nodeId, { kind: 'timer', id: effect.id });
        this.#timers.set(key, this.clock.after(effect.atMs - this.clock.nowMs, strike));
        return;
      }
      case 'clear-timer':
        return this.#timers.get(`${nodeId}.${effect.id}`)?.();
    }
  }

  #send(from: number, to: number, message: OverlayMessage) {
    this.sent.push({ from, to, message });
    if (this.isCut(from, to)) return;
    const key = `${from}>${to}`;
    const { nowMs } = this.clock;
    const delayMs = this.random.below(10) + this.delayMs(from);
    const atMs = Math.max(nowMs + delayMs, this.#arrivals.get(key) ?? 0);
    this.#arrivals.set(key, atMs);
    const deliver = (): void => {
      if (!this.gone.has(from)) this.feed(to, { kind: 'message', from, message });
    };
    this.clock.after(atMs - nowMs, deliver);
    if (this.random.chance(this.twice)) this.clock.after(atMs - nowMs + 1, deliver);
  }
}

function ids(count: number): number[] {
  return Array.from({ length: count }, (_, id) => id);
}

describe('a phase', () => {
  it('takes N-1 messages down and N-1 up [OVL-010]', () => {
    for (const [count, fanOut] of [
      [1, 32],
      [2, 32],
      [256, 32],
      [1024, 32],
      [1024, 2],
      [64, 1],
    ] as const) {
      const net = new Net(count, fanOut, count);
      net.twice = 0;
      for (const phase of [1, 2, 3]) {
        net.begin(phase, 10_000);
        net.run(phase * 10_000);
        expect(net.count('OverlayDown')).toBe(phase * (count - 1));
        expect(net.count('OverlayUp')).toBe(phase * (count - 1));
        const outcome = net.outcomes.at(-1);
        expect(outcome?.answered).toEqual(ids(count));
        expect(outcome?.missing).toEqual([]);
        const parts = outcome?.parts.map(({ nodeId, body }) => [nodeId, body?.[0]]);
        expect(parts).toEqual(
          ids(count)
            .filter((id) => id % 2 === 1)
            .map((id) => [id, id % 256]),
        );
      }
      expect(net.outcomes).toHaveLength(3);
    }
  });

  it('ends with its patience and tells who is missing, and only those [OVL-011, OVL-013]', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 99 }),
        fc.integer({ min: 1, max: 6 }),
        fc.uniqueArray(fc.integer({ min: 0, max: 98 }), { maxLength: 20 }),
        (count, fanOut, mute) => {
          const net = new Net(count, fanOut, count);
          const silent = new Set(mute.filter((id) => id < count));
          net.answers = (id) => !silent.has(id);
          net.begin(1, 20_000);
          net.run(19_999);
          expect(net.outcomes).toHaveLength(silent.size === 0 ? 1 : 0);
          net.run(20_001);
          expect(net.outcomes).toHaveLength(1);
          expect(net.outcomes[0]?.missing).toEqual(ids(count).filter((id) => silent.has(id)));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('counts what is late in the lower levels, and at the primary still in time [OVL-013]', () => {
    const net = new Net(40, 3);
    net.delayMs = (id) => (id === 39 ? 8000 : 0);
    net.begin(1, 10_000);
    net.run(20_000);
    expect(net.outcomes).toMatchObject([{ missing: [39] }]);
    net.delayMs = (id) => (id === 39 ? 4000 : 0);
    net.begin(2, 10_000);
    net.run(50_000);
    expect(net.outcomes[1]).toMatchObject({ missing: [] });
  });

  it('counts an answer once, whatever arrives twice or over two ways [OVL-014]', () => {
    const net = new Net(4, 1);
    net.answers = () => false;
    net.begin(1);
    net.run(100);
    const up = (answered: number[]) =>
      ({
        type: 'OverlayUp',
        phase: 1,
        answered: answered.map((id) => ({ first: id, last: id })),
        parts: answered.map((nodeId) => ({ nodeId, err: 0 })),
      }) as const;
    net.feed(0, { kind: 'answer', phase: 1 });
    net.feed(0, { kind: 'message', from: 1, message: up([2, 1]) });
    net.feed(0, { kind: 'message', from: 2, message: up([2]) });
    net.feed(0, { kind: 'message', from: 1, message: up([1, 2, 9]) });
    expect(net.outcomes).toEqual([]);
    net.feed(0, { kind: 'message', from: 3, message: up([3, 0]) });
    expect(net.outcomes[0]?.parts.map(({ nodeId }) => nodeId)).toEqual([1, 2, 3]);
    net.feed(0, { kind: 'message', from: 3, message: up([3]) });
    expect(net.outcomes).toHaveLength(1);
  });

  it('reaches those below a lost node over who adopts them [OVL-015]', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 31 - 1 }),
        fc.integer({ min: 4, max: 80 }),
        fc.integer({ min: 1, max: 5 }),
        (seed, count, fanOut) => {
          const net = new Net(count, fanOut, seed);
          net.startAll();
          net.begin(1, 25_000);
          const lost = new Set(ids(net.random.below(4)).map(() => 1 + net.random.below(count - 1)));
          for (const id of lost) net.clock.after(net.random.below(60), () => net.lose(id));
          net.run(26_000);
          expect(new Set(net.down)).toEqual(lost);
          expect(net.down).toHaveLength(lost.size);
          expect(net.outcomes).toHaveLength(1);
          const living = ids(count).filter((id) => !lost.has(id));
          expect(net.outcomes[0]?.missing).toEqual([]);
          expect(net.outcomes[0]?.answered).toEqual(expect.arrayContaining(living));
          expect(net.cutOff.size).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is superseded by a later one, whose answers alone count [OVL-016]', () => {
    const net = new Net(13, 3);
    net.answers = (_id, phase) => phase === 2;
    net.begin(1);
    net.run(20);
    net.begin(2);
    net.run(100);
    net.feed(5, { kind: 'answer', phase: 1 });
    const stale = { type: 'OverlayUp', phase: 1, answered: [{ first: 1, last: 12 }], parts: [] };
    net.feed(0, { kind: 'message', from: 1, message: stale as OverlayMessage });
    net.run(5000);
    expect(net.outcomes.map(({ phase, missing }) => [phase, missing])).toEqual([[2, []]]);
    expect(net.nodes[0]?.dropped).toBe(1);
    expect(net.nodes[5]?.dropped).toBe(1);
    const down = { ...stale, type: 'OverlayDown', name: 'old', patienceMs: 1, down: [] };
    net.feed(5, { kind: 'message', from: 1, message: down as unknown as OverlayMessage });
    expect(net.nodes[5]?.dropped).toBe(2);
  });
});

describe('beats', () => {
  it('find out who is lost, and all others hear of it, over any tree [OVL-020]', () => {
    const net = new Net(50, 3);
    net.startAll();
    net.run(3000);
    for (const id of [1, 4, 17]) net.lose(id);
    net.run(3000 + BEAT_PATIENCE_MS * 3);
    expect([...net.down].sort((a, b) => a - b)).toEqual([1, 4, 17]);
    for (const node of net.nodes) {
      if (!net.gone.has(node.nodeId))
        expect([...node.dead].sort((a, b) => a - b)).toEqual([1, 4, 17]);
    }
    expect(net.nodes[13]?.parent).toBe(0);
    expect(net.cutOff.size).toBe(0);
  });

  it('are not waited for when a link has broken [OVL-020]', () => {
    const net = new Net(50, 3);
    net.startAll();
    net.lose(7);
    net.feed(2, { kind: 'link-down', nodeId: 7 });
    net.feed(22, { kind: 'link-down', nodeId: 7 });
    net.run(500);
    expect(net.down).toEqual([7]);
    expect(net.nodes[22]?.parent).toBe(2);
    net.feed(3, { kind: 'link-down', nodeId: 0 });
    expect([...net.cutOff]).toEqual([3]);
  });

  it('make who is cut off leave, and tell it so when it speaks again [OVL-021]', () => {
    const net = new Net(10, 2);
    net.startAll();
    net.run(1000);
    let healed = false;
    net.isCut = (from, to) => !healed && (from === 4) !== (to === 4);
    net.run(1000 + BEAT_PATIENCE_MS * 2);
    expect(net.down).toEqual([4]);
    expect(net.cutOff.size).toBe(0);
    healed = true;
    net.run(net.clock.nowMs + 2100);
    expect([...net.cutOff]).toEqual([4]);
    net.lose(0);
    net.run(net.clock.nowMs + CUT_OFF_MS * 4);
    expect(net.cutOff.size).toBe(9);
  });

  it('of a slow node are heard [OVL-022]', () => {
    const net = new Net(20, 3);
    net.delayMs = (id) => (id === 1 ? BEAT_PATIENCE_MS - 1500 : 0);
    net.startAll();
    net.begin(1, 60_000);
    net.run(60_000);
    expect(net.down).toEqual([]);
    expect(net.outcomes).toMatchObject([{ missing: [], down: [] }]);
  });
});
