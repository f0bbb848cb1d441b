// The cache: a second run costs nothing, a change is always seen, no trouble with it stops a run.
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ProgramFolder } from './head.ts';

function cached(cacheDir: string): string[] {
  return readdirSync(cacheDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

async function output(folder: ProgramFolder, options = {}): Promise<string> {
  const { stdout, stderr, code } = await folder.run('prog.ts', options);
  expect([stderr, code]).toEqual(['', 0]);
  return stdout.trim();
}

describe('a second run', () => {
  it('writes nothing and starts no transpiler [LDR-010]', async () => {
    const folder = new ProgramFolder({
      'prog.ts': `import { x } from './x.ts'; console.log(x);`,
      'x.ts': `export const x: number = 1;`,
    });
    // Files that were written this very moment are looked at once more.
    await new Promise((done) => setTimeout(done, 200));
    await output(folder);
    const before = cached(folder.path('.cache')).map((path) => readFileSync(path, 'utf8'));
    const env = { PATH: '/nowhere', ESBUILD_BINARY_PATH: '/nowhere/esbuild' };
    expect(await output(folder, { env })).toBe('1');
    expect(cached(folder.path('.cache')).map((path) => readFileSync(path, 'utf8'))).toEqual(before);
  });

  it('sees every change, at once [LDR-011]', async () => {
    const folder = new ProgramFolder({
      'prog.ts': `import { x } from './lib/x.js'; console.log(x);`,
      'lib/x.ts': `import { y } from './y.ts'; export const x = 'x' + y;`,
      'lib/y.ts': `export const y = 1;`,
    });
    expect(await output(folder)).toBe('x1');
    for (let n = 2; n < 5; n++) {
      folder.write({ 'lib/y.ts': `export const y = ${n};` });
      expect(await output(folder)).toBe(`x${n}`);
    }
    folder.write({ 'lib/x.js': `export const x = 'another file takes precedence';` });
    expect(await output(folder)).toBe('another file takes precedence');
    folder.write({ 'lib/z.ts': `export const x = 'the link leads there now';` });
    rmSync(folder.path('lib/x.js'));
    folder.write({ 'lib/x.js': '->y.ts' });
    await folder.run('prog.ts');
    rmSync(folder.path('lib/x.js'));
    folder.write({ 'lib/x.js': '->z.ts' });
    expect(await output(folder)).toBe('the link leads there now');
  });

  it('sees a change of what decides where imports lead [LDR-011]', async () => {
    const folder = new ProgramFolder({
      'deep/prog.ts': `import value from 'pack'; import other from '#alias';
        console.log(value + other);`,
      'package.json': `{"imports": {"#alias": "./one.ts"}}`,
      'one.ts': `export default 1;`,
      'two.ts': `export default 2;`,
      'node_modules/pack/package.json': `{"type": "module", "exports": "./a.js"}`,
      'node_modules/pack/a.js': `export default 'a';`,
      'node_modules/pack/b.js': `export default 'b';`,
    });
    const run = async () => (await folder.run('deep/prog.ts')).stdout.trim();
    expect(await run()).toBe('a1');
    folder.write({ 'package.json': `{"imports": {"#alias": "./two.ts"}}` });
    expect(await run()).toBe('a2');
    folder.write({ 'node_modules/pack/package.json': `{"type": "module", "exports": "./b.js"}` });
    expect(await run()).toBe('b2');
    folder.write({ 'deep/node_modules/pack/index.js': `module.exports = 'nearer';` });
    expect(await run()).toBe('nearer2');
  });
});

describe('trouble with the cache', () => {
  const files = {
    'prog.ts': `import { x } from './x.ts';
      console.log(x, await import('./y' + '.ts').then((m) => m.y));`,
    'x.ts': `export const x: number = 1;`,
    'y.ts': `export const y: number = 2;`,
  };

  it('a folder that can not be written to only costs time [LDR-012]', async () => {
    const folder = new ProgramFolder({ ...files, 'a-file': '' });
    for (const cacheDir of [folder.path('a-file'), '/proc/nothing', '/dev/null/x']) {
      expect(await output(folder, { cacheDir })).toBe('1 2');
      const env = { DRAGON_RUNTIME_DIR: folder.path('run') };
      mkdirSync(folder.path('run'), { recursive: true });
      expect(await output(folder, { cacheDir, env })).toBe('1 2');
      expect(cached(folder.path('run')).length).toBeGreaterThan(0);
    }
  });

  it('a damaged file is made again [LDR-012]', async () => {
    const folder = new ProgramFolder(files);
    await output(folder);
    const paths = cached(folder.path('.cache')).filter((path) => !path.endsWith('pruned'));
    expect(paths.length).toBeGreaterThan(4);
    for (const path of paths) {
      const content = readFileSync(path, 'utf8');
      for (const damage of ['', content.slice(0, -20), '{"entry": 1}']) {
        writeFileSync(path, damage);
        expect(await output(folder)).toBe('1 2');
      }
      rmSync(path);
      expect(await output(folder)).toBe('1 2');
    }
  }, 120_000);

  it('a folder that others may write to is not used [LDR-013]', async () => {
    const folder = new ProgramFolder(files);
    await output(folder);
    const [generation = ''] = readdirSync(folder.path('.cache'));
    const modules = folder.path(join('.cache', generation));
    for (const name of readdirSync(modules).filter((entry) => entry.endsWith('.mjs'))) {
      const text = readFileSync(join(modules, name), 'utf8');
      writeFileSync(join(modules, name), text.replace(/number|1|2/g, '9'));
    }
    chmodSync(modules, 0o777);
    expect(await output(folder)).toBe('1 2');
  });

  it('many first runs at once all succeed [LDR-014]', async () => {
    const folder = new ProgramFolder(files);
    const runs = await Promise.all(Array.from({ length: 6 }, () => output(folder)));
    expect(new Set(runs)).toEqual(new Set(['1 2']));
    expect(cached(folder.path('.cache')).filter((path) => path.includes('unfinished'))).toEqual([]);
  });

  it('a first run that is killed leaves nothing that disturbs the next [LDR-014]', async () => {
    for (const killAfterMs of [70, 90, 110, 140]) {
      const folder = new ProgramFolder(files);
      await folder.run('prog.ts', { killAfterMs });
      expect(await output(folder)).toBe('1 2');
    }
  });
});
