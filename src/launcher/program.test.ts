/** White box: which file PROG is, and how the log and the head's environment are made. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freshFolder } from '../../conformance/launcher/folders.ts';
import { headEnvironment, runEnvironment } from './head-environment.ts';
import { Log } from './log.ts';
import { findInterpreter, findProgram } from './program.ts';

function file(directory: string, name: string, mode = 0o600): string {
  const path = join(directory, name);
  writeFileSync(path, '');
  chmodSync(path, mode);
  return path;
}

describe('a program', () => {
  it('is a script by its ending, whatever its mode [LNC-010]', () => {
    const cwd = freshFolder();
    for (const name of ['a.ts', 'b.mts', 'c.js', 'd.mjs', 'e.cjs']) {
      const path = file(cwd, name);
      expect(findProgram(name, cwd, '')).toEqual({ kind: 'script', path });
    }
  });

  it('is an executable by path, in PATH, or in the working directory [LNC-010]', () => {
    const cwd = freshFolder();
    const bin = freshFolder();
    const inPath = file(bin, 'tool', 0o700);
    const here = file(cwd, 'here', 0o700);
    file(cwd, 'tool', 0o600);
    expect(findProgram('tool', cwd, `/nowhere:${bin}`).path).toBe(inPath);
    expect(findProgram('./here', cwd, '').path).toBe(here);
    expect(findProgram('here', cwd, bin)).toEqual({ kind: 'executable', path: here });
  });

  it('that is a directory is what its package.json or its index says [LNC-016]', () => {
    const cwd = freshFolder();
    const manifest = (text: string) => writeFileSync(join(cwd, 'package.json'), text);
    const index = file(cwd, 'index.mjs');
    expect(findProgram('.', cwd, '')).toEqual({ kind: 'script', path: index });
    mkdirSync(join(cwd, 'dist'));
    const inner = file(join(cwd, 'dist'), 'index.js');
    const start = file(cwd, 'start.ts');
    const cases: readonly (readonly [string, string])[] = [
      ['{}', index],
      ['no JSON', index],
      ['{ "main": "dist" }', inner],
      ['{ "main": "./dist/index" }', inner],
      ['{ "main": "dist", "exports": "./start.ts" }', start],
      [
        '{ "exports": { "./x": "./x.js", ".": { "types": "./t", "import": "./start.ts" } } }',
        start,
      ],
    ];
    for (const [text, path] of cases) {
      manifest(text);
      expect(findProgram(cwd, '/', ''), text).toEqual({ kind: 'script', path });
    }
    manifest('{ "main": "tool" }');
    expect(() => findProgram(cwd, '/', '')).toThrow('whose main, tool, is no script');
  });

  it('that can not be run is refused with the cause and what to do [LNC-011]', () => {
    const cwd = freshFolder();
    mkdirSync(join(cwd, 'dir.ts'));
    file(cwd, 'plain');
    expect(() => findProgram('none.ts', cwd, '')).toThrow('none.ts does not exist');
    expect(() => findProgram('none', cwd, '')).toThrow('does not exist');
    expect(() => findProgram('plain/none', cwd, '')).toThrow('does not exist');
    expect(() => findProgram('dir.ts', cwd, '')).toThrow('is a directory');
    expect(() => findProgram('.', cwd, '')).toThrow('is a directory');
    expect(() => findProgram('plain', cwd, '')).toThrow(/no script.*chmod u\+x plain/);
  });

  it('is run by the chosen interpreter, which has to exist [LNC-006] [LNC-011]', () => {
    const cwd = freshFolder();
    const node = file(cwd, 'my-node', 0o700);
    expect(findInterpreter('./my-node', cwd, '')).toBe(node);
    expect(findInterpreter(undefined, cwd, '')).toBe(process.execPath);
    expect(() => findInterpreter('no-node', cwd, '')).toThrow('DRAGON_NODE');
  });
});

describe("the head's environment", () => {
  it('is the own one with the variables of the run and none of an outer one [LNC-012]', () => {
    const outer = { HOME: '/h', DRAGON_START: 'xx', DRAGON_SOURCE: 'file:///o', DRAGON_PUID: '9' };
    const run = runEnvironment({ directory: '/d', runId: 'r1', cacheDir: '/c', debug: true });
    expect(headEnvironment(outer, run, 5n)).toEqual({
      HOME: '/h',
      DRAGON_RUNTIME_DIR: '/d',
      DRAGON_RUN_ID: 'r1',
      DRAGON_CACHE_DIR: '/c',
      DRAGON_DEBUG: '1',
      DRAGON_PUID: '5',
      DRAGON_ROLE: 'head',
    });
    const own = { DRAGON_SOURCE: 'file:///s' };
    expect(headEnvironment(outer, own, 5n)).toMatchObject(own);
  });
});

describe('a log', () => {
  it('writes to the devices whose level is reached, a file for each service [LNC-007]', () => {
    const directory = freshFolder();
    const settings = { stderr: 'NONE', dragon_file: 'WARNING', actor_file: 'DEBUG' } as const;
    const log = new Log(settings, directory, 'r1');
    log.write('local-services', 'debug', 'one');
    log.write('global-services', 'error', 'two');
    log.close();
    expect(readdirSync(directory).sort()).toEqual([
      'dragon_r1.log',
      'global-services_r1.log',
      'local-services_r1.log',
    ]);
    const all = readFileSync(join(directory, 'dragon_r1.log'), 'utf8');
    expect(all).toMatch(/^\S+ ERROR global-services: two\n$/);
  });

  it('that nobody asked for opens nothing, and one that fails does not throw [LNC-007]', () => {
    const directory = freshFolder();
    const none = { stderr: 'NONE', dragon_file: 'NONE', actor_file: 'NONE' } as const;
    new Log(none, directory, 'r1').write('x', 'error', 'text');
    expect(readdirSync(directory)).toEqual([]);
    const log = new Log({ ...none, dragon_file: 'DEBUG' }, join(directory, 'no'), 'r1');
    expect(() => log.write('x', 'error', 'text')).not.toThrow();
    log.close();
  });
});
