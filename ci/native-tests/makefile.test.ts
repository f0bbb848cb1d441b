/** What the Makefile of the native tests says. */
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { root } from '../process.mjs';
import { makefile } from './makefile.mjs';
import { isCompilerCached } from './precompiled.mjs';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'make'));
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

function makefileOf(isPrecompiled: boolean) {
  const source = 'native/sync/futex_test.cpp';
  return makefile({
    buildFolder: relative(root, folder),
    cores: ['native/sync/futex.cpp'],
    tests: [{ source, variant: 'asan', name: 'futex', executable: 'futex' }],
    isPrecompiled,
  });
}

it('sources of the core and tests get headers of their own, compiled once [CNF-061]', () => {
  const rules = makefileOf(true).split('\n');
  for (const name of ['core', 'test']) {
    expect(rules.filter((line) => line.includes(`/${name}.h.gch: `))).toHaveLength(1);
  }
  const uses = rules.filter((line) => line.includes('-Winvalid-pch') && line.includes('-include '));
  expect(uses).toHaveLength(2);
  expect(makefileOf(false)).not.toContain('.gch');
});

it('a compiler that remembers its results is known by its name [CNF-061]', () => {
  const program = join(folder, 'ccache');
  writeFileSync(program, '#!/bin/sh\n');
  chmodSync(program, 0o700);
  vi.stubEnv('CXX', 'g++');
  vi.stubEnv('PATH', folder);
  expect(isCompilerCached()).toBe(false);
  symlinkSync(program, join(folder, 'g++'));
  expect(isCompilerCached()).toBe(true);
  vi.stubEnv('CXX', join(folder, 'clang++'));
  expect(isCompilerCached()).toBe(false);
});
