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

/** Programs that are started by path, not imported by name. */
const programs = [
  'src/launcher/main.ts',
  'src/runtime/bootstrap/main.ts',
  'src/multiprocessing/worker.ts',
];

/** Source files of `package.json`'s exports, of the programs and of the commands. */
export function entryPoints() {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const exported = Object.values(manifest.exports)
    .filter((entry) => typeof entry === 'object')
    .map((entry) => entry.default.replace(/^\.\/dist\/(.*)\.js$/, 'src/$1.ts'));
  const commands = filesBelow('src/tools', ['.ts']).filter((path) => /^[\w/-]+\.ts$/.test(path));
  return [...exported, ...programs, ...commands].filter((path) => existsSync(join(root, path)));
}

/** Throws esbuild's BuildFailure, whose message it has printed already. */
export async function bundle() {
  const result = await build({
    absWorkingDir: root,
    entryPoints: entryPoints(),
    outbase: 'src',
    outdir: 'dist',
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    format: 'esm',
    splitting: true,
    platform: 'node',
    target: 'node20.11',
    external: ['esbuild', 'es-module-lexer'],
    sourcemap: 'linked',
    legalComments: 'none',
    write: false,
    logLevel: 'warning',
  });
  putOutputs('dist', result.outputFiles);
}
