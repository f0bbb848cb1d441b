/**
 * Bundles the TypeScript sources to `dist`.
 *
 * Goals: a started process loads few files and compiles next to nothing. All that programs
 * import is one script, `package.cjs`, whose compiled form processes keep in their cache
 * (`src/runtime/bootstrap/package.ts`); each public entry is a facade of it, so a program that
 * imports several has one instance of what they share. Commands are bundles of their own.
 * Non-goals: type checks and declarations (see types.mjs).
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { build } from 'esbuild';
import { root } from '../process.mjs';
import { filesBelow } from '../sources.mjs';
import { putOutputs } from './outputs.mjs';

/** Loaded by Node as CommonJS, which takes 10 ms less than modules in chunks. */
const packageScript = 'src/package.ts';
const bootstrap = 'src/runtime/bootstrap/main.ts';
const launcher = 'src/launcher/main.ts';

/** What pools name as a target by its path. */
const worker = 'src/multiprocessing/worker.ts';

/** Public entries by the name under which `package.ts` exports them. */
function facades() {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  /** @type {string[]} */
  const exported = Object.values(manifest.exports)
    .filter((entry) => typeof entry === 'object')
    .map((entry) => entry.default.replace(/^\.\/dist\/(.*)\.js$/, 'src/$1.ts'));
  return [...exported, worker]
    .filter((path) => existsSync(join(root, path)))
    .map((path) => {
      const [, folder, name] = /^src\/(?:(.*)\/)?([^/]*)\.ts$/.exec(path) ?? [];
      return { path, name: name === 'index' && folder !== undefined ? folder : `${name}` };
    });
}

function commands() {
  return filesBelow('src/tools', ['.ts']).filter((path) => /^[\w/-]+\.ts$/.test(path));
}

/** What a build makes, relative to the root. */
export function outputs() {
  const modules = [...facades().map(({ path }) => path), ...commands()];
  return [
    ...modules.map((path) => path.replace(/^src\/(.*)\.ts$/, 'dist/$1.js')),
    ...[packageScript, bootstrap, launcher].map((path) =>
      path.replace(/^src\/(.*)\.ts$/, 'dist/$1.cjs'),
    ),
  ];
}

const common = {
  absWorkingDir: root,
  outbase: 'src',
  outdir: 'dist',
  bundle: true,
  platform: /** @type {const} */ ('node'),
  target: 'node20.11',
  external: ['esbuild', 'es-module-lexer', 'yaml'],
  sourcemap: /** @type {const} */ ('linked'),
  legalComments: /** @type {const} */ ('none'),
  write: /** @type {const} */ (false),
  logLevel: /** @type {const} */ ('warning'),
};

const asScript = {
  ...common,
  format: /** @type {const} */ ('cjs'),
  outExtension: { '.js': '.cjs' },
  define: { 'import.meta.url': 'importMetaUrl' },
  banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
};

/** Throws esbuild's BuildFailure, whose message it has printed already. */
export async function bundle() {
  const [tools, command, whole] = await Promise.all([
    build({
      ...common,
      entryPoints: commands(),
      chunkNames: 'chunks/[name]-[hash]',
      format: 'esm',
      splitting: true,
    }),
    build({ ...asScript, entryPoints: [launcher] }),
    build({ ...asScript, entryPoints: [packageScript], supported: { 'dynamic-import': false } }),
  ]);
  const script = whole.outputFiles.find(({ path }) => path.endsWith('.cjs'));
  const digest = createHash('sha256')
    .update(script?.contents ?? '')
    .digest('hex')
    .slice(0, 16);
  const main = await build({
    ...common,
    entryPoints: [bootstrap],
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    define: { PACKAGE_DIGEST: JSON.stringify(digest) },
  });
  const files = [tools, command, whole, main].flatMap(({ outputFiles }) => outputFiles);
  putOutputs('dist', [...files, ...(await facadeFiles())]);
}

/** Modules that pass on the parts of the script. */
async function facadeFiles() {
  const entries = facades();
  const { metafile } = await build({
    ...common,
    entryPoints: entries.map(({ path }) => path),
    format: 'esm',
    splitting: true,
    sourcemap: false,
    metafile: true,
  });
  const names = new Map(
    Object.values(metafile.outputs).map(({ entryPoint, exports }) => [entryPoint, exports]),
  );
  return entries.map(({ path, name }) => {
    const file = path.replace(/^src\/(.*)\.ts$/, 'dist/$1.js');
    const exported = [...(names.get(path) ?? [])].sort();
    const text = facade(relative(dirname(file), 'dist/package.cjs'), name, exported);
    return { path: join(root, file), contents: Buffer.from(text) };
  });
}

/**
 * @param {string} script
 * @param {string} name
 * @param {readonly string[]} exported
 */
function facade(script, name, exported) {
  const specifier = script.startsWith('.') ? script : `./${script}`;
  return `import { createRequire } from 'node:module';
const own = globalThis[Symbol.for('dragon-runtime.modules')]?.package?.(import.meta.url);
const whole = own ?? createRequire(import.meta.url)('${specifier}');
export const { ${exported.join(', ')} } = whole.${name};
`;
}
