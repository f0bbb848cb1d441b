/**
 * What becomes of a native test file: an executable in each of its variants.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../process.mjs';
import { librarySources, proofSources } from '../sources.mjs';
import { variantNames } from './variants.mjs';

export const buildFolder = 'build/native-tests';

/**
 * The variants that a test file names in its first lines, all of them when it names none.
 * @param {string} source
 */
export function variantsOf(source) {
  const head = readFileSync(join(root, source), 'utf8').split('\n', 30);
  const line = head.find((text) => text.startsWith('// variants: '));
  if (line === undefined) return variantNames;
  const names = line.replace('// variants: ', '').trim().split(/\s+/);
  const unknown = names.find((name) => !variantNames.includes(name));
  if (unknown !== undefined) throw new Error(`${source}: there is no variant ${unknown}`);
  return names;
}

/**
 * Where the executable lies, relative to the root.
 * @param {string} source
 * @param {string} variant
 */
export function executableOf(source, variant) {
  return `${buildFolder}/${variant}/${nameOf(source)}`;
}

/** @param {string} source */
function nameOf(source) {
  return source.replace(/^native\/(.*)\.cpp$/, '$1').replaceAll('/', '.');
}

/**
 * What a test is linked with besides the core.
 * @param {string} source
 */
function partsOf(source) {
  if (source.startsWith('native/proof/')) return proofSources();
  return source.startsWith('native/c/') ? librarySources() : [];
}

/**
 * @param {string} source
 * @param {string} variant
 * @returns {import('./makefile.mjs').NativeTest}
 */
export function target(source, variant) {
  return {
    source,
    variant,
    name: nameOf(source),
    executable: executableOf(source, variant),
    parts: partsOf(source),
    isProgram: source.endsWith('_main.cpp'),
  };
}
