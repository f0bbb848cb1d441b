/** The end of a run that is interrupted. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { caseOf, kitOf, printing, shell } from './fixture.ts';
import { planUnits } from './schedule.ts';
import { Session } from './session.ts';

const SIGNALS = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const;

it.each(SIGNALS)(
  '%s ends the program, removes the scratch and exits with %i [BEN-030]',
  async (signal, code) => {
    const kit = kitOf([]);
    const note = join(kit.root, 'pid');
    const known = new Set(process.listeners(signal));
    const session = new Session({ ...kit, profile: 'smoke', runs: 2, seed: 1 });
    const added = process.listeners(signal).filter((listener) => !known.has(listener));
    const exit = vi.spyOn(process, 'exit').mockReturnValue(undefined as never);
    try {
      const cases = [caseOf('a', { product: shell(`echo $$ >> ${note}; exec sleep 600`) })];
      const reported = vi.fn();
      void session.rounds(planUnits(cases, 'smoke', session.places)).then(reported);
      while (!existsSync(note) || readFileSync(note, 'utf8') === '') await sleep(5);
      const pid = Number(readFileSync(note, 'utf8'));
      expect(added).toHaveLength(1);
      added[0]?.(signal);
      while (exit.mock.calls.length === 0) await sleep(5);
      expect(exit).toHaveBeenCalledWith(code);
      expect(existsSync(`/proc/${pid}`)).toBe(false);
      expect(existsSync(session.places.scratch)).toBe(false);
      expect(Number(readFileSync(note, 'utf8'))).toBe(pid);
      expect(reported).not.toHaveBeenCalled();
    } finally {
      exit.mockRestore();
      session.close();
      rmSync(kit.root, { recursive: true });
    }
    expect(process.listeners(signal)).toEqual([...known]);
  },
);

it('what was measured before an interruption is in the result file [BEN-030]', async () => {
  const kit = kitOf([]);
  const note = join(kit.root, 'pid');
  const output = join(kit.root, 'out.jsonl');
  const known = new Set(process.listeners('SIGTERM'));
  const session = new Session({ ...kit, profile: 'smoke', runs: 1, seed: 1, output });
  const added = process.listeners('SIGTERM').filter((listener) => !known.has(listener));
  const exit = vi.spyOn(process, 'exit').mockReturnValue(undefined as never);
  try {
    const cases = [
      caseOf('quick', { product: printing(7) }),
      caseOf('long', { product: shell(`echo $$ >> ${note}; exec sleep 600`) }),
    ];
    void session.rounds(planUnits(cases, 'smoke', session.places));
    while (!existsSync(note)) await sleep(5);
    added[0]?.('SIGTERM');
    while (exit.mock.calls.length === 0) await sleep(5);
    const [meta, ...samples] = readFileSync(output, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(meta).toMatchObject({ kind: 'meta', interrupted: true });
    expect(samples).toMatchObject([{ kind: 'sample', case: 'quick', p50: 7 }]);
  } finally {
    exit.mockRestore();
    session.close();
    rmSync(kit.root, { recursive: true });
  }
});
