// The cache's own rules: who is trusted, what is kept, how files are written, what addresses say.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { version } from 'esbuild';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  defaultCacheDir,
  indexFolder,
  isTrusted,
  markUsed,
  moduleFolder,
  openCache,
  prune,
  writeOnce,
} from './cache.ts';
import { TRANSPILER_VERSION } from './generation.ts';
import { PROCESS_MODULES, processModules } from './modules.ts';
import { installProcessModules } from './process-modules.ts';
import { prepareProgram } from './program.ts';

const DAY_MS = 86_400_000;

function folder(files: Record<string, string> = {}): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'cache')));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text);
  return root;
}

function age(path: string, days: number): void {
  const time = new Date(Date.now() - days * DAY_MS);
  utimesSync(path, time, time);
}

describe('the folder', () => {
  it('is named by the environment, else in the home folder [LDR-012]', () => {
    expect(defaultCacheDir({ DRAGON_CACHE_DIR: '/x' })).toBe('/x');
    expect(defaultCacheDir({ XDG_CACHE_HOME: '/c', DRAGON_CACHE_DIR: '' })).toBe('/c/dragon');
    expect(defaultCacheDir({ XDG_CACHE_HOME: 'relative' })).toMatch(/\/\.cache\/dragon$/);
  });

  it('is open to its user only, and trusted only then [LDR-013]', () => {
    const root = folder();
    openCache(root);
    expect(statSync(moduleFolder(root)).mode & 0o777).toBe(0o700);
    expect(isTrusted(root)).toBe(true);
    for (const mode of [0o770, 0o702]) {
      chmodSync(moduleFolder(root), mode);
      expect(isTrusted(root)).toBe(false);
      expect(() => openCache(root)).toThrow(/writable by others/);
    }
    expect(isTrusted(join(root, 'nothing'))).toBe(false);
  });

  it('belongs to the installed transpiler and to one kind of text [LDR-010]', () => {
    expect(TRANSPILER_VERSION).toBe(version);
    expect(basename(moduleFolder('/c'))).toContain(version);
  });

  it('a file that is right is left alone, a wrong one replaced [LDR-012]', () => {
    const root = folder();
    writeOnce(root, 'a', 'text');
    const { ino } = statSync(join(root, 'a'));
    writeOnce(root, 'a', 'text');
    expect(statSync(join(root, 'a')).ino).toBe(ino);
    writeFileSync(join(root, 'a'), 'damaged');
    writeOnce(root, 'a', 'text');
    expect(readFileSync(join(root, 'a'), 'utf8')).toBe('text');
    expect(readdirSync(root)).toEqual(['a']);
  });

  it('what was not used for a month goes, once a day [LDR-015]', () => {
    const root = folder();
    openCache(root);
    const modules = moduleFolder(root);
    const index = indexFolder(root);
    const old = join(root, 'v0-0.1.0');
    mkdirSync(old);
    const names = ['new.mjs', 'old.mjs', 'used.mjs', 'x.1-2.unfinished'].map((n) =>
      join(modules, n),
    );
    for (const path of [...names, join(index, 'old.json')]) writeFileSync(path, '');
    age(old, 40);
    age(join(modules, 'old.mjs'), 40);
    age(join(modules, 'used.mjs'), 40);
    age(join(modules, 'x.1-2.unfinished'), 1);
    age(join(index, 'old.json'), 40);
    markUsed([join(modules, 'used.mjs'), join(modules, 'gone.mjs')]);
    prune(root);
    expect(readdirSync(modules).sort()).toEqual(['index', 'new.mjs', 'pruned', 'used.mjs']);
    expect([readdirSync(index), existsSync(old)]).toEqual([[], false]);
    age(join(modules, 'new.mjs'), 40);
    prune(root);
    expect(existsSync(join(modules, 'new.mjs'))).toBe(true);
    prune(root, Date.now() + 2 * DAY_MS);
    expect(existsSync(join(modules, 'new.mjs'))).toBe(false);
  });
});

describe('addresses', () => {
  const ring = {
    'a.ts': `import { b } from './b.ts'; export const a = 1; export const c = () => b;`,
    'b.ts': `import { a } from './a.ts'; export const b = () => a;`,
    'leaf.ts': `export const leaf = 1;`,
    'one.ts': `import './a.ts'; import './leaf.ts';`,
    'two.ts': `import './leaf.ts'; await import('./b.ts');`,
  };

  it('a module has the same one from every entry, rings included [LDR-009]', async () => {
    const root = folder(ring);
    const cacheDir = join(root, 'cache');
    const addresses = new Map<string, string>();
    for (const entry of ['one.ts', 'two.ts', 'a.ts', 'b.ts', 'leaf.ts']) {
      await prepareProgram(join(root, entry), { cacheDir });
    }
    for (const name of readdirSync(moduleFolder(cacheDir))) {
      if (!name.endsWith('.mjs')) continue;
      const stem = name.replace(/-.*$/, '');
      expect(addresses.get(stem)).toBe(undefined);
      addresses.set(stem, name);
    }
    expect([...addresses.keys()].sort()).toEqual(['a', 'b', 'leaf', 'one', 'two']);
  });

  it('a change gives new ones to the modules that reach it only [LDR-009]', async () => {
    const root = folder(ring);
    const cacheDir = join(root, 'cache');
    const address = async (name: string) => {
      return (await prepareProgram(join(root, name), { cacheDir })).url;
    };
    const before = [await address('one.ts'), await address('a.ts'), await address('leaf.ts')];
    writeFileSync(join(root, 'b.ts'), `${ring['b.ts']} export const more = 1;`);
    const after = [await address('one.ts'), await address('a.ts'), await address('leaf.ts')];
    expect(after.map((url, i) => url === before[i])).toEqual([false, false, true]);
    writeFileSync(join(root, 'b.ts'), ring['b.ts']);
    expect(await address('one.ts')).toBe(before[0]);
  });

  it('modules and runtime meet under one key [LDR-003]', () => {
    const place = { cacheDir: '/c', fallbackDir: undefined, program: 'file:///p.ts' };
    const load = { package: () => undefined, importedAddress: async () => '' };
    const holder = globalThis as Record<symbol, unknown>;
    const key = Symbol.for(PROCESS_MODULES);
    const before = holder[key];
    onTestFinished(() => {
      holder[key] = before;
    });
    expect(installProcessModules({ ...place, ...load })).toBe(processModules());
    expect(processModules()).toMatchObject(place);
  });
});
