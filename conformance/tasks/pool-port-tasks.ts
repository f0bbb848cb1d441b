/** What the ported tests of pools run in workers. */
import { appendFileSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineTask, registerError } from 'dragon-runtime';

/** A square, after so many ms; the second argument stands for a named one. */
export const sqr = defineTask(
  import.meta.url,
  'sqr',
  async (x: number, { wait = 0 }: { readonly wait?: number } = {}): Promise<number> => {
    if (wait > 0) await sleep(wait);
    return x * x;
  },
);

export const mul = defineTask(import.meta.url, 'mul', (x: number, y: number): number => x * y);

export const identity = defineTask(import.meta.url, 'identity', (x: unknown): unknown => x);

export const sqrAndPid = defineTask(import.meta.url, 'sqrAndPid', (x: number): [number, number] => [
  x * x,
  process.pid,
]);

/** Never ends, without working. */
export const endless = defineTask(
  import.meta.url,
  'endless',
  (_: unknown): Promise<void> => sleep(2 ** 30),
);

export class SayWhenError extends Error {
  override readonly name = 'SayWhenError';
  readonly value: number;

  constructor(value: number) {
    super('Somebody said when');
    this.value = value;
  }
}
registerError(SayWhenError);

export const raising = defineTask(import.meta.url, 'raising', (): never => {
  throw new SayWhenError(123);
});

/** Notes in the file that it ran; then fails, with as much to say as it is told. */
export const raiseLarge = defineTask(
  import.meta.url,
  'raiseLarge',
  async ([log, bytes, waitMs]: readonly [string, number, number]): Promise<string> => {
    await sleep(waitMs);
    appendFileSync(log, 'x');
    if (bytes > 0) throw new RangeError('x'.repeat(bytes));
    return 'well';
  },
);

class Unserializable {
  readonly inside = (): void => undefined;
}

export const unserializable = defineTask(
  import.meta.url,
  'unserializable',
  (): Unserializable => new Unserializable(),
);

let initialised = 0;

export const initialise = defineTask(import.meta.url, 'initialise', (): void => {
  initialised++;
});

export const timesInitialised = defineTask(
  import.meta.url,
  'timesInitialised',
  (): number => initialised,
);

/** Ends the process unless it is among the first three that come here. */
export const onlyThree = defineTask(import.meta.url, 'onlyThree', (path: string): void => {
  appendFileSync(path, 'x');
  if (readFileSync(path, 'utf8').length > 3) process.exit(7);
});
