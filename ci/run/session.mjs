/**
 * Runs stages one after another and adds up what they count.
 *
 * A stage may begin early, beside another one, and is waited for and judged in its own place.
 */
import { cpuSecondsOfChildren } from '../process.mjs';

/** @typedef {import('./stages.mjs').Stage} Stage */

/**
 * @param {readonly Stage[]} stages
 * @param {(line: string) => void} print
 * @returns {Promise<boolean>} whether everything passed
 */
export async function runStages(stages, print) {
  let passed = 0;
  let failed = 0;
  /** @type {Map<Stage, ReturnType<Stage['run']>>} */
  const early = new Map();
  for (const stage of stages) {
    print(`\n== ${stage.name}`);
    for (const other of stages) {
      if (other.beside === stage.name) early.set(other, other.run({ isBeside: true }));
    }
    const startedAt = performance.now();
    const cpuBefore = cpuSecondsOfChildren();
    const counts = await (early.get(stage) ?? stage.run({ isBeside: false }));
    if (counts.text) print(counts.text);
    passed += counts.passed;
    failed += counts.failed;
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    const cpu = (cpuSecondsOfChildren() - cpuBefore).toFixed(0);
    const verdict = counts.failed === 0 ? 'ok' : 'FAILED';
    print(
      `== ${stage.name}: ${verdict}, ${counts.passed} passed, ${seconds} s, ${cpu} s of processor`,
    );
    if (counts.failed > 0 && stage.isFoundation) break;
  }
  print(`\n${passed} passed, ${failed} failed`);
  return failed === 0;
}
