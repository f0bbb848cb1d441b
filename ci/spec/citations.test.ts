/** What counts as a test and as a citation. */
import { expect, it } from 'vitest';
import { readTests } from './citations.mjs';
import { readRequirements } from './requirements.mjs';

/** Citations are put together here, since spec coverage reads this file too. */
const cite = (...ids: string[]) => `[${ids.join(', ')}]`;

/** Titles and citations of a TypeScript text. */
function inScript(text: string): [string, string[]][] {
  return readTests({ path: 'a.test.ts', text }).map(({ title, cites }) => [title, cites]);
}

it('a requirement is a line that begins with its bold id [CNF-020]', () => {
  const text = 'The id **CH-001** here is none.\n\n**CH-002** A receive waits.\n  **CH-003** No.\n';
  expect(readRequirements([{ path: 'spec/a.md', text }])).toEqual([
    { id: 'CH-002', text: 'A receive waits.', place: 'spec/a.md:3' },
  ]);
});

it('tests of vitest are read whatever they are called and however they are made [CNF-022]', () => {
  const text = [
    `it('a ${cite('CH-001')}', () => {});`,
    `test.concurrent("b ${cite('CH-002', 'CH-003')}", async () => {});`,
    `it.each([1, 2])('c %i ${cite('CH-004')}', () => {});`,
    `it(\`d \${name} ${cite('CH-005')}\`, () => {});`,
    "expect(it).toBe('no test');",
  ].join('\n');
  expect(inScript(text).map(([, cites]) => cites)).toEqual([
    ['CH-001'],
    ['CH-002', 'CH-003'],
    ['CH-004'],
    ['CH-005'],
  ]);
});

it('a test has the citations of its group unless it has its own [CNF-024]', () => {
  const text = `describe('g ${cite('CH-001')}', () => {
    it('a', () => {});
    it('b ${cite('CH-002')}', () => {});
  });
  it('c', () => {});`;
  expect(inScript(text).map(([, cites]) => cites)).toEqual([['CH-001'], ['CH-002'], []]);
});

it('test cases of doctest are read, with titles over several lines [CNF-022]', () => {
  const macro = 'TEST_' + 'CASE';
  const text = [
    `${macro}("a ${cite('SYN-001')}") {`,
    `${macro}_FIXTURE(Bench, "b "`,
    `                 "${cite('SYN-002')}") {`,
    `  CHECK(x);`,
  ].join('\n');
  expect(readTests({ path: 'native/a_test.cpp', text })).toEqual([
    { title: `a ${cite('SYN-001')}`, place: 'native/a_test.cpp:1', cites: ['SYN-001'] },
    { title: `b ${cite('SYN-002')}`, place: 'native/a_test.cpp:2', cites: ['SYN-002'] },
  ]);
});
