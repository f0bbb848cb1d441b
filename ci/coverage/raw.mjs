/**
 * Where every Node process of a test run writes what it executed.
 *
 * Apart from `v8.mjs`, since a run that begins with `npm ci` cannot import c8 yet.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../process.mjs';

/** The value of NODE_V8_COVERAGE. */
export const rawFolder = join(root, 'build/coverage/raw');

export function clearRaw() {
  rmSync(rawFolder, { recursive: true, force: true });
}
