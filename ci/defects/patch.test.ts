/** The header of a planted defect. */
import { expect, it } from 'vitest';
import { readPatch } from './patch.mjs';

const diff = '--- a/src/a.ts\n+++ b/src/a.ts\n@@ -1 +1 @@\n-a\n+b\n';
const header = ['Requirement: CH-012', 'Tests: src/a.test.ts, src/b.test.ts', 'Rebuild: ts'];

it('the header names what is broken and who should notice [CNF-042]', () => {
  expect(readPatch('a.patch', [...header, diff].join('\n'))).toEqual({
    name: 'a.patch',
    requirement: 'CH-012',
    tests: ['src/a.test.ts', 'src/b.test.ts'],
    rebuild: 'ts',
    isQuick: false,
    isNative: false,
  });
});

it.each([0, 1, 2])('a header without its line %i says which one [CNF-043]', (missing) => {
  const lines = header.filter((_, index) => index !== missing);
  const key = header[missing]?.split(':')[0];
  expect(readPatch('a.patch', [...lines, diff].join('\n'))).toContain(`no line "${key}:`);
});

it('what stands in the diff is no header [CNF-043]', () => {
  expect(readPatch('a.patch', [diff, ...header].join('\n'))).toBeTypeOf('string');
});
