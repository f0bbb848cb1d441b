/** Figures, intervals, verdicts. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { goalOf, sample } from './fixture.ts';
import { exitCodeFor, figureOf, isAlarming, judge } from './judge.ts';
import { median, medianInterval } from './statistics.ts';
import type { Sample } from './types.ts';

const atMost = goalOf('relation: at most\nbound: 2');
const atLeast = goalOf('relation: at least\nbound: 2');

/** Samples whose p50 over the floor's are these. */
function runs(...figures: number[]): Sample[] {
  return figures.map((figure, index) =>
    sample({ run: index + 1, p50: figure * 10, floor: { case: 'f', p50: 10 } }),
  );
}

it('a figure beside the floor is p50 over p50, also where higher is better [BEN-047]', () => {
  const floor = { case: 'f', p50: 50 };
  expect(figureOf(atMost, sample({ floor, ratio: 2 }))).toBe(2);
  expect(figureOf(atMost, sample({ floor, ratio: 0.5, better: 'higher' }))).toBe(2);
});

it('a figure beside several peers is the one where we look worst [BEN-047]', () => {
  const goal = goalOf('of: [x, y]\nrelation: at most\nbound: 1');
  const peers = { x: 0.5, y: 0.8, z: 9 };
  expect(figureOf(goal, sample({ peers }))).toBe(0.8);
  expect(figureOf(goal, sample({ peers, better: 'higher' }))).toBe(0.5);
  const single = goalOf('of: x\nrelation: at most\nbound: 1');
  expect(figureOf(single, sample({ peers }))).toBe(0.5);
});

it('a value is scaled to the floor that its goal names [BEN-047]', () => {
  const goal = goalOf('of: value\nat_floor: 33\nrelation: at most\nbound: 400');
  expect(figureOf(goal, sample({ p50: 300, floor: { case: 'f', p50: 66 } }))).toBe(150);
});

it('a value without a floor is the value itself [BEN-047]', () => {
  const goal = goalOf('of: value\nrelation: at most\nbound: 400');
  expect(figureOf(goal, sample({ p50: 300 }))).toBe(300);
  expect(figureOf(goal, sample({ p50: 300, floor: { case: 'f', p50: 66 } }))).toBe(300);
});

it('a total is the sum over the runs, which has no interval [BEN-053]', () => {
  const goal = goalOf('of: total\nrelation: at least\nbound: 250');
  const hundreds = (...list: number[]) => list.map((p50, index) => sample({ run: index, p50 }));
  expect(judge(goal, hundreds(100, 100, 50))).toEqual({ verdict: 'ok', runs: 3, figure: 250 });
  expect(judge(goal, hundreds(100, 100))).toEqual({ verdict: 'short', runs: 2, figure: 200 });
  expect(judge(goal, [])).toMatchObject({ verdict: 'unsure' });
  expect(isAlarming(goal, hundreds(1))).toBe(false);
});

it('what is reported has a figure and no judgement [BEN-052]', () => {
  const goal = goalOf('of: value\nrelation: reported');
  const seven = [1, 2, 3, 4, 5, 6, 7].map((p50) => sample({ run: p50, p50 }));
  const found = { verdict: 'reported', runs: 7, figure: 4, low: 1, high: 7 };
  expect(judge(goal, seven)).toEqual(found);
  expect(judge(goal, seven.slice(0, 1))).toEqual({ verdict: 'reported', runs: 1, figure: 1 });
  expect(judge(goal, [])).toMatchObject({ verdict: 'unsure' });
  expect(isAlarming(goal, seven)).toBe(false);
  expect(exitCodeFor(['ok', 'reported'])).toBe(0);
});

it('a goal that is known to be short is watched from its own mark on [BEN-055]', () => {
  const goal = goalOf('relation: at most\nbound: 2\nalarm: 6');
  expect(judge(goal, runs(5, 5, 5, 5, 5, 5, 5)).verdict).toBe('short');
  expect(isAlarming(goal, runs(5))).toBe(false);
  expect(isAlarming(goal, runs(7))).toBe(true);
});

it('the figure of a goal is the median of its runs [BEN-048]', () => {
  expect(judge(atMost, runs(1.3, 1.1, 1.9, 1.2, 1.7, 1.4, 1.6)).figure).toBe(1.4);
  expect(median([4, 1, 3, 2])).toBe(2.5);
});

it('the interval of a median comes from order statistics [BEN-048]', () => {
  // 1 - 2 / 2^n for the outermost pair, 1 - 2 (1 + n) / 2^n for the next one.
  expect(medianInterval([5, 4, 3, 2, 1])).toBeUndefined();
  expect(medianInterval([6, 5, 4, 3, 2, 1])).toEqual({ low: 1, high: 6, coverage: 1 - 2 / 64 });
  expect(medianInterval([7, 1, 6, 2, 5, 3, 4])).toMatchObject({ low: 1, high: 7 });
  const nine = medianInterval([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(nine).toEqual({ low: 2, high: 8, coverage: 1 - 20 / 512 });
});

it('an interval is symmetric, holds the median and covers 95 % [BEN-048]', () => {
  const values = fc.uniqueArray(fc.double({ min: 0.1, max: 1e6, noNaN: true }), {
    minLength: 6,
    maxLength: 60,
  });
  fc.assert(
    fc.property(values, (list) => {
      const interval = medianInterval(list);
      if (interval === undefined) throw new Error('no interval');
      const sorted = [...list].sort((a, b) => a - b);
      expect(interval.low).toBeLessThanOrEqual(median(list));
      expect(interval.high).toBeGreaterThanOrEqual(median(list));
      expect(sorted.indexOf(interval.low)).toBe([...sorted].reverse().indexOf(interval.high));
      expect(interval.coverage).toBeGreaterThanOrEqual(0.95);
    }),
  );
});

it('both ends of the interval decide, and the bound itself is kept [BEN-049]', () => {
  expect(judge(atMost, runs(1, 1, 1.5, 1.5, 1.5, 2, 2)).verdict).toBe('ok');
  expect(judge(atMost, runs(2.1, 3, 3, 3, 3, 3, 3)).verdict).toBe('short');
  expect(judge(atMost, runs(1, 1, 1, 1, 1, 1, 2.1)).verdict).toBe('unsure');
  expect(judge(atLeast, runs(2, 3, 3, 3, 3, 3, 3)).verdict).toBe('ok');
  expect(judge(atLeast, runs(1, 1, 1, 1, 1, 1, 1.9)).verdict).toBe('short');
  expect(judge(atLeast, runs(1, 3, 3, 3, 3, 3, 3))).toMatchObject({
    verdict: 'unsure',
    low: 1,
    high: 3,
    reason: 'the interval holds the bound',
  });
});

it('a goal without samples, or with too few, is unsure [BEN-050]', () => {
  expect(judge(atMost, [])).toMatchObject({ verdict: 'unsure', reason: 'there is no sample' });
  expect(judge(atMost, runs(1, 1, 1, 1, 1))).toMatchObject({
    verdict: 'unsure',
    figure: 1,
    reason: '5 runs are too few for an interval',
  });
});

it('a floor or peer that one run lacks makes the goal unsure, with the reason [BEN-050]', () => {
  const goal = goalOf('of: x\nrelation: at most\nbound: 1');
  const beside = [1, 2, 3, 4, 5, 6].map((run) => sample({ run, peers: { x: 0.5 } }));
  expect(judge(goal, beside).verdict).toBe('ok');
  const lacking = sample({ run: 7, missing: { x: 'not installed' } });
  expect(judge(goal, [...beside, lacking])).toMatchObject({
    verdict: 'unsure',
    reason: 'peer x is missing: not installed',
  });
  expect(judge(atMost, [sample()])).toMatchObject({ reason: 'the floor is missing' });
});

it('short outweighs unsure, and unsure outweighs ok [BEN-036]', () => {
  expect(exitCodeFor(['ok', 'ok'])).toBe(0);
  expect(exitCodeFor(['ok', 'unsure'])).toBe(3);
  expect(exitCodeFor(['unsure', 'short', 'ok'])).toBe(1);
});

it('an alarm wants every figure beyond twice the bound [BEN-051]', () => {
  expect(isAlarming(atMost, runs(4.1, 9))).toBe(true);
  expect(isAlarming(atMost, runs(4, 9))).toBe(false);
  expect(isAlarming(atLeast, runs(0.9, 0.5))).toBe(true);
  expect(isAlarming(atLeast, runs(1, 0.5))).toBe(false);
  expect(isAlarming(atMost, [])).toBe(false);
  expect(isAlarming(atMost, [sample()])).toBe(false);
});
