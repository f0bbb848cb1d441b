// Functions and their names: in the process that names them, and in the one that looks for them.
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Files, ProgramFolder } from '../../../conformance/loader/head.ts';
import { TaskNotFoundError } from '../errors/index.ts';
import { importTarget } from './import-target.ts';
import { defineTask, inline, referenceOf, registeredName } from './targets.ts';

const loader = pathToFileURL(resolve('build/white-box/src/runtime/loader/index.js')).href;
const header = `import { importTarget, referenceOf, registeredName } from '${loader}';\n`;

/** Runs a program that may use the loader's own functions; gives what it prints as JSON. */
async function evaluate(files: Files): Promise<{ out: unknown; folder: ProgramFolder }> {
  const folder = new ProgramFolder({ ...files, 'prog.ts': header + files['prog.ts'] });
  const { stdout, stderr, code } = await folder.run('prog.ts');
  if (code !== 0) throw new Error(`exit ${code}: ${stderr}`);
  return { out: JSON.parse(stdout), folder };
}

describe('names of functions', () => {
  it('a function is found by identity, before its module has ended [LDR-040]', async () => {
    const { out, folder } = await evaluate({
      'tasks.ts': `export function work() {} export const arrow = () => 1; export class C {}
        export default function () {} function local() {} export { local as renamed };`,
      'pass.ts': `export { work as again } from './tasks.ts'; export * from './tasks.ts';
        import { arrow } from './tasks.ts'; export { arrow };`,
      'prog.ts': `import * as pass from './pass.ts'; 
        import main, { arrow, C, renamed, work } from './tasks.ts';
        export function hoisted() {}
        const early = [hoisted, work, pass.again, arrow, C, main, renamed].map(registeredName);
        const none = [() => 1, later, 5, undefined, Math.max].map(registeredName);
        export const constant = () => 2; const after = registeredName(constant);
        const later2 = later; function later() {} export { later2 as later };
        console.log(JSON.stringify([early, none, after, registeredName(later)]));`,
    });
    const [tasks, prog] = [folder.url('tasks.ts'), folder.url('prog.ts')];
    const named = (module: string, name: string) => ({ module, export: name });
    expect(out).toEqual([
      [
        named(prog, 'hoisted'),
        ...['work', 'work', 'arrow', 'C', 'default', 'renamed'].map((name) => named(tasks, name)),
      ],
      [null, null, null, null, null],
      named(prog, 'constant'),
      named(prog, 'later'),
    ]);
  });

  it('a binding that is set anew gives its new function the name [LDR-040]', async () => {
    const { out } = await evaluate({
      'prog.ts': `export let work = () => 1;
        const first = work; const before = registeredName(first);
        work = () => 2; const after = registeredName(work);
        const none = registeredName(first) ?? null;
        console.log(JSON.stringify([before?.export, after?.export, none]));`,
    });
    expect(out).toEqual(['work', 'work', null]);
  });

  it('a function of a package is named where the program passes it on [LDR-040]', async () => {
    const { out } = await evaluate({
      'node_modules/p/index.mjs': `export function far() {} export function hidden() {}`,
      'node_modules/p/package.json': `{"exports": "./index.mjs"}`,
      'mine.ts': `export { far as near } from 'p';`,
      'prog.ts': `import { far, hidden } from 'p'; import './mine.ts';
        const none = registeredName(hidden) ?? null;
        console.log(JSON.stringify([registeredName(far)?.export, none]));`,
    });
    expect(out).toEqual(['near', null]);
  });
});

describe('references', () => {
  it('a function that nobody exports is refused with the way out [LDR-041]', () => {
    function secret() {}
    expect(() => referenceOf(secret)).toThrow(TaskNotFoundError);
    expect(() => referenceOf(secret)).toThrow(/secret can't be found .* "export function secret"/);
    expect(() => referenceOf(() => 1)).toThrow(/"export function work".*inline/);
    for (const bad of [undefined, null, 5, {}, { module: 'x' }, { module: 1, export: 'a' }]) {
      expect(() => referenceOf(bad)).toThrow(TypeError);
    }
  });

  it('a module is named by address or path, not relative to nothing [LDR-041]', () => {
    const reference = (module: string | URL) => referenceOf({ module, export: 'f' });
    const expected = { v: 1, kind: 'esm', module: 'file:///a%20b.ts', export: 'f' };
    expect(reference('/a b.ts')).toEqual(expected);
    expect(reference('file:///a b.ts')).toEqual(expected);
    expect(reference(new URL('file:///a b.ts'))).toEqual(expected);
    expect(reference('node:path')).toEqual({ ...expected, module: 'node:path' });
    expect(() => reference('./tasks.ts')).toThrow(/new URL\('\.\/tasks\.ts', import\.meta\.url\)/);
  });

  it('a task names itself and can be called as before [LDR-042]', () => {
    const work = defineTask('file:///tasks.ts', 'work', (n: number) => 2 * n);
    expect(work(4)).toBe(8);
    expect([work.module, work.export]).toEqual(['file:///tasks.ts', 'work']);
    const reference = { v: 1, kind: 'esm', module: 'file:///tasks.ts', export: 'work' };
    expect(referenceOf(work)).toEqual(reference);
    expect(registeredName(work)).toBe(undefined);
    expect(() => defineTask('file:///x.ts', 'x', 5 as never)).toThrow(TypeError);
  });
});

describe('inline functions', () => {
  it('the text runs elsewhere with what was captured [LDR-043]', async () => {
    const k = 3;
    const scale = inline((x: number) => x * k, { k });
    expect(scale(5)).toBe(15);
    const reference = referenceOf(scale);
    expect(JSON.parse(JSON.stringify(reference))).toEqual(reference);
    const there = await importTarget(reference);
    expect(there(7)).toBe(21);
    async function named(x: number) {
      return x + 1;
    }
    expect(await (await importTarget(referenceOf(inline(named))))(1)).toBe(2);
  });

  it('what has no text of its own, and what is not plain data, is refused [LDR-043]', () => {
    const object = { method() {}, async wait() {} };
    expect(() => inline(Math.max)).toThrow(/its text is not known/);
    expect(() => inline((() => 1).bind(null))).toThrow(/its text is not known/);
    expect(() => inline(class {} as never)).toThrow(/it is a class/);
    expect(() => inline(object.method)).toThrow(/it is a method/);
    expect(() => inline(object.wait)).toThrow(/it is a method/);
    for (const value of [() => 1, new Map(), new Date(), Number.NaN, undefined, -0, 5n]) {
      expect(() => inline(() => 1, { value })).toThrow(/value is not plain data/);
    }
    expect(() => inline(() => 1, { 'a b': 1 })).toThrow(/not the name of a variable/);
  });
});

describe('looking for a target', () => {
  it('it is found in the instance that the program has [LDR-044]', async () => {
    const { out } = await evaluate({
      'tasks.ts': `export let calls = 0;
        export function work(n: number) { calls += n; return calls; }
        export default (n: number) => -n; export const value = 5;`,
      'prog.ts': `import main, * as tasks from './tasks.ts';
        const found = await importTarget(referenceOf(tasks.work)); found(2); tasks.work(1);
        const module = new URL('./more.ts', import.meta.url);
        const other = await importTarget(referenceOf({ module, export: 'm' }));
        const same = (await importTarget(referenceOf(main))) === main;
        const path = await importTarget(referenceOf({ module: 'node:path', export: 'basename' }));
        const pack = await importTarget(referenceOf({ module: 'pack', export: 'p' }));
        console.log(JSON.stringify([tasks.calls, other(), same, path('/a/b'), pack()]));`,
      'more.ts': `import { calls } from './tasks.ts'; export const m = (): number => calls * 10;`,
      'node_modules/pack/index.js': `exports.p = () => 'packed';`,
    });
    expect(out).toEqual([3, 30, true, 'b', 'packed']);
  });

  it('a missing module or export is an error that names both [LDR-045]', async () => {
    const { out } = await evaluate({
      'tasks.ts': `export function work() {} export const value = 5;`,
      'throws.ts': `throw new RangeError('at load');`,
      'prog.ts': `const messages: string[] = [];
        for (const [module, name] of [['./tasks.ts', 'wrok'], ['./tasks.ts', 'value'],
            ['./none.ts', 'x'], ['./throws.ts', 'x']]) {
          const target = { module: new URL(module!, import.meta.url), export: name! };
          await importTarget(referenceOf(target)).catch((error) => {
            messages.push(error.name + ' ' + error.message);
          });
        }
        const nowhere = referenceOf({ module: 'nowhere', export: 'x' });
        await importTarget(nowhere).catch((error) => messages.push(error.code));
        console.log(JSON.stringify(messages));`,
    });
    expect(out).toEqual([
      expect.stringMatching(/^TaskNotFoundError .*wrok of .*\/tasks\.ts .*exports work/),
      expect.stringMatching(/^TaskNotFoundError .*value is no function there/),
      expect.stringMatching(/^TaskNotFoundError .*\/none\.ts .*there is no such file/),
      'RangeError at load',
      'ERR_TARGET_NOT_FOUND',
    ]);
  });

  it('a function runs outside a program of the runtime, too [LDR-044]', async () => {
    const module = pathToFileURL(join(resolve('.'), 'ci/process.mjs')).href;
    const found = await importTarget({ v: 1, kind: 'esm', module, export: 'run' });
    expect(typeof found).toBe('function');
  });
});
