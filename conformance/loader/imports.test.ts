// Every form of import between the modules of a program, and one instance for each module.
import { describe, expect, it } from 'vitest';
import { evaluate, ProgramFolder } from './head.ts';

const print = 'console.log(JSON.stringify(out));';

describe('forms of imports', () => {
  it('each form leads to the module it names [LDR-006]', async () => {
    const out = await evaluate({
      'lib.ts': `export default function main() { return 'd'; }
        export const a = 'a'; export let b = 'b';
        export class C { name = 'C' } export { a as 'odd name' };`,
      'star.ts': `export * from './lib.ts'; export * as all from './lib.ts'; export const own = 1;`,
      'side.ts': `(globalThis as { side?: number }).side = 1;`,
      'plain.mjs': `export default class { name = 'anonymous' }`,
      'sub/deep.ts': `export { a } from '../lib.ts'; export { default } from '../lib.ts';`,
      'prog.ts': `import main, { a, b as bee, C, 'odd name' as odd } from './lib.ts';
        import * as star from './star.ts';
        import './side.ts';
        import Anonymous from './plain.mjs';
        import deep, { a as again } from './sub/deep.ts';
        import type { Missing } from './types-only.ts';
        const lazy = await import('./lib.ts');
        const template = await import(\`./lib.ts\`);
        const out = [main(), a, bee, new C(), odd, star.a, star.all.b, star.own, 'default' in star,
          (globalThis as { side?: number }).side, new Anonymous(), deep === main, again,
          lazy.a, template === lazy];
        ${print}`,
    });
    expect(out).toEqual([
      ...['d', 'a', 'b', { name: 'C' }, 'a', 'a', 'b', 1, false],
      ...[1, { name: 'anonymous' }, true, 'a', 'a', true],
    ]);
  });

  it('the output name of TypeScript leads to the source [LDR-006]', async () => {
    const out = await evaluate({
      'x.ts': `export const x = 'ts';`,
      'y.mts': `export const y = 'mts';`,
      'z.ts': `export const z = 'not this';`,
      'z.js': `export const z = 'js';`,
      'prog.ts': `import { x } from './x.js'; import { y } from './y.mjs';
        import { z } from './z.js';
        const out = [x, y, z, (await import('./' + 'x.js')).x]; ${print}`,
    });
    expect(out).toEqual(['ts', 'mts', 'js', 'ts']);
  });

  it('computed specifiers are resolved from the source when they are run [LDR-007]', async () => {
    const folder = new ProgramFolder({
      'sub/late.ts': `export const value: number = 7; export const where = import.meta.url;`,
      'sub/data.json': `{"d": 1}`,
      'prog.ts': `const name = ['late', 'ts'].join('.');
        const late = await import('./sub/' + name);
        const json = await import(['./sub/data', 'json'].join('.'), { with: { type: 'json' } });
        const path = await import(['node', 'path'].join(':'));
        const failed = await import('./missing' + '.ts').catch((error) => error.code);
        const thrown = await import({ toString() { throw new Error('text'); } } as never).catch(
          (error) => error.message);
        const out = [late.value, late.where, json.default, path.sep, failed, thrown]; ${print}`,
    });
    const { stdout, stderr } = await folder.run('prog.ts');
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual([
      ...[7, folder.url('sub/late.ts'), { d: 1 }, '/', 'ERR_MODULE_NOT_FOUND', 'text'],
    ]);
  });

  it('JSON and scripts are imported as they are [LDR-006]', async () => {
    const out = await evaluate({
      'data.json': `{"a": [1]}`,
      'old.cjs': `module.exports = { old: require('./older.cjs'), file: __filename };`,
      'older.cjs': `exports.b = 2;`,
      'script.js': `exports.c = typeof module;`,
      'prog.ts': `import data from './data.json' with { type: 'json' };
        import old from './old.cjs'; import { c } from './script.js';
        const out = [data, old.old, old.file.endsWith('/old.cjs'), c]; ${print}`,
    });
    expect(out).toEqual([{ a: [1] }, { b: 2 }, true, 'object']);
  });

  it('rings of modules and top-level await keep their order [LDR-006]', async () => {
    const out = await evaluate({
      'log.ts': `export const log: string[] = [];`,
      'a.ts': `import { log } from './log.ts'; import { b } from './b.ts';
        log.push('a'); export function a(): string { return 'a'; } export const late = 'late';
        export const viaB = b();`,
      'b.ts': `import { log } from './log.ts'; import { a, late } from './a.ts';
        let early; try { early = late; } catch (error) { early = (error as Error).name; }
        log.push('b', a(), String(early)); export const b = () => 'b' + late;`,
      'wait.ts': `import { log } from './log.ts'; await new Promise((done) => setTimeout(done, 20));
        log.push('waited'); export const waited = true;`,
      'prog.ts': `import { waited } from './wait.ts'; import { viaB } from './a.ts';
        import { log } from './log.ts'; const out = [log, viaB, waited]; ${print}`,
    });
    expect(out).toEqual([['b', 'a', 'ReferenceError', 'a', 'waited'], 'blate', true]);
  });

  it('packages are resolved as Node does and run as they are [LDR-008]', async () => {
    const out = await evaluate({
      'node_modules/esm/package.json': `{"name": "esm", "type": "module", "exports": {
        ".": {"import": "./in.js", "default": "./no.js"}, "./sub/*": "./lib/*.js"}}`,
      'node_modules/esm/in.js': `export default import.meta.url.includes('/esm/in.js');`,
      'node_modules/esm/lib/x.js': `export const x = 'x';`,
      'node_modules/old/index.js': `module.exports = { old: __filename.endsWith('old/index.js') };`,
      'node_modules/@scope/p/package.json': `{"main": "./main.cjs"}`,
      'node_modules/@scope/p/main.cjs': `exports.scoped = 1;`,
      'package.json': `{"name": "app", "type": "module", "imports": {"#own": "./own.ts"},
        "exports": {"./self": "./own.ts"}}`,
      'own.ts': `export const own: string = 'own';`,
      'prog.ts': `import esm from 'esm'; import { x } from 'esm/sub/x'; import old from 'old';
        import { scoped } from '@scope/p'; import { own } from '#own'; import { sep } from 'path';
        import { own as self } from 'app/self';
        const out = [esm, x, old.old, scoped, own, self, sep]; ${print}`,
    });
    expect(out).toEqual([true, 'x', true, 1, 'own', 'own', '/']);
  });
});

describe('instances', () => {
  it('a module has one, however it is imported [LDR-009]', async () => {
    const out = await evaluate({
      'state.ts': `export const id = {}; export let count = 0;
        export function up() { return ++count; }`,
      'link.ts': '->state.ts',
      'user.ts': `export { id } from './state.ts';`,
      'prog.ts': `import { id, up } from './state.ts'; import { id as second } from './user.ts';
        import { id as linked } from './link.ts';
        const third = (await import('./state.ts')).id; const name = './state';
        const fourth = (await import(name + '.ts')).id;
        const fifth = (await import(new URL('state.ts', import.meta.url).href)).id;
        const other = (await import('./state.ts?other')).id;
        up();
        const out = [second, linked, third, fourth, fifth].map((other) => other === id);
        out.push(other === id, (await import('./state.ts')).count as never); ${print}`,
    });
    expect(out).toEqual([true, true, true, true, true, false, 1]);
  });

  it('a program that imports itself meets itself [LDR-009]', async () => {
    const out = await evaluate({
      'prog.ts': `import { meet } from './helper.ts'; export const me = {};
        const out = (await meet()) === me; ${print}`,
      'helper.ts': `export const meet = async () => (await import('./prog' + '.ts')).me;`,
    }).catch((error: Error) => error.message);
    // A module that waits for itself never settles, as under plain Node.
    expect(out).toContain('exit 13');
  });
});
