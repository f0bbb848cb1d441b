/** Which C++ sources belong to which product. */
import { expect, it } from 'vitest';
import {
  addonSources,
  coreSources,
  librarySources,
  nativeTestSources,
  wardenSources,
} from './sources.mjs';

it('addon and library are the core and a room of their own, and no test or bench [CNF-004]', () => {
  expect(addonSources().every((path) => path.startsWith('native/binding/'))).toBe(true);
  expect(librarySources().every((path) => path.startsWith('native/c/'))).toBe(true);
  expect([addonSources(), librarySources()]).not.toContainEqual([]);
  const core = coreSources();
  expect(core.filter((path) => /^native\/(binding|c|bench|proof)\//.test(path))).toEqual([]);
  expect(core.filter((path) => /_test\.cpp$|_main\.cpp$/.test(path))).toEqual([]);
});

it('the warden is its main, the process room and the sync room [CNF-004]', () => {
  const sources = wardenSources();
  expect(sources).toContain('native/process/warden_main.cpp');
  expect(sources.filter((path) => !/^native\/(process|sync)\//.test(path))).toEqual([]);
});

it('every native test lies beside what it tests [CNF-004]', () => {
  const tests = nativeTestSources();
  expect(tests.length).toBeGreaterThan(0);
  expect(tests.filter((path) => !path.endsWith('_test.cpp'))).toEqual([]);
});
