/**
 * Builds the programs of `native/bench` into `build/bench`.
 *
 *     node bench/build-native.mjs
 *
 * Goals: a file with a `main` is a program, of its own name and with the files `NAME_*.cpp`
 * beside it; one set of flags, which the results name; a rebuild compiles what has changed.
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

/** Linked into whichever program uses them: a library's unused members cost nothing. */
const shared = ['native/bench/measure.cpp'];

/** What a program is linked with beyond the library; `tiny` is all that is started. */
/** @type {Readonly<Record<string, string>>} */
const linkFlags = { tiny: '-static' };

/** @param {string} source */
const objectOf = (source) => `${folder}/obj/${source.replace(/\.cpp$/, '.o')}`;

/** @returns {{ name: string, sources: string[] }[]} */
function programs() {
  const files = filesBelow('native/bench', ['.cpp']).filter((path) => !shared.includes(path));
  const mains = files.filter((path) => /^int main\(/m.test(readFileSync(join(root, path), 'utf8')));
  return mains.map((main) => {
    const parts = files.filter((path) => path.startsWith(main.replace(/\.cpp$/, '_')));
    const name = main.replace(/^.*\/(.*)\.cpp$/, '$1');
    return { name, sources: [main, ...parts.filter((path) => !mains.includes(path))] };
  });
}

/** Writes a file only when its text has changed: make judges by time. @param {string} path */
function refresh(path, /** @type {string} */ text) {
  const file = join(root, path);
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text);
}

/** The rules of a Makefile for the library and the programs. */
function makefile() {
  const flags = [...compilerFlags, ...warnings, ...includes].join(' ');
  refresh(`${folder}/flags`, flags);
  const library = `${folder}/libbench.a`;
  const members = [...shared, ...coreSources()];
  const lines = ['.DELETE_ON_ERROR:', '.SECONDARY:', 'CXX ?= g++'];
  const parts = members.map(objectOf).join(' ');
  lines.push(
    `${library}: ${parts} ${folder}/flags ${folder}/Makefile`,
    `\t@rm -f $@ && ar rcs $@ ${parts}`,
  );
  const all = programs();
  for (const { name, sources } of all) {
    const objects = [...sources.map(objectOf), library].join(' ');
    const link = [linkFlags[name] ?? '', '-pthread'].join(' ').trim();
    lines.push(`${folder}/${name}: ${objects}`, `\t@$(CXX) ${flags} -o $@ ${objects} ${link}`);
  }
  for (const source of new Set([...members, ...all.flatMap(({ sources }) => sources)])) {
    const object = objectOf(source);
    const compile = `$(CXX) ${flags} -MMD -MP -c -o $@ $<`;
    lines.push(`${object}: ${source} ${folder}/flags`, `\t@mkdir -p $(@D) && ${compile}`);
    lines.push(`-include ${object.replace(/\.o$/, '.d')}`);
  }
  return { text: `${lines.join('\n')}\n`, names: all.map(({ name }) => name) };
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
