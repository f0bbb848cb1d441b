/**
 * The package as npm packs it and installs it into a prefix.
 *
 * One package is made and installed for all tests of the file. It comes with the binaries of
 * this machine, so nothing is compiled; the dependencies come from npm's cache.
 */
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run } from '../../ci/process.mjs';

const folder = mkdtempSync(join(tmpdir(), 'packed'));
const prefix = join(folder, 'prefix');
const elsewhere = join(folder, 'elsewhere');
const installed = join(prefix, 'lib/node_modules/dragon-runtime');
let packedFiles: string[] = [];

/** npm tells its children about itself; here it must not know that it is one. */
function userEnvironment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('npm_'));
  return { ...Object.fromEntries(own), NODE_DISABLE_COMPILE_CACHE: '1' };
}

async function npm(...args: string[]) {
  const options = { quiet: true, env: userEnvironment(), timeoutMs: 60_000 };
  const result = await run('npm', [...args, '--prefer-offline'], options);
  expect(result.code, result.output).toBe(0);
  return result;
}

function dragon(...args: string[]) {
  const options = { quiet: true, cwd: elsewhere, timeoutMs: 20_000 };
  return run(join(prefix, 'bin/dragon'), args, options);
}

beforeAll(async () => {
  mkdirSync(elsewhere);
  writeFileSync(
    join(elsewhere, 'hello.ts'),
    "const whom: string = 'prefix';\nconsole.log(whom);\n",
  );
  const packed = await npm('pack', '--json', '--ignore-scripts', '--pack-destination', folder);
  const [manifest] = JSON.parse(packed.stdout);
  packedFiles = manifest.files.map((file: { path: string }) => file.path);
  await npm('install', '--global', '--prefix', prefix, join(folder, manifest.filename));
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true }));

it('an installed dragon runs a program in a folder without a package [CNF-050]', async () => {
  const { code, output } = await dragon('hello.ts');
  expect({ code, output }).toEqual({ code: 0, output: 'prefix\n' });
});

it('the package holds what is needed and nothing that tests it [CNF-050]', () => {
  const needed = ['bin/dragon', 'dist/index.js', 'dist/types/index.d.ts', 'binding.gyp'];
  expect(packedFiles).toEqual(expect.arrayContaining(needed));
  const odd = packedFiles.filter((path) =>
    /test|fixture|conformance|bench|node_modules/.test(path),
  );
  expect(odd).toEqual([]);
});

it('a link to the installed command works like the command [CNF-051]', async () => {
  const link = join(folder, 'linked');
  symlinkSync(join(prefix, 'bin/dragon'), link);
  const options = { quiet: true, cwd: elsewhere, timeoutMs: 20_000 };
  expect(await run(link, ['hello.ts'], options)).toMatchObject({ code: 0, stdout: 'prefix\n' });
});

it('an installed package without its addon names the command that mends it [CNF-052]', async () => {
  const addon = join(installed, 'build/Release/dragon_native.node');
  renameSync(addon, `${addon}.away`);
  const { code, output } = await dragon('hello.ts');
  renameSync(`${addon}.away`, addon);
  expect(code).toBe(1);
  expect(output).toMatch(/^dragon: the native part is missing; .*npm rebuild -g dragon-runtime\n$/);
});
