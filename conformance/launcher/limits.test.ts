/** Machines with little, and places that can't be used. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dragonCommand, type RunOptions, run, runDragon } from '../harness/dragon.ts';
import { need } from '../harness/needs.ts';
import { freshFolder } from './folders.ts';
import { ending } from './runs.ts';

/** `dragon` from a shell that has changed its own limits first. */
function limited(setup: string, words: readonly string[], options: RunOptions = {}) {
  const script = `${setup}; exec "$@"`;
  return run('sh', ['-c', script, 'sh', process.execPath, dragonCommand, ...words], options);
}

async function refused(base: string): Promise<string> {
  const env = { DRAGON_RUNTIME_BASE: base };
  const result = await runDragon([ending, 'code', '0'], { env });
  expect(result).toMatchObject({ code: 1, stdout: '' });
  expect(result.stderr).toMatch(/^dragon: can't use [^\n]*DRAGON_RUNTIME_BASE[^\n]*\n$/);
  return result.stderr;
}

describe('a runtime base', () => {
  it('that can not be used is one line with cause and fix, exit code 1 [LNC-042]', async () => {
    const folder = freshFolder();
    writeFileSync(join(folder, 'file'), '');
    expect(await refused(join(folder, 'file'))).toContain('not a directory');
    expect(await refused(join(folder, 'no/such'))).toContain('does not exist');
    mkdirSync(join(folder, 'open'));
    chmodSync(join(folder, 'open'), 0o777);
    expect(await refused(join(folder, 'open'))).toContain('others may write it');
    symlinkSync(freshFolder(), join(folder, 'link'));
    expect(await refused(join(folder, 'link'))).toContain('not a directory');
    expect(await refused(join(folder, 'x'.repeat(80)))).toContain('longer than');
    expect(await refused('/proc/dragon')).toContain("can't use /proc/dragon");
  });

  it('of the runtime itself is made when needed and removed when empty [LNC-040]', async () => {
    const session = freshFolder();
    const env = { DRAGON_RUNTIME_BASE: undefined, XDG_RUNTIME_DIR: session };
    const { stdout } = await runDragon(['sh', '-c', 'echo $DRAGON_RUNTIME_DIR'], { env });
    expect(stdout.startsWith(join(session, 'dragon', 'r'))).toBe(true);
    expect(existsSync(join(session, 'dragon'))).toBe(false);
  });
});

describe('a cache', () => {
  it('that can not be used costs time and nothing else [LNC-044]', async () => {
    const cwd = freshFolder();
    writeFileSync(join(cwd, 'hello.ts'), "const text: string = 'hello';\nconsole.log(text);\n");
    writeFileSync(join(cwd, 'file'), '');
    for (const cache of ['/proc/cache', join(cwd, 'file')]) {
      const result = await runDragon(['hello.ts'], { cwd, env: { DRAGON_CACHE_DIR: cache } });
      expect(result).toMatchObject({ code: 0, stdout: 'hello\n', stderr: '' });
    }
  });
});

describe('a machine', () => {
  it('with 64 descriptors suffices [LNC-043]', async () => {
    expect((await limited('ulimit -n 64', [ending, 'code', '3'])).code).toBe(3);
  });

  it('with fewer than needed is told so in one line [LNC-043]', async () => {
    const { code, stdout, stderr } = await limited('ulimit -n 32', [ending, 'code', '3']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^dragon: only 32 file descriptors [^\n]*ulimit -n[^\n]*\n$/);
    // Node itself aborts with so few: the command has to say it before.
    const beforeNode = await run('sh', ['-c', 'ulimit -n 15; exec "$0"', dragonCommand]);
    expect(beforeNode.code).toBe(1);
    expect(beforeNode.stderr).toMatch(/^dragon: only 15 file descriptors [^\n]*ulimit[^\n]*\n$/);
  });

  it('with one core suffices [LNC-013]', async (context) => {
    need(context, 'the command taskset', existsSync('/usr/bin/taskset'));
    const setup = 'taskset -pc 0 $$ >/dev/null';
    expect((await limited(setup, [ending, 'code', '3'])).code).toBe(3);
  });

  it('with 64 MiB of shared memory suffices [LNC-013]', async (context) => {
    const mount = 'mount -t tmpfs -o size=64m none /dev/shm';
    need(context, 'the right to mount', canMount(mount));
    const words = ['-m', 'sh', '-c', `${mount}; exec "$@"`, 'sh', process.execPath, dragonCommand];
    expect((await run('unshare', [...words, ending, 'code', '3'])).code).toBe(3);
  });
});

function canMount(mount: string): boolean {
  try {
    execFileSync('unshare', ['-m', 'sh', '-c', mount], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
