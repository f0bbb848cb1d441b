/** Folders explain themselves. */
import { expect, it } from 'vitest';
import { missingReadmes } from './folders.mjs';

it('a folder with files and no README.md is found, at any depth [CNF-013]', () => {
  const paths = ['src/README.md', 'src/a.ts', 'src/core/pool/b.ts', 'package.json'];
  expect(missingReadmes(paths)).toEqual(['src/core/pool: no README.md']);
});

it('fixtures and golden data are explained by their parents [CNF-013]', () => {
  expect(missingReadmes(['a/fixtures/b.ts', 'spec/vectors/c/d.json', '.ci/run'])).toEqual([]);
});
