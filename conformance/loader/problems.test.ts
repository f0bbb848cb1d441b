// What is wrong with a program is said once, with the place; and how a program ends.
import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';
import { type Files, ProgramFolder } from './head.ts';

async function failure(files: Files, entry = 'prog.ts'): Promise<string> {
  const { code, stderr, stdout } = await new ProgramFolder(files).run(entry);
  expect(stdout).toBe('');
  expect(code).toBe(1);
  return stderr;
}

describe('problems', () => {
  it('a syntax error shows file, line, column and the line itself [LDR-020]', async () => {
    const text = await failure({
      'prog.ts': `import './lib/bad.ts';\nconsole.log('never');`,
      'lib/bad.ts': `export const fine: number = 1;\n\tlet ö: string = = 5;\n`,
    });
    expect(text.split('\n')).toEqual([
      'dragon: lib/bad.ts:2:18: Unexpected "="',
      '  2 | \tlet ö: string = = 5;',
      '    | \t                ^',
      '',
    ]);
  });

  it('an import that leads nowhere shows the place and often the fix [LDR-020]', async () => {
    const files = { 'x.ts': 'export const x = 1;', 'dir/a.ts': '' };
    const cases: [string, RegExp][] = [
      [`import { x } from './nothing.ts';`, /^dragon: prog\.ts:2:20: there is no \.\/nothing\.ts/],
      [`import { x } from './x';`, /there is no \.\/x; write \.\/x\.ts/],
      [`import './dir';`, /\.\/dir is a folder; name the file in it/],
      [
        `import 'no-such-package/sub';`,
        /there is no no-such-package\/sub; install it: npm install/,
      ],
      [`export * from '#nope';`, /#nope is not defined; see "imports"/],
      [`import './page.tsx';`, /page\.tsx.*JSX is not transpiled/],
    ];
    for (const [line, expected] of cases) {
      const all = { ...files, 'page.tsx': '', 'prog.ts': `type T = 1;\n${line}\nx;` };
      const text = await failure(all);
      expect(text).toMatch(expected);
      expect(text).toContain(`  2 | ${line}`);
    }
  });

  it('a name that the other module does not export is an error of its own [LDR-021]', async () => {
    const files = {
      'lib.ts': `export const a = 1; export * from './more.ts'; export type T = 1;
        export default 5;`,
      'more.ts': `export const b = 2; export { sep as c } from 'node:path';`,
      'open.ts': `export * from 'node:path';`,
    };
    for (const [line, name] of [
      [`import { a, missing } from './lib.ts'; a, missing;`, 'missing'],
      [`import one, { a, b, c, two as d } from './lib.ts'; one, a, b, c, d;`, 'two'],
      [`import x from './more.ts'; x;`, 'default'],
      [`export { T } from './lib.ts';`, 'T'],
    ] as const) {
      const text = await failure({ ...files, 'prog.ts': `\n${line}` });
      expect(text).toMatch(new RegExp(`^dragon: prog\\.ts:2:\\d+: \\S+ does not export ${name}; `));
    }
    const fine = `import d, { a, b, c } from './lib.ts';
      import { join } from './open.ts'; d; a; b; c; join;`;
    expect((await new ProgramFolder({ ...files, 'prog.ts': fine }).run('prog.ts')).code).toBe(0);
  });

  it('what is wrong with a module imported on demand fails when it is [LDR-022]', async () => {
    const folder = new ProgramFolder({
      'bad.ts': `let x = = 1;`,
      'user.ts': `import './bad.ts';`,
      'prog.ts': `const messages = [];
        for (const load of [() => import('./bad.ts'), () => import('./user.ts'),
            () => import('./no.ts')]) {
          await load().catch((error: Error) => messages.push(error.message.split('\\n')[0]));
        }
        console.log(JSON.stringify(messages));`,
    });
    const { stdout, stderr, code } = await folder.run('prog.ts');
    expect([stderr, code]).toEqual(['', 0]);
    const [bad, user, missing] = JSON.parse(stdout) as string[];
    expect(bad).toBe('bad.ts:1:9: Unexpected "="');
    expect(user).toBe(bad);
    expect(missing).toMatch(/there is no \.\/no\.ts/);
  });

  it('a program that is not there, or of no known kind, is refused [LDR-020]', async () => {
    expect(await failure({}, 'gone.ts')).toMatch(/^dragon: there is no .*gone\.ts/);
    expect(await failure({ 'prog.cts': '' }, 'prog.cts')).toMatch(
      /write a module \(\.mts or \.ts\)/,
    );
  });
});

describe('the end of a program', () => {
  it('its exit code is what it says [LDR-030]', async () => {
    for (const [text, expected] of [
      ['process.exit(7);', 7],
      ['process.exitCode = 9;', 9],
      ['await 1; process.exit(3);', 3],
      ['setTimeout(() => process.exit(4), 10); await new Promise(() => {});', 4],
      ['process.exitCode = 6; await new Promise(() => {});', 6],
      ['const n: number = 1;', 0],
    ] as const) {
      const { code, stderr } = await new ProgramFolder({ 'prog.ts': text }).run('prog.ts');
      expect([text, code, stderr]).toEqual([text, expected, '']);
    }
  });

  it('an error that nobody catches is reported with its place, exit 1 [LDR-031]', async () => {
    for (const text of [
      `type T = 1;\nthrow new TypeError('boom');`,
      `await 1;\nthrow new TypeError('boom');`,
      `type T = 1;\nsetTimeout(() => { throw new TypeError('boom'); }, 1);`,
      `type T = 1;\nvoid Promise.reject(new TypeError('boom'));`,
    ]) {
      const folder = new ProgramFolder({ 'prog.ts': text });
      const { code, stderr } = await folder.run('prog.ts');
      expect(code).toBe(1);
      expect(stderr).toMatch(new RegExp(`^${folder.path('prog.ts')}:2\n`));
      expect(stderr).toContain(text.split('\n')[1]);
      expect(stderr).toMatch(/TypeError: boom\n\s+at /);
      expect(stderr).not.toContain('.mjs');
    }
  });

  it('handlers of the program do not swallow what ends it [LDR-031]', async () => {
    const own = `process.on('unhandledRejection', () => console.log('seen'));`;
    const ended = await new ProgramFolder({ 'prog.ts': `${own} throw new Error('end');` }).run(
      'prog.ts',
    );
    expect([ended.code, ended.stdout]).toEqual([1, '']);
    const caught = `process.on('uncaughtException', ({ message }) => console.log('!', message));`;
    const outcome = await new ProgramFolder({ 'prog.ts': `${caught} throw new Error('end');` }).run(
      'prog.ts',
    );
    expect([outcome.code, outcome.stdout]).toEqual([0, '! end\n']);
  });

  it('a top-level await that never settles is exit 13 with a message [LDR-032]', async () => {
    const files = { 'prog.ts': `console.log(1);\nawait new Promise(() => {});` };
    const { code, stdout, stderr } = await new ProgramFolder(files).run('prog.ts');
    expect([code, stdout]).toEqual([13, '1\n']);
    expect(stderr).toMatch(/^Warning: .*prog\.ts: the top-level await never settled\n$/);
  });

  it('a program that kills itself ends by that signal [LDR-030]', async () => {
    const text = `process.kill(process.pid, 'SIGSEGV'); setInterval(() => {}, 1000);`;
    const { signal } = await new ProgramFolder({ 'prog.ts': text }).run('prog.ts');
    expect(signal && constants.signals[signal]).toBe(11);
  });
});
