/** What runs when, told by an executor that starts nothing. */
import { expect, it } from 'vitest';
import { caseOf, measured, PLACES, printing } from './fixture.ts';
import { planUnits, runRounds } from './schedule.ts';
import type { Outcome, Program, Unit } from './types.ts';

/** A case whose programs are told apart by their commands. */
function named(name: string, suite = 's') {
  const does = (role: string): Program => ({ argv: [`${name}.${role}`] });
  const figures = { product: does('product'), floor: does('floor'), peers: { p: does('peer') } };
  return caseOf(name, figures, {
    suite,
    variants: [{ size: 1 }, { size: 2 }],
    smoke: [{ size: 2 }],
  });
}

const names = (units: readonly Unit[]) => units.map((unit) => `${unit.case}${unit.params['size']}`);

/** The commands in the order in which they were executed. */
async function orderOf(seed: number, runs: number): Promise<string[]> {
  const order: string[] = [];
  const units = planUnits([named('a'), named('b')], 'smoke', PLACES);
  const execute = async ({ argv }: Program): Promise<Outcome> => {
    order.push(argv.join(' '));
    return measured(1);
  };
  await runRounds(units, { runs, seed, execute });
  return order;
}

it('each run starts product, floor and peers once and one at a time [BEN-015]', async () => {
  const units = planUnits([named('a')], 'smoke', PLACES);
  let running = 0;
  const started: string[] = [];
  const execute = async ({ argv }: Program): Promise<Outcome> => {
    running += 1;
    expect(running).toBe(1);
    started.push(argv.join(' '));
    await Promise.resolve();
    running -= 1;
    return measured(1);
  };
  await runRounds(units, { runs: 2, seed: 1, execute });
  expect(started.slice(0, 3).sort()).toEqual(['a.floor', 'a.peer', 'a.product']);
  expect(started.slice(3).sort()).toEqual(['a.floor', 'a.peer', 'a.product']);
});

it('a round runs all units before the next one begins [BEN-016]', async () => {
  const order = (await orderOf(1, 2)).map((name) => name.split('.')[0]);
  expect(order.join('')).toBe('aaabbbaaabbb');
});

it('runs are numbered, and later rounds go on with the numbers [BEN-007]', async () => {
  const units = planUnits([named('a')], 'smoke', PLACES);
  const execute = async (): Promise<Outcome> => measured(1);
  const { samples } = await runRounds(units, { runs: 2, seed: 1, firstRun: 4, execute });
  expect(samples.map(({ run }) => run)).toEqual([4, 5]);
});

it('a seed decides the order, and orders differ between runs [BEN-017]', async () => {
  const order = await orderOf(7, 6);
  expect(await orderOf(7, 6)).toEqual(order);
  expect(await orderOf(8, 6)).not.toEqual(order);
});

it('every program comes to stand in every place, about equally often [BEN-017]', async () => {
  const order = (await orderOf(3, 300)).filter((name) => name.startsWith('a.'));
  for (const role of ['product', 'floor', 'peer']) {
    const places = [0, 0, 0];
    order.forEach((name, index) => {
      if (name === `a.${role}`) places[index % 3] = (places[index % 3] ?? 0) + 1;
    });
    for (const count of places) expect(Math.abs(count - 100)).toBeLessThan(40);
  }
});

it('profiles choose sets of parameters, --suite and --case choose cases [BEN-018]', () => {
  const cases = [named('a'), named('b'), named('c', 't')];
  expect(names(planUnits(cases, 'smoke', PLACES))).toEqual(['a2', 'b2', 'c2']);
  expect(names(planUnits(cases, 'full', PLACES, { suite: 't' }))).toEqual(['c1', 'c2']);
  expect(names(planUnits(cases, 'full', PLACES, { case: 'b' }))).toEqual(['b1', 'b2']);
  expect(names(planUnits(cases, 'full', PLACES, { suite: 't', case: 'b' }))).toEqual([]);
});

it('a product or floor that fails costs the sample of that run only [BEN-025]', async () => {
  const units = planUnits([named('a'), named('b')], 'smoke', PLACES);
  const failing = new Map([
    ['a.product', 1],
    ['b.floor', 2],
  ]);
  const started = new Map<string, number>();
  const execute = async ({ argv: [name = ''] }: Program): Promise<Outcome> => {
    const time = (started.get(name) ?? 0) + 1;
    started.set(name, time);
    return failing.get(name) === time ? { failed: 'it broke' } : measured(1);
  };
  const { samples, failures } = await runRounds(units, { runs: 3, seed: 1, execute });
  expect(samples.map((each) => `${each.case}${each.run}`)).toEqual(['b1', 'a2', 'a3', 'b3']);
  expect(failures.map(({ unit, run, what }) => `${unit.case}${run} ${what}`)).toEqual([
    'a1 s/a',
    'b2 floor.b',
  ]);
});

it('what can not run here is not started, and skipped rather than failed [BEN-029]', async () => {
  const absent = caseOf('a', { product: { missing: 'no such device' }, floor: printing(1) });
  const execute = async (): Promise<Outcome> => measured(1);
  const units = planUnits([absent], 'full', PLACES);
  const { samples, failures } = await runRounds(units, { runs: 1, seed: 1, execute });
  expect(samples).toEqual([]);
  expect(failures).toMatchObject([{ reason: 'no such device', skipped: true }]);
});
