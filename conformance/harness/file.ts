/**
 * Runs around every test file: a sandbox of its own, and the leak check.
 *
 * Goals: a file that leaves a process, a descriptor, a socket, a piece of shared memory or a
 * file behind fails with a list of what it left; files that run side by side share nothing.
 * Non-goals: leaks between the tests of one file, which tests of single objects count.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { takeCoverage } from 'node:v8';
import fc from 'fast-check';
import { afterAll } from 'vitest';
import { leftBehind, lookAround, type Watch } from '../../ci/traces.mjs';

/** Things that end by themselves get this long. */
const patienceMs = 2000;

/** Short names, since the path of a unix socket has at most 107 bytes. */
const sandbox = mkdtempSync(join(process.env['DRAGON_TEST_ROOT'] ?? '/tmp', 'f'));
const folders = { tmp: join(sandbox, 't'), runtime: join(sandbox, 'r'), cache: join(sandbox, 'c') };
for (const folder of Object.values(folders)) mkdirSync(folder, { mode: 0o700 });

const mark = randomBytes(8).toString('hex');
process.env['TMPDIR'] = folders.tmp;
process.env['DRAGON_RUNTIME_BASE'] = folders.runtime;
process.env['DRAGON_CACHE_DIR'] = folders.cache;
process.env['DRAGON_TEST_MARK'] = mark;

fc.configureGlobal({ seed: Number(process.env['DRAGON_TEST_SEED'] ?? 1) });

// The cache is meant to stay.
const watch: Watch = {
  mark: `DRAGON_TEST_MARK=${mark}`,
  folders: [folders.tmp, folders.runtime],
};
const before = lookAround(watch);

// Hooks of a setup file are the outermost: this one comes after all of the file's own.
afterAll(async () => {
  const left = await leftBehind(before, watch, patienceMs);
  rmSync(sandbox, { recursive: true, force: true });
  // vitest ends its forks by a signal, and Node would write nothing.
  if (process.env['NODE_V8_COVERAGE'] !== undefined) takeCoverage();
  if (left.length > 0) throw new Error(`the test file left behind:\n  ${left.join('\n  ')}`);
}, patienceMs + 3000);
