/** How outputs are put into place. */
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { root } from '../process.mjs';
import { putOutputs } from './outputs.mjs';

const folder = `build/outputs-test-${process.pid}`;
const path = (name: string) => join(root, folder, name);
const output = (name: string, text: string) => ({ path: path(name), contents: Buffer.from(text) });

beforeEach(() => mkdirSync(join(root, folder), { recursive: true }));
afterEach(() => rmSync(join(root, folder), { recursive: true }));

it('an output that has not changed is left alone, one that has is a new file [CNF-003]', () => {
  putOutputs(folder, [output('a.js', 'same'), output('b.js', 'old')]);
  const before = { a: statSync(path('a.js')), b: statSync(path('b.js')) };
  putOutputs(folder, [output('a.js', 'same'), output('b.js', 'new')]);
  expect(statSync(path('a.js'))).toMatchObject({ ino: before.a.ino, mtimeMs: before.a.mtimeMs });
  expect(statSync(path('b.js')).ino).not.toBe(before.b.ino);
  expect(readFileSync(path('b.js'), 'utf8')).toBe('new');
});

it('a script that is made no more is removed, and other files stay [CNF-003]', () => {
  putOutputs(folder, [output('chunks/old.js', '')]);
  writeFileSync(path('types.d.ts'), '');
  putOutputs(folder, [output('chunks/new.js', '')]);
  expect(() => statSync(path('chunks/old.js'))).toThrow('ENOENT');
  expect(statSync(path('types.d.ts')).isFile()).toBe(true);
});
