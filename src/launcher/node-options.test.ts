/** The options of several nodes: their values, and what they say together. */
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nodePlan } from './node-options.ts';
import { parseOptions, runOptions } from './options.ts';

function plan(...words: string[]) {
  return nodePlan(parseOptions(words, runOptions));
}

function refusal(...words: string[]): string {
  try {
    plan(...words);
  } catch (error) {
    expect((error as { exitCode?: number }).exitCode).toBe(2);
    return (error as Error).message;
  }
  throw new Error(`${words.join(' ')} was accepted`);
}

describe('options of several nodes', () => {
  it('have defaults, and keep the order of hosts [LNC-008]', () => {
    expect(plan('-m')).toMatchObject({
      manager: undefined,
      nodes: 0,
      hosts: undefined,
      port: 7575,
      overlayPort: 6565,
      frontEndPort: 6566,
      transport: 'configured',
      overlayTransport: 'tcp',
      resilient: false,
      telemetryLevel: 0,
      label: 'none',
    });
    expect(plan('--hostlist', 'zeta, alpha,m-1.site', '-N3')).toMatchObject({
      manager: 'drun',
      hosts: ['zeta', 'alpha', 'm-1.site'],
      nodes: 3,
    });
    const file = join(tmpdir(), 'hosts');
    writeFileSync(file, '# ours\nb\n\na # spare\n');
    expect(plan('--hostfile', file, '-w', 'ssh')).toMatchObject({
      manager: 'ssh',
      hosts: ['b', 'a'],
    });
    rmSync(file);
    expect(plan('-r', '-N', '4', '-i2', '-e', '-T5', '--basic-label', '-t', 'tcp')).toMatchObject({
      resilient: true,
      idleNodes: 2,
      exhaustResources: true,
      telemetryLevel: 5,
      label: 'basic',
      transport: 'tcp',
    });
    expect(plan('--network-prefix', '^lo$').interfaceFilter.test('lo')).toBe(true);
  });

  it('refuse values that are none [LNC-008]', () => {
    expect(refusal('-w', 'lsf')).toContain('--wlm takes one of local, slurm');
    expect(refusal('-t', 'udp')).toContain('--transport takes one of configured, tcp, hsta');
    for (const port of ['80', '70000', 'x', ''])
      expect(refusal('-p', port)).toContain('a port from');
    for (const count of ['-1', '1.5', '99999999']) {
      expect(refusal(`--nodes=${count}`)).toContain('--nodes takes a number from 0');
    }
    expect(refusal('-T', '6')).toContain('from 0 to 5');
    expect(refusal('--network-prefix', '(')).toContain('takes a regular expression');
    expect(refusal('--hostlist', 'a,,b')).toContain("'' is no host name");
    expect(refusal('--hostlist', 'a,b,a')).toContain('a is named twice');
    expect(() => plan('--hostfile', '/nowhere/hosts')).toThrow(/can't be read/);
  });

  it('refuse what contradicts itself, and name both [LNC-009]', () => {
    for (const [words, named] of [
      ['-s -m', '--single-node-override and --multi-node-override'],
      ['-s -w local', '--single-node-override and --wlm'],
      ['-s --hostlist a', '--single-node-override and --hostlist'],
      ['--hostlist a --hostfile b', '--hostlist and --hostfile'],
      ['--basic-label --verbose-label', '--basic-label and --verbose-label'],
      ['--no-label --basic-label', '--no-label and --basic-label'],
      ['-p 6565', 'must differ'],
      ['-r', '--resilient needs --nodes or --idle'],
      ['-i 1', '--idle needs --resilient'],
      ['-e', '--exhaust-resources needs --resilient'],
      ['-N 3 --hostlist a,b', 'only 2 hosts'],
      ['-w slurm --hostlist a', '--wlm slurm knows its hosts itself'],
    ] as const) {
      expect(refusal(...words.split(' '))).toContain(named);
    }
  });
});
