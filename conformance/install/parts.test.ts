/** `bin/dragon` in trees that are not built, or only in part. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { root, run } from '../../ci/process.mjs';

let tree: string;

beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'tree'));
  cpSync(join(root, 'bin'), join(tree, 'bin'), { recursive: true });
});

afterEach(() => rmSync(tree, { recursive: true }));

function add(...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), "console.log('launched');");
  }
}

const launcher = 'dist/launcher/main.cjs';
const addon = 'build/Release/dragon_native.node';
const warden = 'build/Release/dragon-warden';

it.each([
  ['a clone before npm ci', ['tsconfig.json'], 'not built', 'npm ci'],
  ['a clone', ['tsconfig.json', 'node_modules/esbuild/a'], 'not built', 'npm run build'],
  ['a package without addon', [launcher, warden], 'native part', 'npm rebuild dragon-runtime'],
  ['a package without warden', [launcher, addon], 'warden', 'npm rebuild dragon-runtime'],
])(
  '%s gets one line with what is missing and what to run [CNF-052]',
  async (_, paths, what, command) => {
    add(...paths);
    const { code, output, stdout } = await run(join(tree, 'bin/dragon'), ['a.ts'], { quiet: true });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(output).toMatch(new RegExp(`^dragon: .*${what}.*: ${command}\n$`));
  },
);

it('a link to a link to the command starts the launcher of its own tree [CNF-051]', async () => {
  add(launcher, addon, warden);
  writeFileSync(join(tree, 'package.json'), '{"type":"module"}');
  symlinkSync(join(tree, 'bin/dragon'), join(tree, 'one'));
  symlinkSync('one', join(tree, 'two'));
  const result = await run(join(tree, 'two'), [], { quiet: true, cwd: '/' });
  expect(result).toMatchObject({ code: 0, output: 'launched\n' });
});

it('a Node that is too old is told in one line [CNF-053]', async () => {
  const pretend = "Object.defineProperty(process.versions, 'node', { value: '18.20.4' });";
  const script = `${pretend} require(${JSON.stringify(join(tree, 'bin/dragon'))})`;
  const { code, output } = await run(process.execPath, ['-e', script], { quiet: true });
  expect(code).toBe(1);
  expect(output).toBe('dragon: Node 18.20.4 is too old; install Node 20.11 or later\n');
});
