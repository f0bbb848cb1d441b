/** Tests that do not run. */
import { expect, it } from 'vitest';
import { idleTests } from './tests.mjs';

it.each([
  "it.skip('a', f)",
  "test.only('a', f)",
  "describe.todo('a')",
  "it.fails('a', f)",
  "it.skipIf(isCi)('a', f)",
  "xit('a', f)",
  'TEST_CASE("a" * doctest::skip())',
  'context.skip()',
])('%s is found [CNF-014]', (line) => {
  expect(idleTests({ path: 'src/a.test.ts', text: `${line};\n` })).toHaveLength(1);
});

it.each([
  "context.skip('sshd is missing')",
  "it('can skip what is empty', f)",
  'reader.skip(4)',
  'items.only(3)',
])('%s is none of them [CNF-014]', (line) => {
  expect(idleTests({ path: 'src/a.test.ts', text: `${line};\n` })).toEqual([]);
});
