import { describe, expect, it } from 'vitest';
import { ClosedError, DragonError } from '../runtime/errors/index.ts';
import { deadlineOf, leftUntil, Turns } from './turns.ts';

/** An operation that ends when it is told to. */
function operation(log: string[], name: string) {
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const run = async (): Promise<string> => {
    log.push(name);
    await ended;
    return name;
  };
  return { run, end: () => end() };
}

const late = (): string => 'late';

describe('turns', () => {
  it('let calls happen one after the other, in order [QUE-006, PIP-012]', async () => {
    const turns = new Turns();
    const log: string[] = [];
    const operations = ['a', 'b', 'c'].map((name) => operation(log, name));
    expect(turns.idle).toBe(true);
    const runs = operations.map(({ run }) => turns.run(undefined, run, late));
    expect(turns.idle).toBe(false);
    for (const { end } of operations.toReversed()) {
      await new Promise(setImmediate);
      expect(log).toEqual(['a']);
      end();
    }
    expect(await Promise.all(runs)).toEqual(['a', 'b', 'c']);
    expect(log).toEqual(['a', 'b', 'c']);
    expect(turns.idle).toBe(true);
  });

  it('count waiting for a turn against the time-out [QUE-010]', async () => {
    const turns = new Turns();
    const log: string[] = [];
    const first = operation(log, 'first');
    const running = turns.run(undefined, first.run, late);
    const second = operation(log, 'second');
    const startMs = performance.now();
    expect(await turns.run({ timeout: 20 }, second.run, late)).toBe('late');
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(19);
    const third = operation(log, 'third');
    const waiting = turns.run({ timeout: 10_000 }, third.run, late);
    first.end();
    third.end();
    expect(await running).toBe('first');
    expect(await waiting).toBe('third');
    expect(log).toEqual(['first', 'third']);
  });

  it('give a turn up when the call is aborted, and keep the order [QUE-013]', async () => {
    const turns = new Turns();
    const log: string[] = [];
    const first = operation(log, 'first');
    const running = turns.run(undefined, first.run, late);
    const controller = new AbortController();
    const aborted = turns.run({ signal: controller.signal }, operation(log, 'no').run, late);
    const last = operation(log, 'last');
    const waiting = turns.run(undefined, last.run, late);
    controller.abort('enough');
    await expect(aborted).rejects.toBe('enough');
    await new Promise(setImmediate);
    expect(log).toEqual(['first']);
    first.end();
    last.end();
    expect([await running, await waiting]).toEqual(['first', 'last']);
    expect(log).toEqual(['first', 'last']);
  });

  it('reject everything that waits when they are closed [QUE-030]', async () => {
    const turns = new Turns();
    const log: string[] = [];
    let end = (_error: unknown): void => undefined;
    const running = turns.run(
      undefined,
      () =>
        new Promise<string>((_, reject) => {
          end = reject;
        }),
      late,
    );
    const waiting = turns.run(undefined, operation(log, 'never').run, late);
    const reason = new ClosedError('closed');
    turns.close(reason);
    // As a handle's operation ends when the handle is closed.
    end(new DragonError('closed', { code: 'ERR_CLOSED' }));
    await expect(running).rejects.toBe(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(turns.run(undefined, operation(log, 'never').run, late)).rejects.toBe(reason);
    expect(log).toEqual([]);
  });

  it('measure what is left of a time-out [QUE-011]', () => {
    expect(leftUntil(deadlineOf(undefined))).toBe(Number.POSITIVE_INFINITY);
    expect(leftUntil(deadlineOf({ timeout: -5 }))).toBe(0);
    expect(() => deadlineOf({ timeout: Number.NaN })).toThrow(TypeError);
  });
});
