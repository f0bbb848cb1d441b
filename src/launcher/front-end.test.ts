/** White box: what signals, exits and deaths mean. */
import { constants } from 'node:os';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type FrontEndEffect,
  type FrontEndEvent,
  type FrontEndState,
  frontEndState,
  GRACE_MS,
  step,
  TERMINATION_PATIENCE_MS,
} from './front-end.ts';

const { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGSEGV } = constants.signals;

/** Feeds events and collects the effects of the last one. */
function feed(...events: readonly FrontEndEvent[]): {
  state: FrontEndState;
  effects: FrontEndEffect[];
} {
  const state = frontEndState();
  let effects: FrontEndEffect[] = [];
  for (const event of events) effects = step(state, event);
  return { state, effects };
}

function signal(number: number, timeMs: number, fromTerminal = false): FrontEndEvent {
  return { kind: 'signal', signal: number, fromTerminal, timeMs };
}

const started = { kind: 'head-started' } as const;
const exited = (code: number) => ({ kind: 'head-exited', code }) as const;
const wardenDone = { kind: 'warden-gone', code: 0 } as const;

describe('exit codes', () => {
  it('the rest is halted with a grace, then the head has decided [LNC-013] [LNC-014]', () => {
    expect(feed(started, exited(7)).effects).toContainEqual({ kind: 'halt', graceMs: GRACE_MS });
    expect(feed(started, exited(7), { kind: 'halted', left: 0 }).effects).toEqual([]);
    const { effects } = feed(started, exited(7), { kind: 'halted', left: 0 }, wardenDone);
    expect(effects).toEqual([{ kind: 'exit', code: 7 }]);
  });

  it('a signal that ends the head counts as 128 plus its number [LNC-013]', () => {
    const { effects } = feed(started, { kind: 'head-exited', signal: SIGSEGV }, wardenDone);
    expect(effects).toEqual([{ kind: 'exit', code: 128 + SIGSEGV }]);
  });

  it('a head that can not be started is told in a line [LNC-011]', () => {
    const failed = { kind: 'start-failed', text: 'no', exitCode: 1 } as const;
    expect(feed(failed).effects[0]).toEqual({ kind: 'say', text: 'no' });
    expect(feed(failed, wardenDone).effects).toEqual([{ kind: 'exit', code: 1 }]);
  });
});

describe('interrupts', () => {
  it('one of the terminal is left to the head, one of a process is passed on [LNC-020]', () => {
    expect(feed(started, signal(SIGINT, 0, true)).effects).toEqual([]);
    expect(feed(started, signal(SIGINT, 0, false)).effects).toEqual([
      { kind: 'signal-head', signal: SIGINT },
    ]);
  });

  it('after the first the head decides the exit code [LNC-020]', () => {
    const events = [started, signal(SIGINT, 0, true), exited(3), wardenDone];
    expect(feed(...events).effects).toEqual([{ kind: 'exit', code: 3 }]);
  });

  it('a second kills everything with exit code 130 [LNC-021]', () => {
    const events = [started, signal(SIGINT, 0, true), signal(SIGINT, 300, true)];
    expect(feed(...events).effects).toContainEqual({ kind: 'halt', graceMs: 0 });
    expect(feed(...events, exited(0), wardenDone).effects).toEqual([{ kind: 'exit', code: 130 }]);
  });

  it('one that a wrapper passes on, or that comes at once again, is no second [LNC-021]', () => {
    expect(feed(started, signal(SIGINT, 0, true), signal(SIGINT, 900)).effects).toEqual([]);
    expect(feed(started, signal(SIGINT, 0), signal(SIGINT, 40)).effects).toEqual([]);
    const late = feed(started, signal(SIGINT, 0, true), signal(SIGINT, 1100)).effects;
    expect(late).toContainEqual({ kind: 'halt', graceMs: 0 });
  });

  it('one while the rest ends takes the grace away and keeps the exit code [LNC-014]', () => {
    const events = [started, exited(7), signal(SIGINT, 0, true)];
    expect(feed(...events).effects).toContainEqual({ kind: 'halt', graceMs: 0 });
    expect(feed(...events, wardenDone).effects).toEqual([{ kind: 'exit', code: 7 }]);
  });

  it('a quit is passed on unless the terminal sent it [LNC-020]', () => {
    expect(feed(started, signal(SIGQUIT, 0, true)).effects).toEqual([]);
    expect(feed(started, signal(SIGQUIT, 0)).effects).toEqual([
      { kind: 'signal-head', signal: SIGQUIT },
    ]);
  });
});

describe('termination', () => {
  it('is passed to the head, and after five seconds everything is killed [LNC-022]', () => {
    for (const number of [SIGTERM, SIGHUP]) {
      const first = feed(started, signal(number, 0)).effects;
      expect(first).toEqual([
        { kind: 'signal-head', signal: number },
        { kind: 'timer', afterMs: TERMINATION_PATIENCE_MS },
      ]);
      const events = [started, signal(number, 0), { kind: 'patience-over' } as const];
      expect(feed(...events).effects).toContainEqual({ kind: 'halt', graceMs: 0 });
      const last = feed(...events, exited(0), wardenDone).effects;
      expect(last).toEqual([{ kind: 'exit', code: 128 + number }]);
    }
  });

  it('a head that ends in time decides the exit code [LNC-022]', () => {
    const { effects } = feed(started, signal(SIGTERM, 0), exited(0), wardenDone);
    expect(effects).toEqual([{ kind: 'exit', code: 0 }]);
  });

  it('repeated, it changes nothing [LNC-022]', () => {
    expect(feed(started, signal(SIGTERM, 0), signal(SIGTERM, 10)).effects).toEqual([]);
  });

  it('before the head runs, any signal ends the run at once [LNC-023]', () => {
    for (const number of [SIGINT, SIGTERM, SIGHUP, SIGQUIT]) {
      expect(feed(signal(number, 0)).effects).toContainEqual({ kind: 'halt', graceMs: 0 });
      const { effects } = feed(signal(number, 0), wardenDone);
      expect(effects).toEqual([{ kind: 'exit', code: 128 + number }]);
    }
  });
});

describe('the warden', () => {
  it('when it dies the launcher sweeps, says so and exits with 1 [LNC-031]', () => {
    const { effects } = feed(started, { kind: 'warden-gone', signal: 9 });
    expect(effects.map(({ kind }) => kind)).toEqual(['say', 'sweep', 'exit']);
    expect(effects).toContainEqual({ kind: 'exit', code: 1 });
  });

  it('when it does not answer in time the launcher does its work [LNC-031]', () => {
    const { effects } = feed(started, exited(0), { kind: 'patience-over' });
    expect(effects.map(({ kind }) => kind)).toEqual(['say', 'sweep', 'exit']);
  });

  it('when it can not end a process the launcher leaves it to the warden [LNC-014]', () => {
    const { effects } = feed(started, exited(0), { kind: 'halted', left: 1 });
    expect(effects.map(({ kind }) => kind)).toEqual(['say', 'exit']);
  });

  it('whatever happens in which order, a run exits once and stays over [LNC-013]', () => {
    const event = fc.oneof(
      fc.constant<FrontEndEvent>(started),
      fc.constant<FrontEndEvent>({ kind: 'patience-over' }),
      fc.nat(255).map<FrontEndEvent>(exited),
      fc.nat(1).map<FrontEndEvent>((left) => ({ kind: 'halted', left })),
      fc
        .record({ number: fc.constantFrom(SIGINT, SIGTERM), time: fc.nat(9999), tty: fc.boolean() })
        .map(({ number, time, tty }) => signal(number, time, tty)),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (events) => {
        const state = frontEndState();
        const effects = [...events, { kind: 'warden-gone', signal: 9 } as const].flatMap((one) =>
          step(state, one),
        );
        const exits = effects.filter(({ kind }) => kind === 'exit');
        expect(exits).toHaveLength(1);
        expect(effects.at(-1)?.kind).toBe('exit');
        expect(step(state, exited(0))).toEqual([]);
      }),
    );
  });
});
