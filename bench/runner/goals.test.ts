/** What a file of goals may say, and that the committed one says nothing else. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { CASES } from '../cases/index.ts';
import { caseOf, PLACES, printing } from './fixture.ts';
import { checkGoals, parseGoals, UsageError } from './goals.ts';

const ENTRY = 'suite: g, case: s/a, params: { size: 1 }, relation: at most, bound: 2, why: w';

/** The message of the usage error that an entry causes. */
function complaint(text: string): string {
  const withFloor = caseOf('a', { product: printing(1), floor: printing(1) });
  const beside = { peers: { x: printing(1) }, references: { 'self.y': printing(1) } };
  const bare = caseOf('b', { product: printing(1), ...beside });
  try {
    checkGoals(parseGoals(text, 'goals.yaml'), [withFloor, bare], PLACES, 'goals.yaml');
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return '';
}

it('an entry is read with its defaults [BEN-047]', () => {
  expect(complaint(`- { ${ENTRY} }`)).toBe('');
  expect(parseGoals(`- { ${ENTRY.replace('s/a', 'a').replace('g', 's')} }`, 'f')).toEqual([
    {
      suite: 's',
      case: 's/a',
      params: { size: 1 },
      of: { kind: 'floor' },
      relation: 'at most',
      bound: 2,
      why: 'w',
    },
  ]);
});

it.each([
  ['of: x', { of: { kind: 'peers', names: ['x'] }, relation: 'at most', bound: 2 }],
  ['of: self.y', { of: { kind: 'peers', names: ['self.y'] }, relation: 'at most', bound: 2 }],
  ['of: value', { of: { kind: 'value' }, relation: 'at most', bound: 2 }],
])('a figure without a floor is asked of a case without one: %s [BEN-046, BEN-047]', (of, goal) => {
  const entry = `- { ${ENTRY.replace('s/a', 's/b')}, ${of} }`;
  expect(complaint(entry)).toBe('');
  expect(parseGoals(entry, 'f')).toMatchObject([goal]);
});

it('what is reported has no bound [BEN-052]', () => {
  const entry = ENTRY.replace('at most, bound: 2', 'reported');
  expect(complaint(`- { ${entry} }`)).toBe('');
  expect(parseGoals(`- { ${entry} }`, 'f')[0]).not.toHaveProperty('bound');
});

it.each([
  ['suite: 1', 'the file is no list of goals'],
  ['- 1', 'entry 1 is no mapping'],
  ['- { a: [ }', 'goals.yaml: '],
  [`- { ${ENTRY}, colour: red }`, "no field is called 'colour'"],
  [`- { ${ENTRY.replace('suite: g, ', '')} }`, "'suite' is missing"],
  [`- { ${ENTRY.replace('case: s/a, ', '')} }`, "'case' is missing"],
  [`- { ${ENTRY.replace(', why: w', '')} }`, "(s/a): 'why' is missing"],
  [`- { ${ENTRY.replace('at most', 'below')} }`, "'relation' is 'at most', 'at least' or"],
  [`- { ${ENTRY.replace('at most', 'reported')} }`, "what is 'reported' has no 'bound'"],
  [`- { ${ENTRY.replace('bound: 2', 'bound: 0')} }`, "'bound' is a number above 0"],
  [`- { ${ENTRY.replace('{ size: 1 }', '[1]')} }`, "'params' maps names to plain values"],
  [`- { ${ENTRY}, of: [] }`, "'of' is 'floor', 'value', 'total', or names of peers"],
  [`- { ${ENTRY}, of: value, at_floor: 0 }`, "'at_floor' is a number above 0"],
  [`- { ${ENTRY}, of: total }`, "'of: total' goes with 'at least'"],
  [`- { ${ENTRY}, at_floor: 33 }`, "'at_floor' belongs to 'of: value'"],
])('a wrong entry is told with its place: %s [BEN-045]', (text, what) => {
  expect(complaint(text)).toContain('goals.yaml');
  expect(complaint(text)).toContain(what);
});

it('the number of the entry is told, counted from 1 [BEN-045]', () => {
  expect(complaint(`- { ${ENTRY} }\n- { ${ENTRY}, colour: red }`)).toContain('entry 2');
});

it.each([
  [ENTRY.replace('s/a', 's/z'), 'there is no case s/z'],
  [ENTRY.replace('size: 1', 'size: 9'), 's/a has no variant with params {size=9}'],
  [`${ENTRY}, of: x`, 's/a has no peer called x'],
  [ENTRY.replace('s/a', 's/b'), 's/b has no floor to be compared with'],
  [
    `${ENTRY.replace('s/a', 's/b')}, of: value, at_floor: 1`,
    's/b has no floor to be compared with',
  ],
])('a goal that no case can answer is refused: %s [BEN-046]', (entry, what) => {
  expect(complaint(`- { ${entry} }`)).toBe(`goals.yaml: ${what}`);
});

it('every committed goal has a case that answers it [BEN-045, BEN-046]', () => {
  const text = readFileSync(new URL('../goals.yaml', import.meta.url), 'utf8');
  const goals = parseGoals(text, 'goals.yaml');
  expect(goals.length).toBeGreaterThan(0);
  expect(() => checkGoals(goals, CASES, PLACES, 'goals.yaml')).not.toThrow();
});
