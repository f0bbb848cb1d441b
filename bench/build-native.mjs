/**
 * Builds the programs of `native/bench` into `build/bench`.
 *
 *     node bench/build-native.mjs
 *
 * Goals: a file with a `main` is a program, of its own name and with the files `NAME_*.cpp`
 * beside it; one with `napi_register_module_v1` is a module for Node; one set of flags, which
 * the results name; a rebuild compiles what has changed.
 * Non-goals: nothing here is part of the package, and none of it is built by `npm ci`.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { withBuildLock } from '../ci/build/stamp.mjs';
import { parallelism, root, run } from '../ci/process.mjs';
import { coreSources, filesBelow } from '../ci/sources.mjs';
import { compilerFlags } from './compiler-flags.mjs';

const folder = 'build/bench';
const warnings = ['-Wall', '-Wextra', '-Werror'];
const includes = ['-Inative/include', '-Inative'];

const library = `${folder}/libbench.a`;

/** Linked into whichever program uses them: a library's unused members cost nothing. */
const shared = ['native/bench/crowd.cpp', 'native/bench/measure.cpp'];

/** What a program is linked with beyond the library; `tiny` is all that is started. */
/** @type {Readonly<Record<string, readonly string[]>>} */
const linkFlags = { tiny: ['-static'], nodes: ['-lcrypto'], remote: ['-lcrypto'] };

/** @param {string} source */
const objectOf = (source) => `${folder}/obj/${source.replace(/\.cpp$/, '.o')}`;
/** @param {string} source */
const moduleObjectOf = (source) => `${folder}/obj-pic/${source.replace(/\.cpp$/, '.o')}`;

/** @param {string} path @param {RegExp} sign */
const has = (path, sign) => sign.test(readFileSync(join(root, path), 'utf8'));
/** @param {string} path */
const nameOf = (path) => path.replace(/^.*\/(.*)\.cpp$/, '$1');

/** What is linked: its name, its objects, further words. */
/** @typedef {{ name: string, objects: string[], more: readonly string[] }} Output */

/** @returns {{ outputs: Output[], sources: string[], moduleSources: string[] }} */
function plan() {
  const files = filesBelow('native/bench', ['.cpp']).filter((path) => !shared.includes(path));
  const mains = files.filter((path) => has(path, /^int main\(/m));
  const modules = files.filter((path) => has(path, /napi_register_module_v1\(/));
  /** @param {string} main */
  const partsOf = (main) =>
    files.filter((path) => path.startsWith(main.replace(/\.cpp$/, '_')) && !mains.includes(path));
  const programs = mains.map((main) => {
    const name = nameOf(main);
    const objects = [...[main, ...partsOf(main)].map(objectOf), library];
    return { name, objects, more: linkFlags[name] ?? [] };
  });
  const plugins = modules.map((path) => {
    const objects = [path, ...shared].map(moduleObjectOf);
    return { name: `${nameOf(path)}.node`, objects, more: ['-shared'] };
  });
  return {
    outputs: [...programs, ...plugins],
    sources: mains.flatMap((main) => [main, ...partsOf(main)]),
    moduleSources: [...modules, ...(modules.length > 0 ? shared : [])],
  };
}

/** Writes a file only when its text has changed: make judges by time. @param {string} path */
function refresh(path, /** @type {string} */ text) {
  const file = join(root, path);
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text);
}

/** A Makefile for the library, the programs and the modules. */
function makefile() {
  const flags = [...compilerFlags, ...warnings, ...includes].join(' ');
  refresh(`${folder}/flags`, flags);
  const { outputs, sources, moduleSources } = plan();
  const members = [...shared, ...coreSources()];
  const parts = members.map(objectOf).join(' ');
  const needs = `${folder}/flags ${folder}/Makefile`;
  const lines = ['.DELETE_ON_ERROR:', '.SECONDARY:', 'CXX ?= g++'];
  lines.push(`${library}: ${parts} ${needs}`, `\t@rm -f $@ && ar rcs $@ ${parts}`);
  for (const { name, objects, more } of outputs) {
    const all = objects.join(' ');
    const words = ['$(CXX)', flags, '-o $@', all, ...more, '-pthread'].join(' ');
    lines.push(`${folder}/${name}: ${all}`, `\t@${words}`);
  }
  /** @param {string} source @param {string} object @param {string} more */
  const compile = (source, object, more) => {
    const words = `$(CXX) ${flags} ${more} -MMD -MP -c -o $@ $<`;
    lines.push(`${object}: ${source} ${folder}/flags`, `\t@mkdir -p $(@D) && ${words}`);
    lines.push(`-include ${object.replace(/\.o$/, '.d')}`);
  };
  for (const source of [...members, ...sources]) compile(source, objectOf(source), '');
  for (const source of moduleSources) compile(source, moduleObjectOf(source), '-fPIC');
  return { text: `${lines.join('\n')}\n`, names: outputs.map(({ name }) => name) };
}

/**
 * Builds the named programs, or all of them.
 * @param {readonly string[]} [wanted]
 * @returns {Promise<boolean>} whether all of them are there
 */
export function buildBenchPrograms(wanted) {
  mkdirSync(join(root, folder), { recursive: true });
  return withBuildLock('bench', async () => {
    const { text, names } = makefile();
    refresh(`${folder}/Makefile`, text);
    const targets = (wanted ?? names).map((name) => `${folder}/${name}`);
    const args = ['--silent', '-k', '-j', String(parallelism), '-f', `${folder}/Makefile`];
    const { code } = await run('make', [...args, ...targets]);
    return code === 0;
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  if (!(await buildBenchPrograms())) process.exitCode = 1;
}
