/**
 * Reads a planted defect's header.
 */

/**
 * @typedef {object} Defect
 * @property {string} name the patch's file name
 * @property {string} requirement the id that a red test has to cite
 * @property {string[]} tests test files, relative to the root
 * @property {'ts' | 'native' | 'none'} rebuild
 * @property {boolean} isQuick whether CI plants it
 * @property {boolean} isNative whether all its tests are native ones
 */

/**
 * Returns the defect, or what is wrong with its header.
 * @param {string} name
 * @param {string} text
 * @returns {Defect | string}
 */
export function readPatch(name, text) {
  const header = text.slice(0, Math.max(0, text.search(/^--- /m)));
  /** @param {string} key */
  const field = (key) => new RegExp(`^${key}: (.+)$`, 'm').exec(header)?.[1]?.trim();
  const requirement = field('Requirement');
  const tests = field('Tests');
  const rebuild = field('Rebuild');
  if (requirement === undefined) return 'no line "Requirement: ..." before the diff';
  if (tests === undefined) return 'no line "Tests: ..." before the diff';
  if (rebuild !== 'ts' && rebuild !== 'native' && rebuild !== 'none') {
    return 'no line "Rebuild: ts", "native" or "none" before the diff';
  }
  const files = tests.split(/[\s,]+/);
  return {
    name,
    requirement,
    tests: files,
    rebuild,
    isQuick: field('Quick') === 'yes',
    isNative: files.every((path) => path.endsWith('.cpp')),
  };
}
