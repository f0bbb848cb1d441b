/** Local services: starting, ending and reclaiming, in every order that the outside allows. */
import { describe, expect, it } from 'vitest';
import { Status } from '../../runtime/errors/codes.ts';
import type { Message } from '../messages/index.ts';
import {
  type LocalEffect,
  type LocalEvent,
  type LocalState,
  localState,
  SIGKILL,
  SIGTERM,
} from './state.ts';
import { step } from './step.ts';

/** Local services on a desk: a test feeds events and reads the effects. */
class Desk {
  readonly state: LocalState = localState(3);
  readonly effects: LocalEffect[] = [];

  feed(event: LocalEvent): LocalEffect[] {
    const effects = step(this.state, event);
    this.effects.push(...effects);
    return effects;
  }

  tell(message: Message, nowMs = 0): LocalEffect[] {
    return this.feed({ kind: 'message', message, nowMs });
  }

  create(puid: bigint, exe?: string): LocalEffect[] {
    const start = exe === undefined ? Uint8Array.of(1) : undefined;
    const rest = { argv: [], env: [], cwd: '/', stdio: [], start } as const;
    return this.tell({ type: 'LsProcessCreate', tag: Number(puid), puid, exe, ...rest });
  }

  spawned(puid: bigint): LocalEffect[] {
    return this.feed({ kind: 'spawned', puid, pid: Number(puid) + 1000 });
  }

  exit(puid: bigint, status: { code?: number; signal?: number } = { code: 0 }): LocalEffect[] {
    return this.feed({ kind: 'exit', pid: Number(puid) + 1000, status });
  }

  /** A process that has started. */
  started(puid: bigint): void {
    this.create(puid);
    this.spawned(puid);
    this.tell({ type: 'ProcessStarted', puid });
  }
}

function sent(effects: readonly LocalEffect[]): Message[] {
  return effects.flatMap((effect) => (effect.kind === 'send' ? [effect.message] : []));
}

describe('starting a process', () => {
  it('is answered when its target is loaded, whichever news comes first [SVC-021]', () => {
    const answer = { type: 'LsProcessCreated', ref: 1, err: 0, pid: 1001 };
    const desk = new Desk();
    expect(desk.create(1n)[0]).toMatchObject({ kind: 'spawn', puid: 1n });
    expect(desk.spawned(1n)).toEqual([]);
    expect(sent(desk.tell({ type: 'ProcessStarted', puid: 1n }))).toEqual([answer]);
    const early = new Desk();
    early.create(1n);
    expect(sent(early.tell({ type: 'ProcessStarted', puid: 1n }))).toEqual([]);
    expect(sent(early.spawned(1n))).toEqual([answer]);
  });

  it('of an executable is answered when it runs [SVC-021]', () => {
    const desk = new Desk();
    desk.create(1n, '/bin/true');
    expect(sent(desk.spawned(1n))).toMatchObject([{ type: 'LsProcessCreated', err: 0 }]);
  });

  it('that can not be spawned is answered with the cause [SVC-022]', () => {
    const desk = new Desk();
    desk.create(1n);
    const failed = { kind: 'spawn-failed', puid: 1n, status: Status.SYSTEM, info: 'no' } as const;
    expect(sent(desk.feed(failed))).toMatchObject([{ ref: 1, err: Status.SYSTEM, info: 'no' }]);
    expect(desk.state.processes.size).toBe(0);
  });

  it('whose target can not be loaded is answered when it has ended [SVC-022]', () => {
    const desk = new Desk();
    desk.create(1n);
    desk.spawned(1n);
    const error = Uint8Array.of(4);
    const effects = desk.tell({ type: 'ProcessStartFailed', puid: 1n, error }, 10);
    expect(effects).toEqual([{ kind: 'timer', id: 1, atMs: 2010 }]);
    const ended = desk.exit(1n, { code: 1 });
    expect(sent(ended)).toMatchObject([{ ref: 1, err: Status.PROCESS, error }]);
    expect(ended).toContainEqual({ kind: 'clear-timer', id: 1 });
  });

  it('that ends too early fails with how it ended [SVC-023]', () => {
    const desk = new Desk();
    desk.create(1n);
    desk.create(2n);
    desk.spawned(1n);
    const [failed] = sent(desk.exit(1n, { signal: 11 }));
    expect(failed).toMatchObject({ ref: 1, err: Status.PROCESS });
    expect(failed).toHaveProperty('info', expect.stringContaining('signal 11'));
    expect(sent(desk.exit(2n, { code: 3 }))).toEqual([]);
    expect(sent(desk.spawned(2n))[0]).toHaveProperty('info', expect.stringContaining('code 3'));
    expect(desk.state.earlyExits.size).toBe(0);
  });
});

describe('ending a process', () => {
  it('is reported after its actors were reclaimed, with what it threw [SVC-033]', () => {
    const desk = new Desk();
    desk.started(1n);
    for (const actorId of [7, 8]) desk.feed({ kind: 'actor', actorId, pid: 1001 });
    desk.tell({ type: 'ProcessFailed', puid: 1n, error: Uint8Array.of(6) });
    const effects = desk.exit(1n, { code: 1 });
    expect(effects.slice(0, 3)).toEqual([
      { kind: 'reclaim', actorId: 7 },
      { kind: 'reclaim', actorId: 8 },
      {
        kind: 'send',
        message: { type: 'LsProcessExit', puid: 1n, exitCode: 1, error: Uint8Array.of(6) },
      },
    ]);
    expect(desk.feed({ kind: 'actor-dead', actorId: 7, pid: 1001 })).toEqual([]);
  });

  it('of one actor only reclaims that one [SVC-033]', () => {
    const desk = new Desk();
    desk.started(1n);
    for (const actorId of [7, 8]) desk.feed({ kind: 'actor', actorId, pid: 1001 });
    const reclaimed = desk.feed({ kind: 'actor-dead', actorId: 7, pid: 1001 });
    expect(reclaimed).toEqual([{ kind: 'reclaim', actorId: 7 }]);
    expect(desk.exit(1n)[0]).toEqual({ kind: 'reclaim', actorId: 8 });
    expect(desk.state.actors.size).toBe(0);
  });

  it('by a signal waits until there is a process to signal [SVC-031]', () => {
    const desk = new Desk();
    desk.create(1n);
    const kill = { type: 'LsProcessKill', tag: 5, puid: 1n, signal: 15 } as const;
    expect(sent(desk.tell(kill))).toEqual([{ type: 'LsReply', ref: 5, err: 0 }]);
    expect(desk.spawned(1n)[0]).toEqual({ kind: 'signal', pid: 1001, signal: 15 });
    expect(desk.tell(kill)[0]).toEqual({ kind: 'signal', pid: 1001, signal: 15 });
    desk.exit(1n);
    expect(sent(desk.tell(kill))[0]).toHaveProperty('err', Status.NOT_FOUND);
  });

  it('of a daemon begins with SIGTERM and ends with SIGKILL [SVC-032, SVC-035]', () => {
    const desk = new Desk();
    desk.started(1n);
    const end = { type: 'LsProcessEnd', puid: 1n, patienceMs: 1000 } as const;
    expect(desk.tell(end, 5)).toEqual([
      { kind: 'signal', pid: 1001, signal: SIGTERM },
      { kind: 'timer', id: 1, atMs: 1005 },
    ]);
    expect(desk.feed({ kind: 'timer', id: 1, nowMs: 1005 })).toEqual([
      { kind: 'signal', pid: 1001, signal: SIGKILL },
    ]);
    const atOnce = desk.tell({ ...end, patienceMs: 0 });
    expect(atOnce).toEqual([{ kind: 'signal', pid: 1001, signal: SIGKILL }]);
    desk.exit(1n);
    expect(desk.tell(end)).toEqual([]);
  });
});

describe('local services', () => {
  it('count what is not for them and go on [SVC-005]', () => {
    const desk = new Desk();
    desk.feed({ kind: 'unreadable', what: 'rubbish', sender: undefined });
    desk.tell({ type: 'ProcessStarted', puid: 9n });
    desk.tell({ type: 'ProcessFailed', puid: 9n, error: new Uint8Array() });
    desk.tell({ type: 'ProcessStartFailed', puid: 9n, error: new Uint8Array() });
    desk.tell({ type: 'LsHalted', nodeId: 1 });
    expect(desk.state.invalidMessages).toBe(5);
    expect(desk.effects.map(({ kind }) => kind)).toEqual(Array(5).fill('log'));
    desk.exit(9n);
    desk.spawned(9n);
    expect(desk.effects).toHaveLength(5);
  });

  it('end every process at the teardown [SVC-060, SVC-061]', () => {
    const desk = new Desk();
    desk.feed({ kind: 'adopt', puid: 1n, pid: 1001 });
    desk.create(2n);
    const effects = desk.tell({ type: 'LsTeardown', patienceMs: 100 }, 0);
    expect(effects[0]).toEqual({ kind: 'signal', pid: 1001, signal: SIGTERM });
    expect(sent(desk.create(3n))[0]).toHaveProperty('err', Status.STATE);
    expect(desk.spawned(2n)).toContainEqual({ kind: 'signal', pid: 1002, signal: SIGTERM });
    const sooner = desk.tell({ type: 'LsTeardown', patienceMs: 10 }, 5);
    expect(sooner).toEqual([
      { kind: 'clear-timer', id: 1 },
      { kind: 'timer', id: 2, atMs: 15 },
    ]);
    const killed = desk.feed({ kind: 'timer', id: 2, nowMs: 15 });
    expect(killed.filter(({ kind }) => kind === 'signal')).toEqual([
      { kind: 'signal', pid: 1001, signal: SIGKILL },
      { kind: 'signal', pid: 1002, signal: SIGKILL },
    ]);
    expect(sent(desk.exit(2n, { signal: 9 }))[0]).toHaveProperty('err', Status.PROCESS);
    expect(sent(desk.exit(1n, { signal: 9 })).at(-1)).toEqual({ type: 'LsHalted', nodeId: 3 });
  });

  it('halt although a process does not even end by SIGKILL [SVC-060]', () => {
    const desk = new Desk();
    desk.create(1n);
    desk.spawned(1n);
    desk.tell({ type: 'LsTeardown', patienceMs: 100 }, 0);
    desk.feed({ kind: 'timer', id: 1, nowMs: 100 });
    const last = desk.feed({ kind: 'timer', id: 2, nowMs: 1100 });
    expect(sent(last).map(({ type }) => type)).toEqual(['LsProcessCreated', 'LsHalted']);
    expect(desk.tell({ type: 'LsTeardown', patienceMs: 1 })).toEqual([]);
  });
});
