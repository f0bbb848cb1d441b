/** Rules about the text of a file. What is planted is put together here, since tidy reads this. */
import { expect, it } from 'vitest';
import { root } from '../process.mjs';
import { bannedWords, fileSize, headerComment, lineLength, machinePaths } from './text.mjs';

const lines = (count: number) => 'x;\n'.repeat(count);

it('the 501st line is one too many [CNF-010]', () => {
  expect(fileSize({ path: 'src/a.ts', text: lines(500) })).toEqual([]);
  expect(fileSize({ path: 'src/a.ts', text: lines(501) })).toHaveLength(1);
});

it('a line of 101 columns is found, and a letter of two bytes is one column [CNF-010]', () => {
  const text = `${'é'.repeat(100)}\n${'x'.repeat(101)}\n`;
  expect(lineLength({ path: 'src/a.ts', text })).toEqual(['src/a.ts:2: 101 columns']);
});

it.each([
  ['src/a.ts', '/** Why. */\n', 0],
  ['src/a.ts', '// Why.\n', 0],
  ['bin/dragon', '#!/usr/bin/env node\n// Why.\n', 0],
  ['src/a.ts', "import 'b';\n", 1],
  ['native/sync/a.cpp', '#include "sync/a.h"\n', 0],
  ['native/sync/a.cpp', '#include "sync/b.h"\n', 1],
])('%s that begins with %j has %i findings [CNF-012]', (path, text, count) => {
  expect(headerComment({ path, text })).toHaveLength(count);
});

it.each(['TO' + 'DO', 'FIX' + 'ME', 'HA' + 'CK'])('the word %s is found [CNF-015]', (word) => {
  expect(bannedWords({ path: 'a.md', text: `one\ntwo ${word}: three\n` })).toEqual([
    `a.md:2: the word ${word}`,
  ]);
});

it.each([
  [`cd ${root}/src`, 1],
  ['see /ho' + 'me/somebody/notes', 1],
  ['/ro' + 'ot/.npmrc', 1],
  ['frame' + 'wo' + 'rk/parts', 0],
  ['$' + '{dir}/ho' + 'me/x', 0],
])('%j has %i machine paths [CNF-016]', (text, count) => {
  expect(machinePaths({ path: 'a.md', text })).toHaveLength(count);
});

it('a merge that was not finished is found [CNF-015]', () => {
  const text = `one\n${'<'.repeat(7)} ours\n<<<<<<<\n`;
  expect(bannedWords({ path: 'a.md', text })).toHaveLength(1);
});
