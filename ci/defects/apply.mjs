/**
 * Puts a defect's patch into a tree.
 *
 * Goals: code around the defect may move and change; the lines that it replaces may not.
 */
import { dirname } from 'node:path';
import { run } from '../process.mjs';

const leniently = ['-C1', '--ignore-whitespace', '--whitespace=nowarn'];

/**
 * What git says when the patch does not apply, undefined when it does.
 * @param {string} folder
 * @param {string} patch absolute path
 * @param {{ isTrial?: boolean }} [options] a trial changes nothing
 * @returns {Promise<string | undefined>}
 */
export async function apply(folder, patch, { isTrial = false } = {}) {
  const args = ['apply', ...leniently, ...(isTrial ? ['--check'] : []), patch];
  // A copy is no repository; one around it must not be taken for it.
  const env = { ...process.env, GIT_CEILING_DIRECTORIES: dirname(folder) };
  const { code, output } = await run('git', args, { cwd: folder, env, quiet: true });
  return code === 0 ? undefined : output;
}
