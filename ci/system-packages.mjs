/**
 * What a script does when an optional system package is missing.
 *
 * Goals: a user's machine goes on and reads the reason; CI fails, since there the packages of
 * `ci/system-deps` are a promise.
 * Non-goals: installing them.
 */

/** CI sets this: a check that could not be made has failed. */
export const isStrict = process.env['DRAGON_CI_STRICT'] === '1';

/**
 * Prints the reason and answers whether the check may count as passed.
 * @param {string} name the Debian package
 * @param {string} consequence what is not done
 */
export function missingPackage(name, consequence) {
  console.log(`${isStrict ? 'failed' : 'skipped'}: ${name} is not installed; ${consequence}`);
  return !isStrict;
}
