/**
 * What a check program uses: a program that `dragon` runs once for a whole test file and that
 * holds the bodies of its tests.
 *
 * Goals: one runtime for a file's tests, since starting one costs more than most of them; a
 * check that hangs fails by itself and the ones after it still run; properties have seeds.
 * Non-goals: no titles and no requirements. They stand in the test file (see `checks.ts`).
 */
import { appendFileSync } from 'node:fs';
import fc from 'fast-check';

const isFull = process.env['DRAGON_TEST_SIZE'] === 'full';

fc.configureGlobal({ seed: Number(process.env['DRAGON_TEST_SEED'] ?? 1), endOnFailure: true });

/** Ten times as much in the full test run. */
export function sized(gate: number): number {
  return isFull ? gate * 10 : gate;
}

/** Number of runs of a property that stays in this process, and of one that starts others. */
export const inProcess = { numRuns: sized(100) } as const;
export const multiProcess = { numRuns: sized(10) } as const;

const CHECK_TIMEOUT_MS = sized(10_000);

interface Check {
  readonly name: string;
  readonly body: () => unknown;
}

const checks: Check[] = [];

/** Adds a check. It fails when `body` throws, rejects, or takes too long. */
export function check(name: string, body: () => unknown): void {
  checks.push({ name, body });
}

/** What the test file reads, one line for each event. */
export type CheckEvent =
  | { readonly event: 'begin'; readonly name: string }
  | { readonly event: 'end'; readonly name: string; readonly error?: string };

function tell(event: CheckEvent): void {
  const path = process.env['DRAGON_CHECKS_FILE'];
  if (path !== undefined) appendFileSync(path, `${JSON.stringify(event)}\n`);
  else console.log(event.event, event.name, 'error' in event ? event.error : '');
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return `thrown: ${String(error)}`;
  const cause = error.cause === undefined ? '' : `\ncaused by ${textOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}

async function runOne({ name, body }: Check): Promise<void> {
  tell({ event: 'begin', name });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const text = `the check did not end within ${CHECK_TIMEOUT_MS} ms`;
    timer = setTimeout(() => reject(new Error(text)), CHECK_TIMEOUT_MS);
  });
  try {
    await Promise.race([body(), late]);
    tell({ event: 'end', name });
  } catch (error) {
    tell({ event: 'end', name, error: textOf(error) });
  } finally {
    clearTimeout(timer);
  }
}

/** Runs all checks, or those that DRAGON_CHECK names, one after the other. */
export async function runChecks(): Promise<void> {
  const only = process.env['DRAGON_CHECK'];
  for (const one of checks) {
    if (only === undefined || one.name.includes(only)) await runOne(one);
  }
}
