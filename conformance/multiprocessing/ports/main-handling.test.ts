/**
 * Programs of every shape that map over a function of their own, and over functions of modules
 * of every shape. Each is a program of its own, since its shape is what is looked at.
 */
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { packageRoot, runDragon } from '../../harness/dragon.ts';
import { ProgramFolder } from '../../loader/head.ts';
import { emitted, mapper, mapping, WORK } from './entries.ts';

interface Options {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** What a program prints that ends well and complains of nothing. */
async function printed(program: string, { cwd, env = {} }: Options = {}): Promise<unknown> {
  const { code, stdout, stderr, hung } = await runDragon([program], {
    ...(cwd === undefined ? {} : { cwd }),
    env: { DRAGON_DEFAULT_SEG_SZ: String(16 * 1024 * 1024), ...env },
  });
  expect({ code, stderr, hung }).toEqual({ code: 0, stderr: '', hung: false });
  return JSON.parse(stdout);
}

/** A script that is no module finds the package as others do: where it is installed. */
const INSTALLED = { 'node_modules/dragon-runtime': `->${packageRoot}` };

const DOUBLED = [2, 4, 6];

describe('a script', () => {
  it('MultiProcessingCmdLineMixin.test_basic_script [CPT-219]', async () => {
    const folder = new ProgramFolder({ 'one.ts': mapping(), 'two.mts': mapping() });
    expect(await printed(folder.path('one.ts'))).toEqual(DOUBLED);
    expect(await printed('two.mts', { cwd: folder.root })).toEqual(DOUBLED);
  });

  it('MultiProcessingCmdLineMixin.test_basic_script_no_suffix [CPT-220]', async () => {
    const folder = new ProgramFolder({
      ...INSTALLED,
      'plain.mjs': mapping(),
      'old.cjs': `const { double } = require('./work.cjs'); exports.double = double;
        (async () => { ${mapper("{ module: __dirname + '/work.cjs', export: 'double' }")} })();`,
      'work.cjs': `exports.double = (x) => 2 * x;`,
      'typed/package.json': '{ "type": "module" }',
      'typed/program.js': mapping(),
    });
    for (const name of ['plain.mjs', 'old.cjs', 'typed/program.js']) {
      expect(await printed(folder.path(name)), name).toEqual(DOUBLED);
    }
  });

  it('MultiProcessingCmdLineMixin.test_ipython_workaround [CPT-221]', async () => {
    // Nothing keeps a child from running this again but that it never imports it.
    const folder = new ProgramFolder({
      'prog.ts': `import { double } from './work.ts';
        import { appendFileSync } from 'node:fs';
        appendFileSync(new URL('./times', import.meta.url), 'x');
        ${mapper('double')}`,
      'work.ts': WORK,
      'count.ts': `import { readFileSync } from 'node:fs';
        console.log(readFileSync(new URL('./times', import.meta.url), 'utf8').length);`,
    });
    expect(await printed(folder.path('prog.ts'))).toEqual(DOUBLED);
    expect(await printed(folder.path('count.ts'))).toBe(1);
  });

  it('MultiProcessingCmdLineMixin.test_script_compiled [CPT-222]', async () => {
    const folder = new ProgramFolder({
      'package.json': '{ "type": "module" }',
      'prog.js': emitted(mapping()),
    });
    expect(await printed(folder.path('prog.js'))).toEqual(DOUBLED);
  });
});

describe('a directory', () => {
  it('MultiProcessingCmdLineMixin.test_directory [CPT-223]', async () => {
    const folder = new ProgramFolder({
      'app/package.json': '{ "main": "src/start.ts" }',
      'app/src/start.ts': mapping(),
      'bare/index.ts': mapping(),
    });
    expect(await printed(folder.path('app'))).toEqual(DOUBLED);
    expect(await printed('bare', { cwd: folder.root })).toEqual(DOUBLED);
  });

  it('MultiProcessingCmdLineMixin.test_directory_compiled [CPT-224]', async () => {
    const folder = new ProgramFolder({
      'package.json': '{ "type": "module", "exports": { ".": { "import": "./dist/start.js" } } }',
      'dist/start.js': emitted(mapping()),
    });
    expect(await printed('.', { cwd: folder.root })).toEqual(DOUBLED);
  });
});

describe('a package', () => {
  it('MultiProcessingCmdLineMixin.test_module_in_package [CPT-227]', async () => {
    const folder = new ProgramFolder({
      'prog.ts': `import { double } from './tools/inner/work.ts'; ${mapper('double')}`,
      'tools/inner/work.ts': `import { factor } from '../factor.ts';
        export const double = (x: number): number => factor * x;`,
      'tools/factor.ts': 'export const factor = 2;',
    });
    expect(await printed(folder.path('prog.ts'))).toEqual(DOUBLED);
  });

  it('MultiProcessingCmdLineMixin.test_package [CPT-230]', async () => {
    const folder = new ProgramFolder({
      'package.json': '{ "main": "main.ts" }',
      'main.ts': `if (isRoot()) { ${mapper("{ module: 'pkg/worker', export: 'double' }")} }
        import { isRoot } from 'dragon-runtime';`,
      'node_modules/pkg/package.json': '{ "name": "pkg", "exports": { "./worker": "./w.mjs" } }',
      'node_modules/pkg/w.mjs': `import { factor } from './factor.mjs';
        export const double = (x) => factor * x;`,
      'node_modules/pkg/factor.mjs': 'export const factor = 2;',
    });
    expect(await printed(folder.root)).toEqual(DOUBLED);
  });

  it('MultiProcessingCmdLineMixin.test_package_compiled [CPT-231]', async () => {
    const folder = new ProgramFolder({
      'package.json': '{ "name": "own", "type": "module", "exports": { "./w": "./dist/work.js" } }',
      'dist/work.js': emitted(WORK),
      'dist/main.js': emitted(`import { isRoot } from 'dragon-runtime';
        if (isRoot()) { ${mapper("{ module: 'own/w', export: 'double' }")} }`),
    });
    expect(await printed(folder.path('dist/main.js'))).toEqual(DOUBLED);
  });
});

describe('a target', () => {
  it('EntryModule.target in a CommonJS module [CPT-245]', async () => {
    const folder = new ProgramFolder({
      ...INSTALLED,
      'work.cjs': 'exports.double = (x) => require("./factor.cjs") * x;',
      'factor.cjs': 'module.exports = 2;',
      'prog.mjs': mapper("{ module: new URL('./work.cjs', import.meta.url), export: 'double' }"),
      'prog.cjs': `(async () => {
        ${mapper("{ module: require.resolve('./work.cjs'), export: 'double' }")} })();`,
    });
    expect(await printed(folder.path('prog.mjs'))).toEqual(DOUBLED);
    expect(await printed(folder.path('prog.cjs'))).toEqual(DOUBLED);
  });

  it('EntryModule.target by bare specifier [CPT-246]', async () => {
    const folder = new ProgramFolder({
      'node_modules/@some/tools/package.json': '{ "type": "module", "main": "./index.js" }',
      'node_modules/@some/tools/index.js': 'export const double = (x) => 2 * x;',
      'sub/prog.ts': mapper("{ module: '@some/tools', export: 'double' }"),
      'sub/missing.ts': `import { Process } from 'dragon-runtime/multiprocessing';
        const target = { module: '@some/others', export: 'double' };
        const codes = [];
        await new Process({ target }).start().catch(({ code }) => codes.push(code));
        console.log(JSON.stringify(codes));`,
    });
    expect(await printed(folder.path('sub/prog.ts'))).toEqual(DOUBLED);
    expect(await printed(folder.path('sub/missing.ts'))).toEqual(['ERR_TARGET_NOT_FOUND']);
  });

  it('EntryModule.target module with top-level await [CPT-247]', async () => {
    const folder = new ProgramFolder({
      'prog.ts': `import { double } from './work.ts'; ${mapper('double')}`,
      'work.ts': `import { setTimeout as sleep } from 'node:timers/promises';
        let factor = 1; await sleep(20); factor = 2;
        export const double = (x: number): number => factor * x;`,
    });
    expect(await printed(folder.path('prog.ts'))).toEqual(DOUBLED);
  });
});

describe('an entry', () => {
  it('EntryModule.entry is the target module [CPT-248]', async () => {
    const folder = new ProgramFolder({
      'prog.ts': `import { isRoot } from 'dragon-runtime';
        let loads = 0; loads += 1;
        export const pids = (): number[] => [process.pid, loads, isRoot() ? 1 : 0];
        if (isRoot()) { ${mapper('pids', '[0, 0, 0, 0]')} }`,
    });
    const told = (await printed(folder.path('prog.ts'))) as number[][];
    // One line was printed: the guarded part ran once. Elsewhere the module was loaded once.
    expect(told.map(([, loads, isRoot]) => [loads, isRoot])).toEqual(told.map(() => [1, 0]));
    expect(new Set(told.map(([pid]) => pid)).size).toBeLessThanOrEqual(2);
  });

  it('EntryModule.odd paths [CPT-249]', async () => {
    const names = ['two words', 'ünï-✓', 'a#b', 'a?b', '100%20', "it's"];
    const folder = new ProgramFolder(
      Object.fromEntries([[`${names.join('/')}/prog file.ts`, mapping()]]),
    );
    const path = folder.path(`${names.join('/')}/prog file.ts`);
    expect(await printed(path)).toEqual(DOUBLED);
  });

  it('EntryModule.linked node_modules [CPT-250]', async () => {
    const store = 'node_modules/.store';
    const folder = new ProgramFolder({
      [`${store}/tools@1/node_modules/tools/package.json`]: '{ "main": "work.mjs" }',
      [`${store}/tools@1/node_modules/tools/work.mjs`]: `import { factor } from 'factor';
        let loads = 0; loads += 1;
        export const double = (x) => factor * x * loads;`,
      [`${store}/tools@1/node_modules/factor`]: '->../../factor@1/node_modules/factor',
      [`${store}/factor@1/node_modules/factor/package.json`]: '{ "main": "factor.mjs" }',
      [`${store}/factor@1/node_modules/factor/factor.mjs`]: 'export const factor = 2;',
      'node_modules/tools': '->.store/tools@1/node_modules/tools',
      'link.ts': '->prog.ts',
      'prog.ts': `import { double } from 'tools';
        ${mapper("{ module: 'tools', export: 'double' }")}`,
    });
    expect(await printed(folder.path('prog.ts'))).toEqual(DOUBLED);
    expect(await printed(folder.path('link.ts'))).toEqual(DOUBLED);
  });

  it('EntryModule.working directory is gone [CPT-251]', async () => {
    const folder = new ProgramFolder({
      'gone/file': '',
      'work.ts': WORK,
      'prog.ts': `import { rmSync } from 'node:fs';
        import { double } from './work.ts';
        rmSync(process.cwd(), { recursive: true });
        ${mapper('double')}`,
    });
    expect(await printed(folder.path('prog.ts'), { cwd: folder.path('gone') })).toEqual(DOUBLED);
  });

  it('EntryModule.NODE_OPTIONS with --require [CPT-252]', async () => {
    const folder = new ProgramFolder({
      'first.cjs': 'globalThis.factor = 2;',
      'work.ts': `const { factor } = globalThis as unknown as { factor: number };
        export const double = (x: number): number => factor * x;`,
      'prog.ts': `import { double } from './work.ts'; ${mapper('double')}`,
    });
    const env = { NODE_OPTIONS: `--require=${folder.path('first.cjs')}` };
    expect(await printed(folder.path('prog.ts'), { env })).toEqual(DOUBLED);
    writeFileSync(folder.path('first.cjs'), 'globalThis.factor = 3;');
    expect(await printed(folder.path('prog.ts'), { env })).toEqual([3, 6, 9]);
  });
});
