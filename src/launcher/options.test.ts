/** White box: the command line and the settings that it and the environment make. */
import { describe, expect, it } from 'vitest';
import { Failure } from './failure.ts';
import { nodePlan, refuseUnbuilt } from './node-options.ts';
import { concernsNodes, editDistance, parseOptions, runOptions } from './options.ts';
import { settingsOf } from './settings.ts';

function parse(...words: string[]) {
  return parseOptions(words, runOptions);
}

function settings(words: readonly string[], env: Record<string, string> = {}) {
  return settingsOf(parseOptions(words, runOptions), env, '/cwd');
}

function failure(body: () => unknown): Failure {
  try {
    body();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('the command line', () => {
  it('ends at the program, whose own options are left alone [LNC-001]', () => {
    const parsed = parse('--debug', 'prog.ts', '--debug', '-N', '4');
    expect(parsed.rest).toEqual(['prog.ts', '--debug', '-N', '4']);
    expect([...parsed.values.keys()]).toEqual(['--debug']);
  });

  it('ends at two dashes, after which a program may begin with a dash [LNC-001]', () => {
    expect(parse('-s', '--', '-prog', 'x').rest).toEqual(['-prog', 'x']);
    expect(parse('-').rest).toEqual(['-']);
    expect(parse().rest).toEqual([]);
  });

  it('takes a value as the next word, after "=" or attached [LNC-002]', () => {
    for (const words of [['--nodes', '1'], ['--nodes=1'], ['-N', '1'], ['-N1']]) {
      expect(parse(...words, 'p').values.get('--nodes')).toEqual(['1']);
      expect(parse(...words, 'p').rest).toEqual(['p']);
    }
  });

  it('refuses a missing value, and a value for a switch [LNC-002] [LNC-003]', () => {
    expect(failure(() => parse('--seg-size')).message).toContain('--seg-size needs SIZE');
    expect(failure(() => parse('--debug=1')).message).toContain('--debug takes no value');
    expect(failure(() => parse('-sx')).exitCode).toBe(2);
  });

  it('refuses an unknown option and names one that resembles it [LNC-003]', () => {
    const close = failure(() => parse('--log-levle', 'DEBUG', 'p'));
    expect(close.exitCode).toBe(2);
    expect(close.message).toMatch(/--log-levle.*--log-level\?/);
    expect(failure(() => parse('--frobnicate')).message).not.toContain('did you mean');
    expect(failure(() => parse('-z')).message).not.toContain('did you mean');
    expect(editDistance('', 'abc')).toBe(3);
    expect(editDistance('kitten', 'sitting')).toBe(3);
  });

  it('refuses what needs several nodes, and accepts one node [LNC-005]', () => {
    const others = [['-w', 'ssh'], ['--hostlist=a,b'], ['-m'], ['-t', 'tcp'], ['-N', '2']];
    for (const words of [...others, ['-N2', '--debug'], ['--verbose-label'], ['-T', '0']]) {
      const parsed = parse(...words);
      expect(concernsNodes(parsed)).toBe(true);
      const refused = failure(() => refuseUnbuilt(nodePlan(parsed)));
      expect(refused.message).toContain('not supported by this release');
      expect(refused.exitCode).toBe(2);
    }
    expect(failure(() => nodePlan(parse('-N', 'two'))).message).toContain('takes a number');
    for (const words of [
      ['-N', '1', '-s'],
      ['--nodes', '0'],
      ['--debug', '--no-label'],
    ]) {
      expect(concernsNodes(parse(...words))).toBe(false);
    }
  });
});

describe('settings', () => {
  it('come from the command line before the environment [LNC-006]', () => {
    const env = { DRAGON_NODE: 'env-node', DRAGON_DEFAULT_SEG_SZ: '64M', DRAGON_BASE_DIR: 'logs' };
    expect(settings([], env)).toMatchObject({
      interpreter: 'env-node',
      segmentBytes: 64 * 2 ** 20,
      logDirectory: '/cwd/logs',
    });
    const words = ['--node', 'my-node', '--seg-size', '1.5GiB', '--base-dir', '/other'];
    expect(settings(words, env)).toMatchObject({
      interpreter: 'my-node',
      segmentBytes: 1.5 * 2 ** 30,
      logDirectory: '/other',
    });
    expect(settings([])).toMatchObject({ interpreter: undefined, segmentBytes: undefined });
  });

  it('read DRAGON_DEBUG as a switch, which logs everything to files [LNC-006] [LNC-007]', () => {
    expect(settings([], { DRAGON_DEBUG: '0' }).debug).toBe(false);
    expect(settings([], { DRAGON_DEBUG: '' }).debug).toBe(false);
    const { debug, log } = settings([], { DRAGON_DEBUG: '1' });
    expect(debug).toBe(true);
    expect(log).toEqual({ stderr: 'NONE', dragon_file: 'DEBUG', actor_file: 'DEBUG' });
  });

  it('refuse sizes that are none or too small, naming where they came from [LNC-002]', () => {
    for (const value of ['', 'big', '12Q', '-1', '1k', '1e9']) {
      const words = ['--seg-size', value];
      expect(failure(() => settings(words)).message).toContain('--seg-size takes a size');
    }
    const env = { DRAGON_DEFAULT_SEG_SZ: 'big' };
    expect(failure(() => settings([], env)).message).toContain('DRAGON_DEFAULT_SEG_SZ takes');
  });

  it('choose log levels for all devices or for one, the last word winning [LNC-007]', () => {
    const { log } = settings(['-l', 'info', '--log-level=actor_file=DEBUG', '-l', 'stderr=NONE']);
    expect(log).toEqual({ stderr: 'NONE', dragon_file: 'INFO', actor_file: 'DEBUG' });
    expect(failure(() => settings(['-l', 'LOUD'])).message).toContain('a level (NONE, DEBUG');
    expect(failure(() => settings(['-l', 'printer=INFO'])).message).toContain('a device (stderr');
  });
});
