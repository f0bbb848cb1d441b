/**
 * Medians, and how far they can be trusted.
 *
 * The unit of analysis is the process run, never the operation inside it: operations of one
 * process share its memory layout and its luck. Runs are few and far from normal, so the
 * interval of the median comes from order statistics, which hold for every distribution.
 */

/** The smallest item that at least `share` of the items do not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = Math.max(0, Math.ceil(share * sorted.length) - 1);
  const value = sorted[rank];
  if (value === undefined) throw new RangeError('a quantile of no values');
  return value;
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (upper === undefined || lower === undefined) throw new RangeError('a median of no values');
  return (lower + upper) / 2;
}

export interface Interval {
  readonly low: number;
  readonly high: number;
  /** The probability that the interval holds the true median. */
  readonly coverage: number;
}

/**
 * The narrowest symmetric pair of order statistics that holds the true median with at least
 * `confidence`; undefined when so few values can't give that confidence (under six for 95 %).
 */
export function medianInterval(values: readonly number[], confidence = 0.95): Interval | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  let found: Interval | undefined;
  let outside = 0;
  let term = 0.5 ** sorted.length;
  for (let cut = 0; cut < sorted.length / 2; cut += 1) {
    // The median lies below the item at `cut` when at most `cut` values fell below it.
    outside += 2 * term;
    term = (term * (sorted.length - cut)) / (cut + 1);
    const low = sorted[cut];
    const high = sorted[sorted.length - 1 - cut];
    if (low === undefined || high === undefined || 1 - outside < confidence) break;
    found = { low, high, coverage: 1 - outside };
  }
  return found;
}
