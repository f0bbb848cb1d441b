/**
 * Runs once around a whole vitest run: the seed, the common folder, the last leak check.
 *
 * Goals: what the checks after each file cannot see, a process that outlives the fork of its
 * crashed file for example, is found at the end and makes the run fail.
 * Non-goals: native tests and benchmarks, around which `ci/run.mjs` looks by itself.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parentOf } from '../../ci/process.mjs';
import { leftBehind, lookAround, type Watch } from '../../ci/traces.mjs';

const patienceMs = 2000;

/** vitest's own forks are its children and inherit the mark; theirs are not. */
function isRunner(pid: number): boolean {
  return parentOf(pid) === process.pid;
}

export function setup(): () => Promise<void> {
  process.env['DRAGON_TEST_SEED'] ??= String(randomInt(2 ** 31));
  console.log(`replay with DRAGON_TEST_SEED=${process.env['DRAGON_TEST_SEED']}`);
  const root = mkdtempSync(join(tmpdir(), 'dt'));
  process.env['DRAGON_TEST_ROOT'] = root;
  const mark = randomBytes(8).toString('hex');
  process.env['DRAGON_TEST_RUN'] = mark;
  const watch: Watch = { mark: `DRAGON_TEST_RUN=${mark}`, folders: [], isOwn: isRunner };
  // Descriptors are vitest's own affair here.
  const before = lookAround(watch);
  return async () => {
    const left = await leftBehind(before, watch, patienceMs);
    const foreign = left.filter((line) => !line.startsWith('left open'));
    rmSync(root, { recursive: true, force: true });
    if (foreign.length > 0) throw new Error(`the test run left:\n  ${foreign.join('\n  ')}`);
  };
}
