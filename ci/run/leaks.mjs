/**
 * The leak check around a whole run: native tests, benchmarks and planted defects included.
 */
import { randomBytes } from 'node:crypto';
import { leftBehind, lookAround } from '../traces.mjs';

const patienceMs = 2000;

/**
 * Marks everything that is started from now on; the answer looks for what is left of it.
 * @returns {() => Promise<{ passed: number, failed: number }>}
 */
export function lookForLeaks() {
  const mark = randomBytes(8).toString('hex');
  process.env['DRAGON_TEST_SESSION'] = mark;
  const watch = { mark: `DRAGON_TEST_SESSION=${mark}`, folders: runtimeBases() };
  const before = lookAround(watch);
  return async () => {
    const left = await leftBehind(before, watch, patienceMs);
    for (const line of left) console.log(line);
    return left.length === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: left.length };
  };
}

/** Where a runtime puts its directory when nobody says otherwise. */
function runtimeBases() {
  const user = process.getuid?.() ?? 0;
  const session = process.env['XDG_RUNTIME_DIR'];
  return [`/tmp/dragon-${user}`, ...(session === undefined ? [] : [`${session}/dragon`])];
}
