/** What a program gets, and what `dragon` makes of its end. */
import { chmodSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runDragon } from '../harness/dragon.ts';
import { freshFolder } from './folders.ts';
import { ending } from './runs.ts';

describe('the exit code', () => {
  it.each([0, 1, 7, 255])('is the one of a head that exits with %i [LNC-013]', async (code) => {
    const result = await runDragon([ending, 'code', String(code)]);
    expect(result).toMatchObject({ code, stdout: '', stderr: '' });
  });

  it('of a head that throws is 1, and its own message is told [LNC-013] [LNC-012]', async () => {
    const { code, stdout, stderr } = await runDragon([ending, 'throw']);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain('RangeError: thrown by the head');
  });

  it('of a head that a signal ends is 128 plus its number [LNC-013]', async () => {
    expect((await runDragon([ending, 'segv'])).code).toBe(139);
    expect((await runDragon(['sh', '-c', 'kill -KILL $$'])).code).toBe(137);
  });

  it('of a head whose top-level await never settles is 13 [LNC-013]', async () => {
    const { code, stderr } = await runDragon([ending, 'unsettled']);
    expect(code).toBe(13);
    expect(stderr).toMatch(/top-level await/);
  });
});

describe('a program', () => {
  it('gets its arguments, directory and environment unchanged [LNC-001] [LNC-012]', async () => {
    const cwd = realpathSync(freshFolder());
    const words = ['report', '--version', '-N', '2', '', 'two words', '--'];
    const { stdout } = await runDragon([ending, ...words], { cwd, env: { MARK: 'it is' } });
    const report = JSON.parse(stdout);
    expect(report).toEqual({ argv: words, program: ending, cwd, mark: 'it is' });
  });

  it('has its standard output and standard error apart [LNC-012]', async () => {
    const { stdout, stderr } = await runDragon([ending, 'streams']);
    const lines = (word: string) => Array.from({ length: 1000 }, (_, i) => `${word} ${i}\n`);
    expect(stdout).toBe(lines('out').join(''));
    expect(stderr).toBe(lines('err').join(''));
  });

  it('reads what comes on standard input [LNC-012]', async () => {
    const input = 'all of this\n'.repeat(10_000);
    const { stdout } = await runDragon([ending, 'echo'], { input });
    expect(stdout).toBe(input.toUpperCase());
  });

  it('that is no script is run as it is, by name or by path [LNC-010]', async () => {
    const byName = await runDragon(['sh', '-c', 'echo "$0 $1"; exit 3', 'zero', 'one']);
    expect(byName).toMatchObject({ code: 3, stdout: 'zero one\n' });
    const cwd = freshFolder();
    const path = join(cwd, 'tool');
    writeFileSync(path, '#!/bin/sh\necho "tool $1 $DRAGON_ROLE"\n');
    chmodSync(path, 0o755);
    expect((await runDragon(['./tool', 'x'], { cwd })).stdout).toBe('tool x head\n');
    expect((await runDragon(['tool', 'x'], { cwd })).stdout).toBe('tool x head\n');
  });

  it('runs under the interpreter that was chosen [LNC-006]', async () => {
    const cwd = freshFolder();
    const path = join(cwd, 'interpreter');
    writeFileSync(path, `#!/bin/sh\necho chosen\nexec '${process.execPath}' "$@"\n`);
    chmodSync(path, 0o755);
    const byOption = await runDragon(['--node', path, ending, 'code', '4']);
    expect(byOption).toMatchObject({ code: 4, stdout: 'chosen\n' });
    const byVariable = await runDragon([ending, 'code', '5'], { env: { DRAGON_NODE: path } });
    expect(byVariable).toMatchObject({ code: 5, stdout: 'chosen\n' });
  });

  it('leaves its own children to the launcher, which ends them [LNC-014]', async () => {
    const script = 'sleep 1000 & setsid sleep 1000 & exit 6';
    const result = await runDragon(['sh', '-c', `(${script}) >/dev/null 2>&1; exit 6`]);
    expect(result.code).toBe(6);
    expect(result.elapsedMs).toBeLessThan(1900);
  });

  it('may be one of many that run at once [LNC-015]', async () => {
    const count = process.env['DRAGON_TEST_SIZE'] === 'full' ? 100 : 12;
    const codes = Array.from({ length: count }, (_, index) => index % 7);
    const runs = codes.map((code) => runDragon(['sh', '-c', `sleep 0.2; exit ${code}`]));
    expect((await Promise.all(runs)).map((result) => result.code)).toEqual(codes);
  });
});
