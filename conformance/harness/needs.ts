/**
 * What a test does when this machine lacks an optional thing that it needs.
 *
 * The reason is printed with the skipped test. CI installs everything optional, so there the
 * same want is a failure.
 */
import type { TestContext } from 'vitest';
import { isStrict } from '../../ci/system-packages.mjs';

/** Skips the running test unless the thing is there. */
export function need(context: TestContext, thing: string, isPresent: boolean): void {
  if (isPresent) return;
  if (isStrict) throw new Error(`${thing} is missing, and CI promises it`);
  context.skip(`${thing} is missing`);
}
