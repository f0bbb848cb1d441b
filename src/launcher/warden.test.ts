/** White box: the warden through its native face. */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freshFolder } from '../../conformance/launcher/folders.ts';
import { packageRoot } from '../core/native.ts';
import { processBinding } from './process-binding.ts';
import { Warden, type WardenExit, type WardenSpawn } from './warden.ts';

const { SIGKILL, SIGTERM } = constants.signals;

interface Setup {
  readonly warden: Warden;
  readonly folder: string;
  readonly exits: Map<number, WardenExit>;
  readonly gone: Promise<WardenExit>;
  exit(pid: number): Promise<WardenExit>;
}

function setup(): Setup {
  const folder = freshFolder();
  mkdirSync(join(folder, 'r1-00000000'));
  const executable = join(packageRoot(), 'build', 'Release', 'dragon-warden');
  const base = { path: folder, keep: true };
  const warden = Warden.start({ executable, base, runId: 'r1-00000000' });
  const exits = new Map<number, WardenExit>();
  const waiting = new Map<number, (exit: WardenExit) => void>();
  warden.onExit((pid, exit) => {
    exits.set(pid, exit);
    waiting.get(pid)?.(exit);
  });
  const gone = new Promise<WardenExit>((resolve) => warden.onDeath(resolve));
  const exit = (pid: number) => {
    const known = exits.get(pid);
    if (known !== undefined) return Promise.resolve(known);
    return new Promise<WardenExit>((resolve) => waiting.set(pid, resolve));
  };
  return { warden, folder, exits, gone, exit };
}

function shell(script: string, changes: Partial<WardenSpawn> = {}): WardenSpawn {
  const stdio = ['null', 'null', 'null'] as const;
  const env = { PATH: '/usr/bin:/bin' };
  return { exe: '/bin/sh', args: ['-c', script], env, cwd: '/', stdio, ...changes };
}

describe('the warden', () => {
  it('starts processes, passes descriptors and reports ends [PRC-002] [PRC-007]', async () => {
    const { warden, folder, exit, gone } = setup();
    const output = openSync(join(folder, 'out'), 'w');
    const stdio = ['null', output, 'null'] as const;
    const first = await warden.spawn(shell('echo $0 $MARK; exit 7', { stdio, env: { MARK: 'm' } }));
    closeSync(output);
    const second = await warden.spawn(shell('kill -KILL $$'));
    expect(await exit(first.pid)).toEqual({ code: 7 });
    expect(await exit(second.pid)).toEqual({ signal: SIGKILL });
    expect(readFileSync(join(folder, 'out'), 'utf8')).toBe('/bin/sh m\n');
    warden.halt(0);
    expect(await gone).toEqual({ code: 0 });
    expect(existsSync(join(folder, 'r1-00000000'))).toBe(false);
  });

  it('tells why a process could not be started [PRC-005] [PRC-006]', async () => {
    const { warden, gone } = setup();
    const failing = (changes: Partial<WardenSpawn>) => warden.spawn(shell('true', changes));
    await expect(failing({ exe: 'no-such' })).rejects.toThrow("can't start no-such: it is not in");
    await expect(failing({ exe: '/no/such' })).rejects.toThrow('no such file');
    await expect(failing({ exe: '/etc/passwd' })).rejects.toThrow('permission denied');
    await expect(failing({ cwd: '/no/such' })).rejects.toThrow("can't enter /no/such");
    await expect(failing({ stdio: [9999, 'null', 'null'] })).rejects.toThrow('bad file descriptor');
    await expect(failing({ exe: '/no/such' })).rejects.toMatchObject({ code: 'ERR_PROCESS' });
    warden.halt(0);
    await gone;
  });

  it('signals a process by its start, and nobody once it has ended [PRC-009]', async () => {
    const { warden, exit, gone } = setup();
    const { pid } = await warden.spawn(shell('exec sleep 30'));
    warden.signal(process.pid, SIGKILL);
    warden.signal(pid, SIGTERM);
    expect(await exit(pid)).toEqual({ signal: SIGTERM });
    warden.signal(pid, SIGKILL);
    warden.halt(0);
    expect(await gone).toEqual({ code: 0 });
  });

  it('reports many ends after their starts [PRC-007] [PRC-011]', async () => {
    const { warden, exits, exit, gone } = setup();
    const started = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const { pid } = await warden.spawn(shell(`exit ${index}`));
        // The end is not known yet where the start is being told.
        return { pid, known: exits.has(pid), ended: await exit(pid), index };
      }),
    );
    for (const { known, ended, index } of started) {
      expect(known).toBe(false);
      expect(ended).toEqual({ code: index });
    }
    warden.halt(0);
    await gone;
  });

  it('rejects what is pending when it dies, and its children die with it [PRC-017]', async () => {
    const { warden, gone } = setup();
    const { pid } = await warden.spawn(shell('exec sleep 30'));
    process.kill(warden.pid, 'SIGSTOP');
    const pending = warden.spawn(shell('true'));
    process.kill(warden.pid, 'SIGKILL');
    await expect(pending).rejects.toThrow('the warden is gone');
    expect(await gone).toEqual({ signal: SIGKILL });
    await expect
      .poll(() => processBinding().processStat(pid)?.state ?? 'Z', { timeout: 2000 })
      .toBe('Z');
    await expect(warden.spawn(shell('true'))).rejects.toThrow();
  });

  it('that is no executable is refused in a line [PRC-006]', () => {
    const base = { path: '/tmp', keep: true };
    const start = () => Warden.start({ executable: '/no/warden', base, runId: 'r1-0' });
    expect(start).toThrow("can't start /no/warden: no such file");
  });
});
