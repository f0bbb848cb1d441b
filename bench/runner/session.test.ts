/** The end of a run that is interrupted. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { caseOf, kitOf, shell } from './fixture.ts';
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
