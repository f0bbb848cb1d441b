/** The length of functions. */
import { expect, it } from 'vitest';
import { longFunctions } from './functions.mjs';

const body = (lines: number) => 'work();\n'.repeat(lines);

it('a TypeScript function of 71 lines is found, of 70 not [CNF-011]', () => {
  const text = (lines: number) => `const a = 1;\nfunction f() {\n${body(lines)}}\n`;
  expect(longFunctions({ path: 'a.ts', text: text(68) })).toEqual([]);
  expect(longFunctions({ path: 'a.ts', text: text(69) })).toEqual([
    'a.ts:2: a function of 71 lines, the limit is 70',
  ]);
});

it('a method and an arrow function count too [CNF-011]', () => {
  const text = `class A {\n  m() {\n${body(70)}}\n}\nconst f = () => {\n${body(70)}};\n`;
  expect(longFunctions({ path: 'a.ts', text })).toHaveLength(2);
});

it('a group of tests may be long [CNF-011]', () => {
  const text = `describe('a', () => {\n${body(100)}});\n`;
  expect(longFunctions({ path: 'a.test.ts', text })).toEqual([]);
});

it('a C++ function and a method in its class are measured to their closing brace [CNF-011]', () => {
  const free = `namespace a {\nint F(int x) {\n${body(69)}}\n}\n`;
  const method = `class A {\n  int F(int x) const {\n${body(69)}  }\n};\n`;
  expect(longFunctions({ path: 'a.cpp', text: free })).toHaveLength(1);
  expect(longFunctions({ path: 'a.h', text: method })).toHaveLength(1);
  expect(longFunctions({ path: 'a.cpp', text: `void G() {\n${body(60)}}\n` })).toEqual([]);
});
