/**
 * What measuring programs share: options, pinning, the result line.
 *
 * Goals: the figure never holds the start of the program; samples are kept, not binned.
 */
import { execFileSync } from 'node:child_process';

/** The value of `--name` on the command line, or the default. */
export function option(name: string, otherwise: string): string {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : (process.argv[at + 1] ?? otherwise);
}

export function count(name: string, otherwise: number): number {
  return Number(option(name, String(otherwise)));
}

/**
 * Moves this process's main thread to one of the processors of `--cpus A,B`: the first for the
 * process that measures, the second for its partner. Nothing without the option.
 */
export function pin(role: 'first' | 'second', cpus: string): void {
  const tool = process.env['DRAGON_BENCH_PIN'];
  const cpu = cpus.split(',')[role === 'first' ? 0 : 1];
  if (tool === undefined || cpu === undefined || cpu === '') return;
  execFileSync(tool, ['--thread', String(process.pid), cpu]);
}

/** The value that `share` of the samples, which are in order, do not exceed. */
export function quantile(sorted: readonly number[] | undefined, share: number): number {
  if (sorted === undefined) return 0;
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** Prints the program's one result line. `perSample` operations make one sample. */
export function report(
  unit: string,
  samples: number[],
  perSample = 1,
  detail: Readonly<Record<string, number>> = {},
): void {
  samples.sort((a, b) => a - b);
  const [p50, p99, min] = [0.5, 0.99, 0].map((share) => quantile(samples, share));
  const line = { unit, n: samples.length * perSample, p50, p99, min };
  console.log(JSON.stringify({ ...line, detail }));
}

/** Nanoseconds of half a round trip, `rounds` times after a warm-up. */
export async function halfRoundTrips(
  rounds: number,
  roundTrip: () => void | Promise<void>,
): Promise<number[]> {
  const samples: number[] = [];
  for (let i = -Math.ceil(rounds / 10); i < rounds; i += 1) {
    const start = process.hrtime.bigint();
    const pending = roundTrip();
    if (pending !== undefined) await pending;
    if (i >= 0) samples.push(Number(process.hrtime.bigint() - start) / 2);
  }
  return samples;
}
