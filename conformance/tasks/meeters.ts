/**
 * Processes that call what they are told on the objects that they share.
 *
 * Goals: any call of any object, in any form, from many processes, without a task for each; what
 * each call came to, and when, by the clock that all processes share.
 * Non-goals: judging.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { defineTask } from 'dragon-runtime';
import { type Connection, Process, pipe } from 'dragon-runtime/multiprocessing';

/** A call or a property, which is read `until` it has that value; or `sleep`, in ms. */
export type Step =
  | {
      readonly on: object;
      readonly call: string;
      readonly with?: readonly unknown[];
      readonly until?: unknown;
    }
  | { readonly sleep: number };

/** What a step came to: its value, or the code of the error that it threw. */
export interface Outcome {
  readonly value?: unknown;
  readonly code?: string;
  readonly startNs: number;
  readonly endNs: number;
}

export const nowNs = (): number => Number(process.hrtime.bigint());

async function until(object: Record<string, unknown>, name: string, value: unknown) {
  while (object[name] !== value) await sleep(1);
}

/** Not an asynchronous function: whoever plays the steps has to wait for their calls itself. */
function take(step: Step): unknown {
  if ('sleep' in step) return sleep(step.sleep);
  const object = step.on as Record<string, unknown>;
  if ('until' in step) return until(object, step.call, step.until);
  const member = object[step.call];
  return typeof member === 'function' ? member.apply(object, step.with ?? []) : member;
}

/** Ends this process's use of what the steps are about; a lock that was taken stays taken. */
function closeAll(steps: readonly Step[]): void {
  for (const object of new Set(steps.map((step) => ('on' in step ? step.on : undefined)))) {
    (object as Partial<Disposable> | undefined)?.[Symbol.dispose]?.();
  }
}

/** Takes the steps one after the other, whatever becomes of them. */
export async function takeSteps(steps: readonly Step[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const step of steps) {
    const startNs = nowNs();
    try {
      const value = await take(step);
      outcomes.push({ value, startNs, endNs: nowNs() });
    } catch (error) {
      const code = String((error as { code?: unknown }).code ?? error);
      outcomes.push({ code, startNs, endNs: nowNs() });
    }
  }
  return outcomes;
}

type Line = Connection<unknown, readonly Step[]>;

/** Takes the steps that come, until nobody sends any. */
export async function serve(line: Line): Promise<void> {
  for await (const steps of line) {
    await line.send(await takeSteps(steps));
    closeAll(steps);
  }
}

export const meet = defineTask(import.meta.url, 'meet', serve);

export interface Meeter {
  readonly process: Process;
  /** Sends the steps; resolves with what they came to. */
  play(steps: readonly Step[]): Promise<readonly Outcome[]>;
}

/** Starts processes; dispose them to end them. `task` serves in a module that they have to load. */
export async function startMeeters(
  size: number,
  task: (line: Line) => Promise<void> = meet,
): Promise<Meeter[] & AsyncDisposable> {
  const meeters = await Promise.all(
    Array.from({ length: size }, async () => {
      const [near, far] = pipe<readonly Step[], readonly Outcome[]>();
      const process = new Process({ target: task, args: [far], daemon: true });
      await process.start();
      far.close();
      const exchange = async (steps: readonly Step[]) => {
        await near.send(steps);
        return await near.recv();
      };
      const play = (steps: readonly Step[]) => {
        const outcomes = exchange(steps);
        // Of a check that has failed nobody asks what the others came to.
        outcomes.catch(() => undefined);
        return outcomes;
      };
      return { process, play, close: () => near.close() };
    }),
  );
  const dispose = async (): Promise<void> => {
    for (const one of meeters) one.close();
    await Promise.all(meeters.map(({ process }) => process[Symbol.asyncDispose]()));
  };
  return Object.assign(meeters, { [Symbol.asyncDispose]: dispose });
}

/** The values that steps came to; throws the code of the first that failed. */
export function valuesOf(outcomes: readonly Outcome[]): unknown[] {
  return outcomes.map(({ value, code }) => {
    if (code !== undefined) throw new Error(`a step failed with ${code}`);
    return value;
  });
}
