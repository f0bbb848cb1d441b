/**
 * How the TypeScript tests run.
 *
 * `dragon-runtime` in a test means the package under test: the built one of this repository,
 * or the folder that DRAGON_PACKAGE names, an installed one for example. White-box tests
 * import `src/`, which is transpiled file by file before the run. Both are loaded by Node and
 * not by vite. Tests run in forks, since a fault in the addon must end one file and not the
 * run. Nothing is retried.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import { transpileWhiteBox, whiteBoxOutput } from './ci/build/white-box.mjs';

const root = dirname(fileURLToPath(import.meta.url));
const packageRoot = resolve(root, process.env['DRAGON_PACKAGE'] ?? '.');

/** The package's exports as aliases, each for exactly its own name. */
function packageAliases(): { find: RegExp; replacement: string }[] {
  const manifest = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));
  return Object.entries<string | { default: string }>(manifest.exports).map(([subpath, entry]) => {
    const target = typeof entry === 'string' ? entry : entry.default;
    const name = join(manifest.name, subpath).replaceAll('.', '\\.');
    return { find: new RegExp(`^${name}$`), replacement: join(packageRoot, target) };
  });
}

function whiteBox(): Plugin {
  return {
    name: 'white-box sources',
    enforce: 'pre',
    buildStart: transpileWhiteBox,
    resolveId(source, importer) {
      if (importer === undefined || !source.startsWith('.')) return undefined;
      return whiteBoxOutput(resolve(dirname(importer), source));
    },
  };
}

const isFull = process.env['DRAGON_TEST_SIZE'] === 'full';
const resultsFile = process.env['DRAGON_TEST_RESULTS'];
const limitMs = isFull ? 600_000 : 30_000;

export default defineConfig({
  resolve: { alias: packageAliases() },
  plugins: [whiteBox()],
  test: {
    include: ['{src,conformance,bench,ci,examples,docs}/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    globalSetup: ['conformance/harness/run.ts'],
    setupFiles: ['conformance/harness/file.ts'],
    pool: 'forks',
    execArgv: ['--enable-source-maps'],
    maxWorkers: Math.min(4, Math.max(2, availableParallelism())),
    retry: 0,
    testTimeout: limitMs,
    hookTimeout: limitMs,
    server: { deps: { external: [/\/dist\/.*\.js$/, /\/build\/white-box\//] } },
    reporters: resultsFile === undefined ? ['default'] : ['default', 'json'],
    ...(resultsFile === undefined ? {} : { outputFile: { json: resultsFile } }),
  },
});
