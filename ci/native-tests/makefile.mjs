/**
 * Writes the Makefile of the native tests.
 *
 * Goals: make knows what is out of date, from the compiler's own dependency files; a change
 * of flags rebuilds, since every object depends on a file that holds its variant's flags.
 * Non-goals: a Makefile that people edit.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../process.mjs';
import { commonFlags, testFlags, variantOf } from './variants.mjs';

/** doctest itself and its main: large, and the same for all variants. */
const mainSource = 'ci/native-tests/main.cpp';

/**
 * `parts` are further sources of a test or a program; a program has its own main function.
 *
 * @typedef {object} NativeTest
 * @property {string} source
 * @property {string} variant
 * @property {string} name
 * @property {string} executable
 * @property {readonly string[]} [parts]
 * @property {boolean} [isProgram]
 *
 * @param {{ buildFolder: string, cores: readonly string[], tests: readonly NativeTest[] }} plan
 */
export function makefile({ buildFolder, cores, tests }) {
  const mainObject = `${buildFolder}/main.o`;
  const lines = [
    '.DELETE_ON_ERROR:',
    '.SECONDARY:',
    'CXX ?= g++',
    `${mainObject}: ${mainSource}`,
    `\t@echo "  compile ${mainSource}"`,
    `\t@$(CXX) ${[...commonFlags, ...testFlags].join(' ')} -c -o $@ $<`,
  ];
  for (const variant of new Set(tests.map((test) => test.variant))) {
    const own = tests.filter((test) => test.variant === variant);
    lines.push(...variantRules(`${buildFolder}/${variant}`, variant, cores, own, mainObject));
  }
  return `${lines.join('\n')}\n`;
}

/**
 * @param {string} folder
 * @param {string} variant
 * @param {readonly string[]} cores
 * @param {readonly NativeTest[]} tests
 * @param {string} mainObject
 */
function variantRules(folder, variant, cores, tests, mainObject) {
  const { core, test: tested, link, ...variantFlags } = variantOf(variant);
  const flags = variantFlags.flags.join(' ');
  const flagsFile = writeFlags(folder, [flags, ...core, ...tested, ...link].join(' '));
  /** @param {string} source */
  const object = (source) => `${folder}/obj/${source.replace(/\.cpp$/, '.o')}`;
  const library = `${folder}/libcore.a`;
  const coreObjects = cores.map(object);
  const lines = [
    `${library}: ${coreObjects.join(' ')} ${flagsFile}`,
    `\t@rm -f $@ && ar rcs $@ ${coreObjects.join(' ')}`,
  ];
  for (const test of tests) {
    const own = [test.source, ...(test.parts ?? [])].map(object);
    const parts = [...own, ...(test.isProgram ? [] : [mainObject]), library];
    lines.push(
      `${test.executable}: ${parts.join(' ')}`,
      `\t@echo "  link ${variant} ${test.name}"`,
      `\t@$(CXX) ${[flags, ...link].join(' ')} -o $@ ${parts.join(' ')}`,
    );
  }
  const shared = [...cores, ...new Set(tests.flatMap((test) => test.parts ?? []))];
  for (const source of [...shared, ...tests.map((test) => test.source)]) {
    const own = shared.includes(source) ? core : tested;
    lines.push(
      `${object(source)}: ${source} ${flagsFile}`,
      `\t@mkdir -p $(@D) && echo "  compile ${variant} ${source}"`,
      `\t@$(CXX) ${flags} ${own.join(' ')} -MMD -MP -c -o $@ $<`,
      `-include ${object(source).replace(/\.o$/, '.d')}`,
    );
  }
  return lines;
}

/**
 * @param {string} folder
 * @param {string} flags
 */
function writeFlags(folder, flags) {
  mkdirSync(join(root, folder), { recursive: true });
  const file = `${folder}/flags`;
  const path = join(root, file);
  if (!existsSync(path) || readFileSync(path, 'utf8') !== flags) writeFileSync(path, flags);
  return file;
}
