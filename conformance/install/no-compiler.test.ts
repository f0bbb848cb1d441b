/** npm's install script on a machine that cannot compile. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { root, run } from '../../ci/process.mjs';

let tree: string;

beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'tree'));
  for (const path of ['package.json', 'binding.gyp', 'native', 'ci/install.mjs', 'ci/build']) {
    cpSync(join(root, path), join(tree, path), { recursive: true });
  }
  for (const path of ['ci/process.mjs', 'ci/sources.mjs'])
    cpSync(join(root, path), join(tree, path));
  mkdirSync(join(tree, 'path'));
  symlinkSync(process.execPath, join(tree, 'path/node'));
});

afterEach(() => rmSync(tree, { recursive: true }));

/** Runs the install script with a PATH that holds nothing but node and these commands. */
function install(...commands: string[]) {
  for (const name of commands) {
    writeFileSync(join(tree, 'path', name), '#!/bin/sh\n', { mode: 0o700 });
  }
  const env = { ...process.env, PATH: join(tree, 'path'), CXX: undefined };
  return run(process.execPath, ['ci/install.mjs'], { quiet: true, cwd: tree, env });
}

it.each([
  [[], 'python3'],
  [['python3'], 'make'],
  [['python3', 'make'], 'g++'],
])(
  'with %j on the machine, the install script names %s and ends well [CNF-005]',
  async (commands, missing) => {
    const { code, output } = await install(...commands);
    expect(code).toBe(0);
    expect(output).toBe(
      `dragon: the native part was not built: ${missing} was not found; ` +
        'mend that and run: npm rebuild dragon-runtime\n',
    );
  },
);
