/**
 * The leak check around a whole run: native tests, benchmarks and planted defects included.
 *
 * Goals: the run has a temporary folder and a runtime base of its own, so that what another
 * terminal does meanwhile is not taken for a leak.
 * Non-goals: naming the culprit beyond its command line. The harness does that file by file.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { leftBehind, lookAround } from '../traces.mjs';

const patienceMs = 2000;

/**
 * Marks everything that is started from now on; the answer looks for what is left of it.
 * @returns {() => Promise<import('./stages.mjs').Counts>}
 */
export function lookForLeaks() {
  // Short names, since the path of a unix socket has at most 107 bytes.
  const sandbox = mkdtempSync(join(tmpdir(), 'dr'));
  const folders = [join(sandbox, 't'), join(sandbox, 'r')];
  for (const folder of folders) mkdirSync(folder, { mode: 0o700 });
  process.on('exit', () => rmSync(sandbox, { recursive: true, force: true }));
  const mark = randomBytes(8).toString('hex');
  Object.assign(process.env, {
    TMPDIR: folders[0],
    DRAGON_RUNTIME_BASE: folders[1],
    DRAGON_TEST_SESSION: mark,
    // Newer versions of npm keep one in the temporary folder.
    NODE_DISABLE_COMPILE_CACHE: '1',
  });
  const watch = { mark: `DRAGON_TEST_SESSION=${mark}`, folders };
  const before = lookAround(watch);
  return async () => {
    const all = await leftBehind(before, watch, patienceMs);
    // This process's own descriptors end with it.
    const left = all.filter((line) => !line.startsWith('left open'));
    for (const line of left) console.log(line);
    return left.length === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: left.length };
  };
}
