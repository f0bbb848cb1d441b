/** Which C++ sources belong to which product. */
import { expect, it } from 'vitest';
import { addonSources, coreSources, nativeTestSources, wardenSources } from './sources.mjs';

it('the addon is the core and the binding, and no test or bench [CNF-004]', () => {
  const sources = addonSources();
  expect(sources.some((path) => path.startsWith('native/binding/'))).toBe(true);
  expect(sources).toEqual(expect.arrayContaining(coreSources()));
  expect(sources.filter((path) => /_test\.cpp$|native\/bench\/|_main\.cpp$/.test(path))).toEqual(
    [],
  );
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
