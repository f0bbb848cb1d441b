/**
 * The test file's side of a check program: runs it once and hands its results to the tests.
 *
 * Goals: each test passes or fails on its own; a check that no test asks for, a program that
 * ends badly or leaves processes, and a hang are failures with a text that says where.
 * Non-goals: running checks one by one; `DRAGON_CHECK=name` does that by hand.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll } from 'vitest';
import { type RunResult, runDragon } from './dragon.ts';
import type { CheckEvent } from './inside.ts';

const isFull = process.env['DRAGON_TEST_SIZE'] === 'full';

export interface CheckProgram {
  /** Throws the error of the check `name`; call it as the whole body of a test. */
  passed(name: string): void;
  /** How the program ended. */
  result(): RunResult;
}

function readEvents(path: string): CheckEvent[] {
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as CheckEvent);
}

function howItEnded(result: RunResult, last: string | undefined): string {
  const where = last === undefined ? 'before its first check' : `in the check "${last}"`;
  const how = result.hung ? 'hung' : `ended with ${result.code ?? result.signal}`;
  return `the check program ${how} ${where}\nstdout: ${result.stdout}\nstderr: ${result.stderr}`;
}

export interface CheckOptions {
  /** After this time the program counts as hung; default a minute, ten in the full test run. */
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs the program `url` before the tests of this file. */
export function checkProgram(url: URL, options: CheckOptions = {}): CheckProgram {
  const timeoutMs = (options.timeoutMs ?? 60_000) * (isFull ? 10 : 1);
  const ended = new Map<string, string | undefined>();
  const asked = new Set<string>();
  let begun: string | undefined;
  let result: RunResult | undefined;
  let folder = '';

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'checks-'));
    const path = join(folder, 'events');
    const env = { ...options.env, DRAGON_CHECKS_FILE: path };
    result = await runDragon([fileURLToPath(url)], { env, timeoutMs });
    try {
      for (const event of readEvents(path)) {
        if (event.event === 'begin') begun = event.name;
        else ended.set(event.name, event.error);
      }
    } catch {
      // No file: the program did not reach its first check, which each test will say.
    }
  }, timeoutMs + 5000);

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
    const missing = [...ended.keys()].filter((name) => !asked.has(name));
    if (result !== undefined && (result.code !== 0 || result.hung)) {
      throw new Error(howItEnded(result, begun));
    }
    if (missing.length > 0) throw new Error(`checks that no test asks for: ${missing.join(', ')}`);
  });

  return {
    passed: (name) => {
      asked.add(name);
      if (!ended.has(name)) {
        throw new Error(result ? howItEnded(result, begun) : 'the check program did not run');
      }
      const error = ended.get(name);
      if (error !== undefined) throw new Error(error);
    },
    result: () => {
      if (result === undefined) throw new Error('the check program did not run');
      return result;
    },
  };
}
