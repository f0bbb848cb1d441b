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
import { writePrecompiled } from './precompiled.mjs';
import { commonFlags, libraries, testFlags, variantOf } from './variants.mjs';

/** doctest itself and its main: large, and the same for all variants. */
const mainSource = 'ci/native-tests/main.cpp';

/**
 * A precompiled header is no header of the system to GCC 12, whose warnings about strings that it
 * has inlined are wrong there; the product is built with them, from the headers themselves.
 */
const precompiledFlags = ['-Winvalid-pch', '-Wno-array-bounds', '-Wno-stringop-overread'];

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
 * @typedef {object} Plan
 * @property {string} buildFolder
 * @property {readonly string[]} cores
 * @property {readonly NativeTest[]} tests
 * @property {boolean} [isPrecompiled] whether headers are compiled once
 *
 * @param {Plan} plan
 */
export function makefile(plan) {
  const { buildFolder, tests } = plan;
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
    lines.push(...variantRules(plan, variant));
  }
  return `${lines.join('\n')}\n`;
}

/**
 * @param {Plan} plan
 * @param {string} variant
 */
function variantRules({ buildFolder, cores, tests: all, isPrecompiled = false }, variant) {
  const folder = `${buildFolder}/${variant}`;
  const tests = all.filter((test) => test.variant === variant);
  const { core, test: tested, link, ...variantFlags } = variantOf(variant);
  const flags = variantFlags.flags.join(' ');
  const mode = isPrecompiled ? ['precompiled'] : [];
  const flagsFile = writeFlags(folder, [flags, ...core, ...tested, ...link, ...mode].join(' '));
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
    const parts = [...own, ...(test.isProgram ? [] : [`${buildFolder}/main.o`]), library];
    lines.push(
      `${test.executable}: ${parts.join(' ')}`,
      `\t@echo "  link ${variant} ${test.name}"`,
      `\t@$(CXX) ${[flags, ...link].join(' ')} -o $@ ${parts.join(' ')} ${libraries.join(' ')}`,
    );
  }
  const shared = [...cores, ...new Set(tests.flatMap((test) => test.parts ?? []))];
  const sourcesOf = (/** @type {readonly NativeTest[]} */ some) => some.map(({ source }) => source);
  for (const [name, sources, own] of /** @type {const} */ ([
    ['core', shared, core.join(' ')],
    ['program', sourcesOf(tests.filter(({ isProgram }) => isProgram)), tested.join(' ')],
    ['test', sourcesOf(tests.filter(({ isProgram }) => !isProgram)), tested.join(' ')],
  ])) {
    if (sources.length === 0) continue;
    const header = `${folder}/${name}.h`;
    if (isPrecompiled) {
      writePrecompiled(header, { forTests: name === 'test' });
      lines.push(
        `${header}.gch: ${header} ${flagsFile}`,
        `\t@echo "  precompile ${variant} ${name}"`,
        `\t@$(CXX) ${flags} ${own} -MMD -MP -x c++-header -o $@ $<`,
        `-include ${header}.d`,
      );
    }
    const needs = isPrecompiled ? `${flagsFile} ${header}.gch` : flagsFile;
    const includes = isPrecompiled ? `${precompiledFlags.join(' ')} -include ${header} ` : '';
    for (const source of sources) {
      lines.push(
        `${object(source)}: ${source} ${needs}`,
        `\t@mkdir -p $(@D) && echo "  compile ${variant} ${source}"`,
        `\t@$(CXX) ${flags} ${own} ${includes}-MMD -MP -c -o $@ $<`,
        `-include ${object(source).replace(/\.o$/, '.d')}`,
      );
    }
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
