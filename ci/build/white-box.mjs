/**
 * Transpiles every source file by itself to `build/white-box`, for tests that import them.
 *
 * Goals: white-box tests run what Node loads, with source maps, so that coverage and stack
 * traces work for them as for the bundles; one output for one source, so that every module
 * still exists once.
 * Non-goals: anything that is shipped.
 */
import { join } from 'node:path';
import { build } from 'esbuild';
import { root } from '../process.mjs';
import { filesBelow } from '../sources.mjs';
import { putOutputs } from './outputs.mjs';

const whiteBoxFolder = 'build/white-box';

/** Imports stay as they are, but name the outputs. @type {import('esbuild').Plugin} */
const oneOutputForOneSource = {
  name: 'one output for one source',
  setup(builder) {
    builder.onResolve({ filter: /^\./ }, ({ path, kind }) => {
      if (kind === 'entry-point') return undefined;
      return { path: path.replace(/\.ts$/, '.js'), external: true };
    });
  },
};

export async function transpileWhiteBox() {
  const entryPoints = filesBelow('src', ['.ts']).filter((path) => !path.endsWith('.test.ts'));
  const result = await build({
    absWorkingDir: root,
    entryPoints,
    outbase: '.',
    outdir: whiteBoxFolder,
    bundle: true,
    packages: 'external',
    plugins: [oneOutputForOneSource],
    format: 'esm',
    platform: 'node',
    target: 'node20.11',
    sourcemap: 'linked',
    write: false,
    logLevel: 'warning',
  });
  putOutputs(whiteBoxFolder, result.outputFiles);
}

/**
 * The output of a source file, undefined for what is not transpiled here.
 * @param {string} path absolute
 */
export function whiteBoxOutput(path) {
  const source = join(root, 'src/');
  if (!path.startsWith(source) || !path.endsWith('.ts') || path.endsWith('.test.ts')) return;
  return join(root, whiteBoxFolder, 'src', path.slice(source.length).replace(/\.ts$/, '.js'));
}
