/** What the tests of pools map and apply. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineTask } from 'dragon-runtime';
import { Pool, type Queue } from 'dragon-runtime/multiprocessing';

/** A function in a small language, to be evaluated on either side. */
export type Expression =
  | { readonly op: 'x' }
  | { readonly op: 'constant'; readonly value: number }
  | {
      readonly op: 'add' | 'multiply' | 'less';
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly op: 'pair' | 'text' | 'later'; readonly of: Expression };

export function evaluateHere(expression: Expression, x: number): unknown {
  const number = (part: Expression): number => Number(evaluateHere(part, x));
  switch (expression.op) {
    case 'x':
      return x;
    case 'constant':
      return expression.value;
    case 'add':
      return number(expression.left) + number(expression.right);
    case 'multiply':
      return number(expression.left) * number(expression.right);
    case 'less':
      return number(expression.left) < number(expression.right);
    case 'pair':
      return [x, evaluateHere(expression.of, x)];
    case 'text':
      return `<${String(evaluateHere(expression.of, x))}>`;
    case 'later':
      return evaluateHere(expression.of, x);
  }
}

/** Evaluates an expression in a worker; `later` makes the answer a promise. */
export const evaluate = defineTask(
  import.meta.url,
  'evaluate',
  ([expression, x]: readonly [Expression, number]): unknown => {
    const value = evaluateHere(expression, x);
    return expression.op === 'later' ? sleep(0, value) : value;
  },
);

export const square = defineTask(import.meta.url, 'square', (x: number): number => x * x);

export const squareAndPid = defineTask(
  import.meta.url,
  'squareAndPid',
  (x: number): [number, number] => [x * x, process.pid],
);

export const add = defineTask(import.meta.url, 'add', (a: number, b: number): number => a + b);

export const slowSquare = defineTask(
  import.meta.url,
  'slowSquare',
  async (x: number): Promise<number> => {
    await sleep(20);
    return x * x;
  },
);

export const workerPid = defineTask(import.meta.url, 'workerPid', async (): Promise<number> => {
  await sleep(5);
  return process.pid;
});

/** An error of a class that both sides know. */
export class TaskError extends Error {
  readonly code = 'E_TASK';
  readonly index: number;

  constructor(index: number) {
    super(`task ${index} failed`, { cause: new RangeError('the reason') });
    this.name = 'TaskError';
    this.index = index;
  }
}

/** Fails for the items that say so. */
export const mayFail = defineTask(
  import.meta.url,
  'mayFail',
  (item: { readonly index: number; readonly fails: boolean }): number => {
    if (item.fails) throw new TaskError(item.index);
    return item.index;
  },
);

export const throwValue = defineTask(import.meta.url, 'throwValue', (value: unknown): never => {
  throw value;
});

/** Gives back something that can't be sent, for odd numbers. */
export const oddIsUnsendable = defineTask(
  import.meta.url,
  'oddIsUnsendable',
  (x: number): unknown => (x % 2 === 1 ? { inner: () => x } : x),
);

/** What a task does to its worker, or not. */
export type Fate = 'return' | 'kill' | 'exit' | 'hang' | 'never settle';

export const meetFate = defineTask(
  import.meta.url,
  'meetFate',
  async ([fate, x]: readonly [Fate, number]): Promise<number> => {
    if (fate === 'kill') process.kill(process.pid, 'SIGKILL');
    if (fate === 'exit') process.exit(3);
    if (fate === 'hang')
      for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
    if (fate === 'never settle') await new Promise(() => undefined);
    return x;
  },
);

/** Writes down its worker, and blocks it for ever. */
export const beginAndHang = defineTask(import.meta.url, 'beginAndHang', (path: string): never => {
  appendFileSync(path, `${process.pid}\n`);
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
});

/** Says that it has begun, waits until the file exists, and returns its item. */
export const waitForFile = defineTask(
  import.meta.url,
  'waitForFile',
  async ([path, x]: readonly [string, number]): Promise<number> => {
    while (!existsSync(path)) await sleep(2);
    return x;
  },
);

/** Appends its item to a file. */
export const logItem = defineTask(
  import.meta.url,
  'logItem',
  async ([path, x]: readonly [string, number]): Promise<number> => {
    appendFileSync(path, `${x}\n`);
    await sleep(1);
    return x;
  },
);

let prepared: string | undefined;

export const prepare = defineTask(import.meta.url, 'prepare', (text: string): void => {
  prepared = text;
});

export const tellPrepared = defineTask(
  import.meta.url,
  'tellPrepared',
  (): string | undefined => prepared,
);

export const failToPrepare = defineTask(import.meta.url, 'failToPrepare', (): never => {
  throw new TaskError(-1);
});

export const exitAtOnce = defineTask(import.meta.url, 'exitAtOnce', (): never => process.exit(5));

/** Counts its starts in a file, and works from the third one on. */
export const prepareAtThird = defineTask(
  import.meta.url,
  'prepareAtThird',
  (path: string): void => {
    appendFileSync(path, 'x');
    if (readFileSync(path, 'utf8').length < 3) process.exit(1);
  },
);

/** Puts its item into a queue and gives the queue back. */
export const throughQueue = defineTask(
  import.meta.url,
  'throughQueue',
  async ([queue, x]: readonly [Queue<number>, number]): Promise<Queue<number>> => {
    await queue.put(x);
    return queue;
  },
);

/** Maps in a pool of its own. */
export const nested = defineTask(
  import.meta.url,
  'nested',
  async (n: number): Promise<number[]> => {
    await using pool = new Pool({ processes: 1 });
    return await pool.map(
      square,
      Array.from({ length: n }, (_, i) => i),
    );
  },
);

export const firstAndLength = defineTask(
  import.meta.url,
  'firstAndLength',
  (bytes: Uint8Array): [number, number] => [bytes[0] ?? -1, bytes.length],
);

/** Works for so many ms without a turn of the event loop. */
export const workFor = defineTask(import.meta.url, 'workFor', (ms: number): number => {
  const end = performance.now() + ms;
  while (performance.now() < end);
  return ms;
});
