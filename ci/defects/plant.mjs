/**
 * Plants one defect in a scratch copy and asks the tests.
 */
import { dirname } from 'node:path';
import { run } from '../process.mjs';
import { makeScratch } from './scratch.mjs';
import { findRedTests } from './tests.mjs';

/**
 * The reason why a defect was not found, undefined when it was.
 * @param {import('./patch.mjs').Defect} defect
 * @param {string} patch absolute path
 * @returns {Promise<string | undefined>}
 */
export async function plant(defect, patch) {
  const scratch = makeScratch(defect.rebuild);
  const options = { cwd: scratch.folder, quiet: true };
  try {
    // The copy is no repository; one around it must not be taken for it.
    const env = { ...process.env, GIT_CEILING_DIRECTORIES: dirname(scratch.folder) };
    const applied = await run('git', ['apply', patch], { ...options, env });
    if (applied.code !== 0) return `does not apply:\n${applied.output}`;
    if (defect.rebuild !== 'none') {
      const built = await run(process.execPath, ['ci/build.mjs', defect.rebuild], options);
      if (built.code !== 0) return `does not build:\n${built.output}`;
    }
    const red = await findRedTests(scratch.folder, defect.tests);
    const isFound = red.titles.some((title) => title.includes(defect.requirement));
    return isFound ? undefined : `no red test cites ${defect.requirement}:\n${red.output}`;
  } finally {
    scratch.remove();
  }
}
