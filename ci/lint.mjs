/**
 * Lint and format of both languages.
 *
 *     node ci/lint.mjs [--write]
 *
 * Goals: biome for TypeScript, JavaScript and JSON, clang-format for C++; `--write` mends what
 * can be mended without a decision.
 * Non-goals: type checks (`npm run types`) and house rules (`npm run tidy`).
 */
import { join } from 'node:path';
import { root, run } from './process.mjs';
import { filesBelow } from './sources.mjs';
import { missingPackage } from './system-packages.mjs';

const isWriting = process.argv.includes('--write');

async function lintTypeScript() {
  const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');
  const mode = isWriting ? ['--write'] : ['--error-on-warnings'];
  return (await run(process.execPath, [biome, 'check', ...mode, '.'])).code === 0;
}

async function lintCpp() {
  const sources = filesBelow('native', ['.cpp', '.h']).filter(
    (path) => path !== 'native/include/dragon/errors.h',
  );
  if (sources.length === 0) return true;
  // Every version has its own idea of some lines; Debian 12 has this one.
  const version = await run('clang-format', ['--version'], { quiet: true });
  if (!/version 14\./.test(version.output)) {
    return missingPackage('clang-format 14', 'C++ format is not checked');
  }
  const mode = isWriting ? ['-i'] : ['--dry-run', '--Werror'];
  return (await run('clang-format', [...mode, ...sources])).code === 0;
}

const results = [await lintTypeScript(), await lintCpp()];
process.exitCode = results.every(Boolean) ? 0 : 1;
