/** What `ci/system-deps` does on a Debian that has nothing, played by scripts. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { run } from './process.mjs';

let folder: string;

function command(name: string, script: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, name), 0o700);
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'system'));
  command('dpkg-query', 'exit 1');
  command('id', 'echo 0');
  command('apt-get', `echo "$@" >> ${folder}/calls`);
});

afterEach(() => rmSync(folder, { recursive: true }));

async function systemDeps(env: NodeJS.ProcessEnv) {
  const PATH = `${folder}:${process.env['PATH']}`;
  const result = await run('ci/system-deps', [], {
    quiet: true,
    env: { ...process.env, PATH, DRAGON_SYSTEM_DEPS: undefined, ...env },
  });
  const calls = join(folder, 'calls');
  return { ...result, calls: existsSync(calls) ? readFileSync(calls, 'utf8') : '' };
}

it('DRAGON_SYSTEM_DEPS=0 installs nothing and says what is missing [CNF-045]', async () => {
  const { code, stdout, calls } = await systemDeps({ DRAGON_SYSTEM_DEPS: '0' });
  expect({ code, calls }).toEqual({ code: 0, calls: '' });
  expect(stdout).toMatch(/DRAGON_SYSTEM_DEPS=0: doctest-dev .*spin/);
});

it('a user who is not root gets nothing installed and the reason [CNF-045]', async () => {
  command('id', 'echo 1000');
  const { code, stdout, calls } = await systemDeps({});
  expect({ code, calls }).toEqual({ code: 0, calls: '' });
  expect(stdout).toContain('needs root');
});

it('root has it installed, and sees what [CNF-045]', async () => {
  const { code, stdout, calls } = await systemDeps({});
  expect(code).toBe(0);
  expect(stdout).toMatch(/apt-get install doctest-dev/);
  expect(calls).toMatch(/install -y --no-install-recommends doctest-dev\n/);
});

it('a package that cannot be had is named, and the run goes on [CNF-045]', async () => {
  command('apt-get', 'exit 100');
  const { code, stdout } = await systemDeps({});
  expect(code).toBe(0);
  expect(stdout).toContain('doctest-dev could not be installed');
});

it('a machine that has everything is left alone, in silence [CNF-045]', async () => {
  command('dpkg-query', 'printf installed');
  expect(await systemDeps({})).toMatchObject({ code: 0, stdout: '', calls: '' });
});
