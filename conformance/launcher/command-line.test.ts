/** Options, help, and errors that are one line. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot, type RunOptions, runDragon } from '../harness/dragon.ts';
import { freshFolder } from './folders.ts';
import { ending } from './runs.ts';

/** The one line on standard error of a command that fails with this code. */
async function oneLine(words: readonly string[], code: number, options: RunOptions = {}) {
  const result = await runDragon(words, options);
  expect(result).toMatchObject({ code, stdout: '' });
  expect(result.stderr).toMatch(/^dragon: [^\n]+\n$/);
  return result.stderr;
}

describe('dragon', () => {
  it('prints its help, and that of each command [LNC-004]', async () => {
    const help = await runDragon(['--help']);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    for (const text of ['usage: dragon [options] PROG', '--log-level', 'dragon ps']) {
      expect(help.stdout).toContain(text);
    }
    expect((await runDragon(['-h'])).stdout).toBe(help.stdout);
    for (const command of ['ps', 'cleanup']) {
      const { code, stdout } = await runDragon([command, '--help']);
      expect(code).toBe(0);
      expect(stdout).toContain(`usage: dragon ${command}`);
    }
  });

  it('prints the release of the package [LNC-004]', async () => {
    const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));
    const { code, stdout } = await runDragon(['--version']);
    expect(code).toBe(0);
    expect(stdout).toBe(`${version}\n`);
  });

  it('refuses a wrong use in one line with exit code 2 [LNC-003]', async () => {
    expect(await oneLine([], 2)).toContain('name a program');
    expect(await oneLine(['--no-such', 'p.ts'], 2)).toContain('unknown option --no-such');
    expect(await oneLine(['--seg-size'], 2)).toContain('needs SIZE');
    expect(await oneLine(['ps', '--jsno'], 2)).toContain('did you mean --json');
    expect(await oneLine(['cleanup', 'all'], 2)).toContain("'all' is not expected");
  });

  it('refuses what needs several nodes [LNC-005]', async () => {
    expect(await oneLine(['-N', '2', ending], 2)).toContain('not supported by this release');
    expect(await oneLine(['--wlm', 'slurm', ending], 2)).toContain('not supported');
    expect((await runDragon(['-N', '1', '-s', ending, 'code', '3'])).code).toBe(3);
  });

  it('refuses a program that can not be run, in one line with exit code 1 [LNC-011]', async () => {
    const cwd = freshFolder();
    mkdirSync(join(cwd, 'dir.ts'));
    writeFileSync(join(cwd, 'plain'), '');
    expect(await oneLine(['no-such.ts'], 1, { cwd })).toContain('no-such.ts does not exist');
    expect(await oneLine(['no-such'], 1, { cwd })).toContain('no-such does not exist');
    expect(await oneLine(['dir.ts'], 1, { cwd })).toContain('is a directory');
    expect(await oneLine(['./plain'], 1, { cwd })).toContain('chmod u+x');
    writeFileSync(join(cwd, 'broken'), 'no executable format');
    chmodSync(join(cwd, 'broken'), 0o755);
    expect(await oneLine(['./broken'], 1, { cwd })).toContain("can't start");
  });

  it('logs to files when it is asked to, and not otherwise [LNC-007]', async () => {
    const cwd = freshFolder();
    const logs = freshFolder();
    const words = ['--debug', '--base-dir', logs, ending, 'code', '0'];
    expect((await runDragon(words, { cwd })).code).toBe(0);
    const files = readdirSync(logs).map((name) => name.replace(/_r.*/, ''));
    expect(files).toEqual(expect.arrayContaining(['dragon', 'launcher']));
    expect(await oneLine(['-l', 'loud', ending], 2)).toContain('takes a level');
    expect(readdirSync(cwd)).toEqual([]);
  });
});
