/** Both commands from their arguments to their exit codes, over programs of one shell line. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { benchCommand } from './bench-command.ts';
import { caseOf, type Figures, kitOf, printing, shell, type TestKit } from './fixture.ts';
import { goalsCommand } from './goals-command.ts';
import type { BenchCase, Places, Situation } from './types.ts';

const kits: TestKit[] = [];

function kit(cases: readonly BenchCase[], goals?: string): TestKit {
  const made = kitOf(cases, goals);
  kits.push(made);
  return made;
}

afterEach(() => {
  for (const { root } of kits.splice(0)) rmSync(root, { recursive: true });
});

function goal(bound: number, more = ''): string {
  const fields = `suite: g, case: s/a, params: { size: 1 }, relation: at most, why: w`;
  return `- { ${fields}, bound: ${bound}${more} }\n`;
}

const fine: Figures = { product: printing(6), floor: printing(2) };

/** JSON lines as they were written. */
function lines(text: string): Record<string, unknown>[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

it('bench ends with 0 when all was measured, shown as rows [BEN-035, BEN-039]', async () => {
  const own = kit([caseOf('a', { ...fine, peers: { slow: printing(12) } })]);
  expect(await benchCommand(own, ['--runs', '2'])).toBe(0);
  expect(
    own.written
      .join('')
      .split('\n')
      .slice(0, 2)
      .map((row) => row.split(/ {2,}/)),
  ).toEqual([
    ['case', 'parameters', 'runs', 'p50', 'p99', 'floor', 'x floor', 'ours / peer'],
    ['s/a', 'size=1', '2', '6.00 ns', '12.0 ns', '2.00 ns', '3.00', 'slow 0.500'],
  ]);
  expect(own.warned.join('')).toBe('');
});

it('a failed product is told once and is exit code 1 [BEN-025, BEN-035]', async () => {
  const broken = { product: shell('echo broken >&2; exit 3'), floor: printing(2) };
  const own = kit([caseOf('a', broken), caseOf('b', fine)]);
  expect(await benchCommand(own, ['--runs', '2'])).toBe(1);
  expect(own.warned.join('')).toBe('failed s/a size=1: ended with code 3: broken\n');
  expect(own.written.join('')).toContain('s/b');
});

it('a failed floor is told with its name and is exit code 1 [BEN-025, BEN-035]', async () => {
  const own = kit([caseOf('a', { product: printing(6), floor: shell('exit 4') })]);
  expect(await benchCommand(own, ['--runs', '1'])).toBe(1);
  expect(own.warned.join('')).toBe('failed s/a size=1 (floor.a): ended with code 4\n');
});

it('a peer that is missing or fails costs its own number only [BEN-028, BEN-035]', async () => {
  const peers = { gone: { missing: 'not installed' }, bad: shell('exit 1'), ok: printing(3) };
  const own = kit([caseOf('a', { ...fine, peers })]);
  expect(await benchCommand(own, ['--runs', '1'])).toBe(0);
  for (const word of ['gone missing', 'bad missing', 'ok 2.00']) {
    expect(own.written.join('')).toContain(word);
  }
});

it('what can not run here is skipped with the reason, and no failure [BEN-029]', async () => {
  const own = kit([caseOf('a', { product: { missing: 'no such device' } })]);
  expect(await benchCommand(own, [])).toBe(0);
  expect(own.warned.join('')).toBe('skipped s/a size=1: no such device\n');
});

it('smoke has one round and fewer sets of parameters [BEN-018, BEN-019]', async () => {
  const variants = [{ size: 1 }, { size: 2 }];
  const own = kit([caseOf('a', fine, { variants, smoke: [{ size: 2 }] })]);
  expect(await benchCommand(own, ['--profile', 'smoke', '--json'])).toBe(0);
  const [meta, ...samples] = lines(own.written.join(''));
  expect(meta).toMatchObject({ profile: 'smoke', runs: 1 });
  expect(samples.map(({ params, run }) => [params, run])).toEqual([[{ size: 2 }, 1]]);
});

it('--json and --output give the same lines [BEN-005, BEN-006, BEN-011]', async () => {
  const own = kit([caseOf('a', fine)]);
  const path = join(own.root, 'out.jsonl');
  expect(await benchCommand(own, ['--runs', '2', '--seed', '9', '--json', '-o', path])).toBe(0);
  const text = own.written.join('');
  expect(readFileSync(path, 'utf8')).toBe(text);
  const [meta, ...samples] = lines(text);
  expect(samples.map(({ kind }) => kind)).toEqual(['sample', 'sample']);
  const facts = 'kind schema release commit dirty profile runs node compiler compilerFlags python';
  const machine = 'peers kernel cpu cores affinity loadBefore loadAfter seed startedAt';
  expect(Object.keys(meta ?? {})).toEqual(`${facts} ${machine}`.split(' '));
  expect(meta).toMatchObject({ kind: 'meta', schema: 1, release: '1.2.3', runs: 2, seed: 9 });
  expect(meta?.['commit']).toBe('unknown');
});

it('--list names the cases and measures nothing [BEN-037]', async () => {
  const own = kit([caseOf('a', { product: shell('exit 1') })]);
  expect(await benchCommand(own, ['--list'])).toBe(0);
  expect(own.written.join('')).toBe('s/a  about a\n');
});

it('help, the list and wrong usage build nothing [BEN-040]', async () => {
  const build = async (): Promise<boolean> => {
    throw new Error('it builds');
  };
  const own = { ...kit([caseOf('a', fine)], goal(2)), build };
  expect(await benchCommand(own, ['--list'])).toBe(0);
  expect(await benchCommand(own, ['--help'])).toBe(0);
  expect(await goalsCommand(own, ['--help'])).toBe(0);
  await expect(goalsCommand(own, ['z'])).rejects.toThrow('has no suite z');
  await expect(benchCommand(own, [])).rejects.toThrow('it builds');
  await expect(goalsCommand(own, ['g'])).rejects.toThrow('it builds');
});

it('what does not build is exit code 1, and nothing is measured [BEN-040]', async () => {
  const own = kit([caseOf('a', fine)], goal(2));
  const broken = { ...own, build: async () => false };
  expect(await benchCommand(broken, [])).toBe(1);
  expect(await goalsCommand(broken, ['g'])).toBe(1);
  expect(own.warned).toEqual(
    Array(2).fill('the programs of native/bench did not build; see above\n'),
  );
  expect(own.written).toEqual([]);
});

it('a product is judged by itself in another shape [BEN-047]', async () => {
  const one = { product: printing(6), references: { 'self.half': printing(12) } };
  const own = kit([caseOf('a', one)], goal(0.5, ', of: self.half') + goal(0.4, ', of: self.half'));
  expect(await goalsCommand(own, ['g'])).toBe(1);
  const table = own.written.join('');
  expect(table).toMatch(/^ok +s\/a +size=1 +0\.500 .* at most 0\.5 x self\.half$/m);
  expect(table).toMatch(/^short +s\/a +size=1 +0\.500 .* at most 0\.4 x self\.half$/m);
});

it('the product in another shape that fails costs the sample [BEN-025, BEN-035]', async () => {
  const one = { product: printing(6), references: { 'self.half': shell('exit 5') } };
  const own = kit([caseOf('a', one)]);
  expect(await benchCommand(own, ['--runs', '1'])).toBe(1);
  expect(own.warned.join('')).toBe('failed s/a size=1 (self.half): ended with code 5\n');
});

it('--case leaves the goals of other cases out [BEN-018]', async () => {
  const own = kit([caseOf('a', fine), caseOf('b', fine)], goal(2) + goal(3).replace('s/a', 's/b'));
  expect(await goalsCommand(own, ['g', '--case', 'b'])).toBe(0);
  expect(await goalsCommand(own, ['g', '--case', 's/a'])).toBe(1);
  expect(own.written.join('')).toMatch(/^ok +s\/b /m);
  await expect(goalsCommand(own, ['g', '--case', 'z'])).rejects.toThrow(
    'no goal of g has a case z',
  );
});

it('a case or a suite of goals that does not exist is wrong usage [BEN-037]', async () => {
  const own = kit([caseOf('a', fine)], goal(2));
  await expect(benchCommand(own, ['--case', 'z'])).rejects.toThrow('no case is called so');
  await expect(goalsCommand(own, ['z'])).rejects.toThrow('has no suite z; it has g');
});

it('an alarm comes after two more runs, with exit code 1 [BEN-035, BEN-051]', async () => {
  const own = kit([caseOf('a', fine), caseOf('b', fine)], goal(1.4));
  expect(await benchCommand(own, ['--profile', 'smoke', '--alarm'])).toBe(1);
  expect(own.warned.join('')).toBe(
    'alarm: s/a size=1: 3.00, 3.00, 3.00; at most 1.4 x floor, missed 2 times over\n',
  );
});

it('a miss by less than a factor of two is no alarm [BEN-051]', async () => {
  const own = kit([caseOf('a', fine)], goal(1.6));
  expect(await benchCommand(own, ['--profile', 'smoke', '--alarm'])).toBe(0);
  expect(own.warned.join('')).toBe('no alarm\n');
});

it('goals adds a line for each, ends with 0 if ok [BEN-010, BEN-019, BEN-036]', async () => {
  const own = kit([caseOf('a', fine), caseOf('b', fine)], goal(3) + goal(6, ', of: floor'));
  expect(await goalsCommand(own, ['g', '--json'])).toBe(0);
  const records = lines(own.written.join(''));
  expect(records.map(({ kind }) => kind)).toEqual([
    'meta',
    ...Array.from({ length: 7 }, () => 'sample'),
    'goal',
    'goal',
  ]);
  expect(records[8]).toEqual({
    kind: 'goal',
    suite: 'g',
    case: 's/a',
    params: { size: 1 },
    of: { kind: 'floor' },
    relation: 'at most',
    bound: 3,
    why: 'w',
    verdict: 'ok',
    runs: 7,
    figure: 3,
    low: 3,
    high: 3,
  });
});

it('goals exits with 1 when one is short, also beside an unsure one [BEN-036]', async () => {
  const peers = { gone: { missing: 'not installed' } };
  const own = kit([caseOf('a', { ...fine, peers })], goal(2) + goal(1, ', of: gone'));
  expect(await goalsCommand(own, ['g'])).toBe(1);
  const table = own.written.join('');
  expect(table).toMatch(/^short +s\/a +size=1 +3\.00 +\[3\.00, 3\.00\] +at most 2 x floor$/m);
  expect(table).toMatch(/^unsure .* peer gone is missing: not installed$/m);
});

it('goals exits with 3 when a peer is missing and none is short [BEN-036, BEN-050]', async () => {
  const peers = { gone: { missing: 'not installed' } };
  const own = kit([caseOf('a', { ...fine, peers })], goal(3) + goal(1, ', of: gone'));
  expect(await goalsCommand(own, ['g'])).toBe(3);
});

it('a product that fails makes its goal unsure, with exit code 3 [BEN-036, BEN-050]', async () => {
  const own = kit([caseOf('a', { product: shell('exit 1'), floor: printing(1) })], goal(3));
  expect(await goalsCommand(own, ['g'])).toBe(3);
  expect(own.warned.join('')).toBe('failed s/a size=1: ended with code 1\n');
  expect(own.written.join('')).toContain('there is no sample');
});

it('programs have a scratch folder, which is gone after the run [BEN-030]', async () => {
  const look = (places: Places) => shell(`test -d ${places.scratch} && ${printing(1).argv[2]}`);
  let scratch = '';
  const product = ({ places }: Situation) => {
    scratch = places.scratch;
    return look(places);
  };
  const own = kit([caseOf('a', fine, { product })]);
  expect(await benchCommand(own, ['--runs', '1'])).toBe(0);
  expect(existsSync(scratch)).toBe(false);
});
