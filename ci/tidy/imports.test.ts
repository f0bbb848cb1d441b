/** The layer table and who breaks it. */
import { expect, it } from 'vitest';
import { forbiddenImports, layers } from './imports.mjs';

it.each([
  ['src/core/a.ts', "import { b } from '../services/b.ts';"],
  ['src/codec/a.ts', "  await import('../launcher/main.ts');"],
  ['src/multiprocessing/pool/a.ts', "} from '../../services/messages/index.ts';"],
  ['src/core/a.ts', "import type { B } from '../codec/b.ts';"],
  ['src/core/a.ts', "import fc from 'fast-check';"],
  ['native/sync/a.h', '#include "memory/pool.h"'],
  ['native/memory/a.cpp', '#include "channel/channel.h"'],
])('%s may not say %s [CNF-017]', (path, text) => {
  expect(forbiddenImports({ path, text })).toHaveLength(1);
});

it.each([
  ['src/core/a.ts', "import { b } from './b.ts';"],
  ['src/codec/a.ts', "import { b } from '../core/index.ts';"],
  ['src/launcher/a.ts', "import { b } from '../services/global/b.ts';"],
  ['src/runtime/loader/a.ts', "import { build } from 'esbuild';"],
  ['src/core/a.ts', "import { join } from 'node:path';"],
  ['src/core/a.ts', "// import { b } from '../services/b.ts';"],
  ['native/channel/a.cpp', '#include "sync/word.h"'],
  ['native/binding/a.cpp', '#include "dragon/errors.h"'],
])('%s may say %s [CNF-017]', (path, text) => {
  expect(forbiddenImports({ path, text })).toEqual([]);
});

it('the table names only rooms that it has, and goes one way [CNF-017]', () => {
  const visit = (room: string, path: readonly string[]): void => {
    expect(path, 'a cycle').not.toContain(room);
    const row = layers[room];
    expect(row, `no row for ${room}`).toBeDefined();
    for (const next of row ?? []) visit(next, [...path, room]);
  };
  for (const room of Object.keys(layers)) visit(room, []);
});

it('a black-box suite may not reach into src, a white-box one may [CNF-018]', () => {
  const text = "import { a } from '../../src/core/a.ts';";
  expect(forbiddenImports({ path: 'conformance/core/a.test.ts', text })).toHaveLength(1);
  expect(forbiddenImports({ path: 'conformance/white-box/a.test.ts', text })).toEqual([]);
});
