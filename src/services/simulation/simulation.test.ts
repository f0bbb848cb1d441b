/**
 * Thousands of random runs of the services in virtual time, each from a seed.
 *
 * Processes ask for processes, join, kill, name and look things up, give up and end in the
 * middle of it; messages overtake each other between links; some cannot be read. What must
 * hold at every step and at the end is checked here.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Status } from '../../runtime/errors/codes.ts';
import { creation } from '../global/desk.ts';
import type { Reply, Request } from '../messages/index.ts';
import { actorOf, type VirtualProcess, World } from './world.ts';

interface Open {
  readonly puid: bigint;
  readonly type: string;
  /** When it must have been answered, if it has a time-out. */
  readonly deadlineMs: number;
}

type Fields<R> = R extends Request ? Omit<R, 'tag' | 'puid' | 'actor' | 'replyTo'> : never;

const NAMES = ['a', 'b', 'c'];

/** The clients of a world, and the bookkeeping of their requests. */
class Play {
  readonly world: World;
  readonly open = new Map<string, Open>();
  answered = 0;
  #tag = 0;

  constructor(seed: number, nodes: number) {
    this.world = new World(seed, nodes);
    this.world.onReply = (reply, actor) => this.#onReply(reply, actor);
    this.world.onEnd = ({ puid }) => {
      for (const [key, { puid: asker }] of this.open) if (asker === puid) this.open.delete(key);
    };
  }

  /** Some process does something. */
  act(): void {
    const { random } = this.world;
    const able = [...this.world.processes.values()].filter(({ started }) => started);
    if (able.length === 0) return;
    const self = random.pick(able);
    const choice = random.next();
    if (choice < 0.3) this.#create(self);
    else if (choice < 0.5) this.#join(self);
    else if (choice < 0.6) this.#kill(self);
    else if (choice < 0.8) this.#name(self);
    else if (choice < 0.88) this.#cancel(self);
    else if (choice < 0.9) this.#garble(self);
    else if (choice < 0.92) this.ask(self, { type: 'GsProcessList', ended: true });
    else if (self.puid > 2n ** 32n) this.#leave(self);
  }

  ask(self: VirtualProcess, body: Fields<Request>, timeoutMs?: number): void {
    const tag = ++this.#tag;
    const actor = actorOf(self.puid);
    const deadlineMs = this.world.nowMs + (timeoutMs ?? Number.POSITIVE_INFINITY);
    this.open.set(`${actor}:${tag}`, { puid: self.puid, type: body.type, deadlineMs });
    const header = { tag, puid: self.puid, actor, replyTo: Uint8Array.of(1) };
    this.world.post(`p${self.puid}>g`, { ...body, ...header } as Request);
  }

  #onReply(reply: Reply, actor: number): void {
    const key = `${actor}:${reply.ref}`;
    const open = this.open.get(key);
    this.open.delete(key);
    this.answered += 1;
    if (open === undefined) {
      // Only who has ended may be answered without having a request open.
      const alive = [...this.world.processes.keys()].some((puid) => actorOf(puid) === actor);
      if (alive) throw new Error(`${key} was answered twice: ${JSON.stringify(reply.type)}`);
      return;
    }
    if (this.world.nowMs > open.deadlineMs) throw new Error(`${open.type} ${key} came late`);
  }

  #create(self: VirtualProcess): void {
    const { random, locals } = this.world;
    const name = random.chance(0.2) ? { name: random.pick(NAMES) } : {};
    const node = random.chance(0.5) ? { nodeId: random.below(locals.length) } : {};
    const native = random.chance(0.1) ? { exe: '/bin/true', start: undefined } : {};
    this.ask(self, { ...creation({ daemon: random.chance(0.4), ...name, ...node }), ...native });
  }

  /** Any process at all: living, ended, never there, or the asker itself. */
  #someone(): bigint {
    const { random, global } = this.world;
    const known = [...global.processes.keys()];
    return random.chance(0.05) ? 5n : random.pick(known);
  }

  #join(self: VirtualProcess): void {
    const { random } = this.world;
    const targets = Array.from({ length: random.below(4) }, () => this.#someone());
    const timeoutMs = random.chance(0.5) ? random.below(60) : undefined;
    const mode = random.chance(0.5) ? 'all' : 'any';
    this.ask(self, { type: 'GsProcessJoin', targets, mode, timeoutMs }, timeoutMs);
  }

  #kill(self: VirtualProcess): void {
    const target = this.#someone();
    if (target === 2n ** 32n) return;
    const signal = this.world.random.pick([9, 15, 15, 10, 0, 99]);
    this.ask(self, { type: 'GsProcessKill', target, signal });
  }

  #name(self: VirtualProcess): void {
    const { random } = this.world;
    const name = random.pick(NAMES);
    const choice = random.next();
    if (choice < 0.3) {
      const descriptor = Uint8Array.of(7);
      this.ask(self, { type: 'GsNameRegister', name, kind: 'channel', descriptor, keep: false });
    } else if (choice < 0.6) {
      this.ask(self, { type: 'GsNameRelease', name });
    } else {
      const wait = random.chance(0.5);
      const timeoutMs = wait && random.chance(0.7) ? random.below(60) : undefined;
      const hold = random.chance(0.5);
      this.ask(self, { type: 'GsNameLookup', name, hold, wait, timeoutMs }, timeoutMs);
    }
  }

  #cancel(self: VirtualProcess): void {
    const actor = actorOf(self.puid);
    const own = [...this.open.keys()].filter((key) => key.startsWith(`${actor}:`));
    if (own.length === 0) return;
    const cancelled = Number(this.world.random.pick(own).split(':')[1]);
    this.world.post(`p${self.puid}>g`, { type: 'GsCancel', puid: self.puid, actor, cancelled });
  }

  #garble(self: VirtualProcess): void {
    const tag = ++this.#tag;
    const actor = actorOf(self.puid);
    const deadlineMs = this.world.nowMs;
    this.open.set(`${actor}:${tag}`, { puid: self.puid, type: 'rubbish', deadlineMs });
    const sender = { tag, actor, replyTo: new Uint8Array() };
    this.world.feedGlobal({ kind: 'unreadable', what: 'rubbish', sender });
  }

  #leave(self: VirtualProcess): void {
    const { random } = this.world;
    if (random.chance(0.3)) {
      const { puid, nodeId } = self;
      const error = Uint8Array.of(1);
      this.world.post(`p${puid}>${nodeId}`, { type: 'ProcessFailed', puid, error });
      this.world.end(self, { code: 1 });
    } else {
      this.world.end(self, random.chance(0.5) ? { code: random.below(256) } : { signal: 9 });
    }
  }
}

/** What holds at any moment. */
function checkNow({ world, open }: Play): void {
  const { global } = world;
  const living = [...global.processes.values()].filter(({ state }) => state !== 'dead');
  const named = living.flatMap(({ name }) => (name === undefined ? [] : [name]));
  expect(new Set(named).size).toBe(named.length);
  expect(global.processNames.size).toBe(named.length);
  expect(global.waits.size).toBe(global.waitOfRequest.size);
  expect(global.waits.size).toBeLessThanOrEqual(open.size);
  for (const { joins, state } of global.processes.values()) {
    if (state === 'dead') expect(joins.size).toBe(0);
  }
}

function playOut(seed: number, acts: number, nodes: number): Play {
  const play = new Play(seed, nodes);
  const { world } = play;
  for (let i = 0; i < acts; ++i) {
    play.act();
    for (let n = world.random.below(6); n > 0 && world.advance(); --n);
    if (i % 20 === 0) {
      world.settle();
      checkNow(play);
    }
  }
  world.feedGlobal({ kind: 'teardown', patienceMs: 50 });
  if (world.random.chance(0.3)) world.feedGlobal({ kind: 'teardown', patienceMs: 1 });
  for (let i = 0; i < 100; ++i) world.advance();
  play.act();
  while (world.advance());
  return play;
}

/** Nothing is left of a run that has ended. */
function checkEnd({ world, open }: Play): void {
  const { global, locals } = world;
  expect(world.halts).toBe(1);
  expect(world.processes.size).toBe(0);
  expect([...open.values()]).toEqual([]);
  const left: { size: number }[] = [
    global.waits,
    global.waitOfRequest,
    global.waitsOfPuid,
    global.continuations,
  ];
  left.push(global.createOfRequest, global.names, global.namesOfPuid, global.nameWaits);
  expect(left.map(({ size }) => size)).toEqual(left.map(() => 0));
  const states = [...global.processes.values()].map(({ state }) => state);
  expect(states.filter((state) => state !== 'dead')).toEqual([]);
  for (const { processes, puidOfPid, actors, killTimers, earlyExits, spawning } of locals) {
    expect([processes.size, puidOfPid.size, killTimers.size, earlyExits.size]).toEqual([
      0, 0, 0, 0,
    ]);
    expect([actors.size, spawning]).toEqual([0, 0]);
  }
  expect(world.timers).toBe(0);
}

const numRuns = process.env['DRAGON_TEST_SIZE'] === 'full' ? 3000 : 150;
const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });

describe('the services in virtual time', () => {
  it('answer every request once and in time, and keep nothing [SVC-011, SVC-013]', () => {
    let answered = 0;
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 3 }), (seed, nodes) => {
        const play = playOut(seed, 150, nodes);
        checkEnd(play);
        answered += play.answered;
      }),
      { numRuns },
    );
    expect(answered).toBeGreaterThan(numRuns * 30);
  });

  it('replay a run from its seed, step by step [SVC-010]', () => {
    const trace = (seed: number): string => {
      const play = new Play(seed, 2);
      const seen: string[] = [];
      const onReply = play.world.onReply;
      play.world.onReply = (reply, actor) => {
        seen.push(`${play.world.nowMs} ${actor} ${reply.type} ${reply.ref} ${reply.err}`);
        onReply(reply, actor);
      };
      for (let i = 0; i < 100; ++i) {
        play.act();
        play.world.advance();
      }
      return seen.join('\n');
    };
    expect(trace(11)).toBe(trace(11));
    expect(trace(11)).not.toBe(trace(12));
    expect(trace(11)).toContain(` ${Status.SUCCESS}`);
  });
});
