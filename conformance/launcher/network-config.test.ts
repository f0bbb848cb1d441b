/** `dragon network-config`: what it prints, what it writes, and what it refuses. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runDragon } from '../harness/dragon.ts';

async function networkConfig(words: string, cwd = tmpdir()) {
  const { code, stdout, stderr } = await runDragon(['network-config', ...words.split(' ')], {
    cwd,
  });
  return { code, stdout, stderr };
}

it('prints n nodes on this host, each with an id and a port of its own [NET-030]', async () => {
  const { code, stdout } = await networkConfig('--wlm local -N 3 -p 7000');
  expect(code).toBe(0);
  expect([...stdout.matchAll(/^"(\d)":$/gm)].map(([, key]) => key)).toEqual(['0', '1', '2']);
  expect(stdout.match(/127\.0\.0\.1:700\d/g)).toEqual([0, 1, 2].map((n) => `127.0.0.1:700${n}`));
  expect(new Set(stdout.match(/host_id: \d+/g)).size).toBe(3);
  expect(stdout.match(/is_primary: true/g)).toHaveLength(1);
});

it('writes files when asked, and then may print nothing [NET-031]', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'config-'));
  const printed = await networkConfig('--wlm local -N 2 --no-stdout -y -j', cwd);
  expect(printed).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(readdirSync(cwd).sort()).toEqual(['local.json', 'local.yaml']);
  const json = JSON.parse(readFileSync(join(cwd, 'local.json'), 'utf8'));
  expect(json['0']).toMatchObject({ state: 'ACTIVE', is_primary: true });
  const yaml = readFileSync(join(cwd, 'local.yaml'), 'utf8');
  expect(yaml).toContain(`name: ${json['1'].name}`);
  rmSync(cwd, { recursive: true });
});

it('says what interfaces there are when none matches [NET-021]', async () => {
  const { code, stderr } = await networkConfig('--network-prefix ^none-such$');
  expect(code).toBe(1);
  expect(stderr).toMatch(/^dragon: no network interface .* this host has .*127\.0\.0\.1.*\n$/);
});

it('refuses what needs another workload manager [NET-032]', async () => {
  for (const words of ['--wlm slurm', '--hostlist a,b', '--private-key k']) {
    const { code, stderr } = await networkConfig(words);
    expect([code, stderr]).toEqual([2, expect.stringContaining('not supported by this release')]);
  }
  expect((await networkConfig('-N 2')).stderr).toContain('--nodes needs --wlm local');
});
