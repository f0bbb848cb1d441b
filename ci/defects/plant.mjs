/**
 * Plants one defect in a scratch copy and asks the tests.
 */
import { run } from '../process.mjs';
import { apply } from './apply.mjs';
import { makeScratch } from './scratch.mjs';
import { findRedTests } from './tests.mjs';

/**
 * The reason why a defect was not found, undefined when it was.
 * @param {import('./patch.mjs').Defect} defect
 * @param {string} patch absolute path
 * @returns {Promise<string | undefined>}
 */
export async function plant(defect, patch) {
  const scratch = makeScratch(defect);
  try {
    const refusal = await apply(scratch.folder, patch);
    if (refusal !== undefined) return `does not apply:\n${refusal}`;
    for (const command of buildsOf(defect)) {
      const options = { cwd: scratch.folder, quiet: true };
      const built = await run(process.execPath, command, options);
      if (built.code !== 0) return `does not build:\n${built.output}`;
    }
    const red = await findRedTests(scratch.folder, defect);
    const isFound = red.titles.some((title) => title.includes(defect.requirement));
    return isFound ? undefined : `no red test cites ${defect.requirement}:\n${red.output}`;
  } finally {
    scratch.remove();
  }
}

/**
 * What has to be built anew: for native tests these alone, and not the addon.
 * @param {import('./patch.mjs').Defect} defect
 * @returns {string[][]}
 */
function buildsOf({ tests, rebuild, isNative }) {
  const native = tests.filter((path) => path.endsWith('.cpp'));
  const flags = ['--variant', 'plain', '--build-only'];
  return [
    ...(isNative || rebuild === 'none' ? [] : [['ci/build.mjs', rebuild]]),
    ...(native.length > 0 ? [['ci/native-tests.mjs', ...flags, ...native]] : []),
  ];
}
