/**
 * Judges goals by samples.
 *
 * The figure of a run compares two programs that ran in the same round. The verdict looks at
 * the whole 95 % interval of the figures' median: `ok` and `short` are claims, everything
 * else is `unsure`.
 */
import type { Goal } from './goals.ts';
import { median, medianInterval } from './statistics.ts';
import type { Sample } from './types.ts';

export type Verdict = 'ok' | 'short' | 'unsure' | 'reported';

export interface Judgement {
  readonly verdict: Verdict;
  readonly runs: number;
  /** The median figure and its interval, as far as there are any. */
  readonly figure?: number;
  readonly low?: number;
  readonly high?: number;
  /** Why the verdict is `unsure`. */
  readonly reason?: string;
}

/** The figure of one run, or why it has none. */
export function figureOf(goal: Goal, sample: Sample): number | { readonly absent: string } {
  const { of } = goal;
  switch (of.kind) {
    case 'total':
      return sample.p50;
    case 'floor':
      if (sample.floor === undefined) return { absent: 'the floor is missing' };
      return sample.p50 / sample.floor.p50;
    case 'value':
      if (of.atFloor === undefined) return sample.p50;
      if (sample.floor === undefined) return { absent: 'the floor is missing' };
      return (sample.p50 * of.atFloor) / sample.floor.p50;
    case 'peers': {
      const figures: number[] = [];
      for (const name of of.names) {
        const figure = sample.peers[name];
        if (figure === undefined) {
          const why = sample.missing?.[name];
          return { absent: `peer ${name} is missing${why === undefined ? '' : `: ${why}`}` };
        }
        figures.push(figure);
      }
      // The best peer is the one beside which we look worst.
      return sample.better === 'lower' ? Math.max(...figures) : Math.min(...figures);
    }
  }
}

/** Judges one goal by the samples of its case and parameters. */
export function judge(goal: Goal, samples: readonly Sample[]): Judgement {
  const runs = samples.length;
  if (runs === 0) return { verdict: 'unsure', runs, reason: 'there is no sample' };
  const figures: number[] = [];
  for (const sample of samples) {
    const figure = figureOf(goal, sample);
    if (typeof figure !== 'number') return { verdict: 'unsure', runs, reason: figure.absent };
    figures.push(figure);
  }
  if (goal.of.kind === 'total') return judgeTotal(goal, figures);
  const figure = median(figures);
  const interval = medianInterval(figures);
  if (goal.relation === 'reported') {
    const ends = interval === undefined ? {} : { low: interval.low, high: interval.high };
    return { verdict: 'reported', runs, figure, ...ends };
  }
  if (interval === undefined) {
    const reason = `${runs} runs are too few for an interval`;
    return { verdict: 'unsure', runs, figure, reason };
  }
  const { low, high } = interval;
  const found = { runs, figure, low, high };
  if (keeps(goal, low) && keeps(goal, high)) return { verdict: 'ok', ...found };
  if (!keeps(goal, low) && !keeps(goal, high)) return { verdict: 'short', ...found };
  return { verdict: 'unsure', ...found, reason: 'the interval holds the bound' };
}

/** A total has no luck in it: it is the bound or it is not. */
function judgeTotal(goal: Goal, figures: readonly number[]): Judgement {
  const figure = figures.reduce((sum, one) => sum + one, 0);
  return { verdict: keeps(goal, figure) ? 'ok' : 'short', runs: figures.length, figure };
}

function keeps({ relation, bound }: Goal, figure: number): boolean {
  if (bound === undefined) return true;
  return relation === 'at most' ? figure <= bound : figure >= bound;
}

/** The exit code for a set of verdicts: 1 if any is short, else 3 if any is unsure, else 0. */
export function exitCodeFor(verdicts: readonly Verdict[]): 0 | 1 | 3 {
  if (verdicts.includes('short')) return 1;
  return verdicts.includes('unsure') ? 3 : 0;
}

/** How far beyond its bound a figure of a small run has to be to raise an alarm. */
export const ALARM_FACTOR = 2;

/** Whether the best of these samples is beyond the alarm's bound. */
export function isAlarming(goal: Goal, samples: readonly Sample[]): boolean {
  const { bound, relation, of } = goal;
  // How much a total comes to is a matter of the profile.
  if (bound === undefined || of.kind === 'total') return false;
  const figures = samples
    .map((sample) => figureOf(goal, sample))
    .filter((figure) => typeof figure === 'number');
  if (figures.length === 0) return false;
  return relation === 'at most'
    ? Math.min(...figures) > (goal.alarm ?? bound * ALARM_FACTOR)
    : Math.max(...figures) < (goal.alarm ?? bound / ALARM_FACTOR);
}
