/**
 * Bundles the TypeScript sources to `dist`.
 *
 * Goals: one bundle per public entry and per program, shared code in chunks, so that a
 * started process loads few files.
 * Non-goals: type checks and declarations (see types.mjs).
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { root } from '../process.mjs';
import { filesBelow } from '../sources.mjs';
import { putOutputs } from './outputs.mjs';

/** The command is one CommonJS file: Node loads that 10 ms sooner than modules in chunks. */
const command = 'src/launcher/main.ts';

/** Programs that are started by path, not imported by name. */
const programs = ['src/runtime/bootstrap/main.ts', 'src/multiprocessing/worker.ts'];

/** Source files of `package.json`'s exports, of the programs and of the commands. */
export function entryPoints() {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const exported = Object.values(manifest.exports)
    .filter((entry) => typeof entry === 'object')
    .map((entry) => entry.default.replace(/^\.\/dist\/(.*)\.js$/, 'src/$1.ts'));
  const commands = filesBelow('src/tools', ['.ts']).filter((path) => /^[\w/-]+\.ts$/.test(path));
  return [...exported, ...programs, ...commands].filter((path) => existsSync(join(root, path)));
}

const common = {
  absWorkingDir: root,
  outbase: 'src',
  outdir: 'dist',
  bundle: true,
  platform: /** @type {const} */ ('node'),
  target: 'node20.11',
  external: ['esbuild', 'es-module-lexer'],
  sourcemap: /** @type {const} */ ('linked'),
  legalComments: /** @type {const} */ ('none'),
  write: /** @type {const} */ (false),
  logLevel: /** @type {const} */ ('warning'),
};

/** Throws esbuild's BuildFailure, whose message it has printed already. */
export async function bundle() {
  const modules = await build({
    ...common,
    entryPoints: entryPoints(),
    chunkNames: 'chunks/[name]-[hash]',
    format: 'esm',
    splitting: true,
  });
  const launcher = await build({
    ...common,
    entryPoints: [command],
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    define: { 'import.meta.url': 'importMetaUrl' },
    banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
  });
  putOutputs('dist', [...modules.outputFiles, ...launcher.outputFiles]);
}
