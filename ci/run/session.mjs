/**
 * Runs stages one after another and adds up what they count.
 */

/**
 * @param {readonly import('./stages.mjs').Stage[]} stages
 * @param {(line: string) => void} print
 * @returns {Promise<boolean>} whether everything passed
 */
export async function runStages(stages, print) {
  let passed = 0;
  let failed = 0;
  for (const stage of stages) {
    print(`\n== ${stage.name}`);
    const startedAt = performance.now();
    const counts = await stage.run();
    passed += counts.passed;
    failed += counts.failed;
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    const verdict = counts.failed === 0 ? 'ok' : 'FAILED';
    print(`== ${stage.name}: ${verdict}, ${counts.passed} passed, ${seconds} s`);
    if (counts.failed > 0 && stage.isFoundation) break;
  }
  print(`\n${passed} passed, ${failed} failed`);
  return failed === 0;
}
