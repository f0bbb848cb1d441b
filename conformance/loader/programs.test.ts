// What a program may be written in, and that it can't tell the difference from a plain Node.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { evaluate, ProgramFolder, packageRoot } from './head.ts';

const print = 'console.log(JSON.stringify(out));';

describe('kinds of programs', () => {
  it('modules in TypeScript and JavaScript run [LDR-001]', async () => {
    for (const entry of ['prog.ts', 'prog.mts', 'prog.mjs']) {
      const type = entry.endsWith('ts') ? ': number[]' : '';
      const out = await evaluate({ [entry]: `const out${type} = [1, 2]; ${print}` }, entry);
      expect(out).toEqual([1, 2]);
    }
  });

  it('a .js file is a module by its package or by its text, else a script [LDR-001]', async () => {
    const module = `import { sep } from 'node:path'; const out = [sep, typeof require]; ${print}`;
    expect(await evaluate({ 'prog.js': module }, 'prog.js')).toEqual(['/', 'undefined']);
    const script = `const out = [require('path').sep, require.main === module]; ${print}`;
    expect(await evaluate({ 'prog.js': script }, 'prog.js')).toEqual(['/', true]);
    const common = { 'package.json': '{"type": "commonjs"}', 'prog.js': script };
    expect(await evaluate(common, 'prog.js')).toEqual(['/', true]);
    const typed = {
      'package.json': '{"type": "module"}',
      'prog.js': `const out = [this]; ${print}`,
    };
    expect(await evaluate(typed, 'prog.js')).toEqual([null]);
    expect(await evaluate({ 'prog.cjs': script }, 'prog.cjs')).toEqual(['/', true]);
  });

  it('syntax that leaves code behind is transpiled [LDR-002]', async () => {
    const out = await evaluate({
      'prog.ts': `
        enum Color { Red, Green = 5 }
        namespace Space { export const inside = 1; }
        class Point {
          constructor(readonly x: number, private y = 2) {}
          sum() { return this.x + this.y; }
        }
        function twice(method: (...args: number[]) => number, _context: unknown) {
          return function (this: unknown, ...args: number[]) {
            return 2 * method.apply(this, args);
          };
        }
        class Marked { @twice value(n: number): number { return n; } }
        const log: string[] = [];
        { using _resource = { [Symbol.dispose]() { log.push('disposed'); } }; log.push('used'); }
        type Only = { a: number };
        const checked = { a: 1 } satisfies Only;
        const out = [Color.Green, Color[0], Space.inside, new Point(1).sum(), new Marked().value(4),
          log, checked as Only, <number>3];
        ${print}`,
    });
    expect(out).toEqual([5, 'Red', 1, 3, 8, ['used', 'disposed'], { a: 1 }, 3]);
  });

  it('no settings file near the program has a say [LDR-002]', async () => {
    const out = await evaluate({
      'tsconfig.json': '{"compilerOptions": {"target": "es5", "jsx": "react", "baseUrl": "lib"}}',
      'prog.ts': `class A { x = 1 } const out = [String(A).startsWith('class'), new A()]; ${print}`,
    });
    expect(out).toEqual([true, { x: 1 }]);
  });

  it('a first line for a shell and a byte order mark do not disturb [LDR-001]', async () => {
    const text = `#!/usr/bin/env dragon\nconst out: number = 1; ${print}`;
    expect(await evaluate({ 'prog.ts': text })).toBe(1);
    expect(await evaluate({ 'prog.ts': `\ufeffconst out: number = 2; ${print}` })).toBe(2);
  });
});

describe('what a program sees', () => {
  it('arguments, flags and its own address are those of the source [LDR-003]', async () => {
    const folder = new ProgramFolder({
      'a b/prög.ts': `const { url, filename, dirname, resolve } = import.meta;
        const meta = import.meta;
        console.log(JSON.stringify([process.argv.slice(1), process.execArgv, import.meta.url,
          import.meta.filename, import.meta.dirname, url, filename, dirname, meta.url,
          resolve('./x.ts'), import.meta.resolve('node:fs'),
          Object.keys(process.env).filter((name) => name === 'DRAGON_PROGRAM')]));`,
    });
    const { stdout, stderr } = await folder.run('a b/prög.ts', { args: ['--x', 'y z'] });
    expect(stderr).toBe('');
    const [path, url] = [folder.path('a b/prög.ts'), folder.url('a b/prög.ts')];
    const dir = folder.path('a b');
    expect(JSON.parse(stdout)).toEqual([
      [path, '--x', 'y z'],
      [],
      ...[url, path, dir, url, path, dir, url],
      folder.url('a b/x.ts'),
      'node:fs',
      [],
    ]);
  });

  it('stacks show places in the sources, of imported modules too [LDR-004]', async () => {
    const folder = new ProgramFolder({
      'lib/thrower.ts': `interface Unused { a: number }\n\nexport function fail(n: number): never {
        const never: number = n; throw new TypeError('from ' + never);\n}\n`,
      'prog.ts': `import { fail } from './lib/thrower.ts';\ntype T = string;
        try { fail(1 as number); } catch (error) { console.log((error as Error).stack); }
        const lazy = await import('./lib/thrower.ts'); const at = new Error('here');
        console.log(at.stack);`,
    });
    const { stdout } = await folder.run('prog.ts');
    expect(stdout).toContain(`${folder.path('lib/thrower.ts')}:4:40`);
    expect(stdout).toContain(`${folder.path('prog.ts')}:3:15`);
    expect(stdout).toContain(`${folder.path('prog.ts')}:4:67`);
    expect(stdout).not.toContain('.mjs');
  });

  it('dragon-runtime is the running installation from anywhere [LDR-005]', async () => {
    const folder = new ProgramFolder({
      'node_modules/dragon-runtime/package.json': '{"name": "dragon-runtime", "main": "wrong.js"}',
      'node_modules/dragon-runtime/wrong.js': 'throw new Error("the wrong one");',
      'prog.ts': `import { isRoot, TimeoutError } from 'dragon-runtime';
        const dynamic = await import('dragon-runtime/core');
        const name = 'dragon-runtime'; const computed = await import(name);
        console.log(JSON.stringify([isRoot(), new TimeoutError('x').code, typeof dynamic.Channel,
          computed.TimeoutError === TimeoutError, import.meta.resolve('dragon-runtime')]));`,
    });
    const { stdout, stderr } = await folder.run('prog.ts');
    expect(stderr).toBe('');
    const index = `file://${join(packageRoot, 'dist/index.js')}`;
    expect(JSON.parse(stdout)).toEqual([true, 'ERR_TIMEOUT', 'function', true, index]);
  });

  it('an unknown part of the package is refused with the known ones [LDR-005]', async () => {
    const folder = new ProgramFolder({ 'prog.ts': `import 'dragon-runtime/nothing';` });
    const { code, stderr } = await folder.run('prog.ts');
    expect(code).toBe(1);
    expect(stderr).toMatch(/prog\.ts:1:9: there is no dragon-runtime\/nothing; there are .*core/);
  });
});
