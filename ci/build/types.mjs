/**
 * Writes the declarations of the public surface to `dist/types`.
 *
 * Non-goals: the check of tests, benchmarks and scripts, which is `npm run types`.
 */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from '../process.mjs';

/** Whether the compiler is installed: an `npm ci --omit=dev` has none. */
export const hasCompiler = existsSync(join(root, 'node_modules/typescript/bin/tsc'));

/** @returns {Promise<boolean>} whether the sources are free of type errors */
export async function writeTypes() {
  // Declarations of sources that are gone must not stay behind.
  rmSync(join(root, 'dist/types'), { recursive: true, force: true });
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { code } = await run(process.execPath, [tsc, '-p', 'tsconfig.build.json']);
  return code === 0;
}
