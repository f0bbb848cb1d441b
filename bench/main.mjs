/**
 * Starts the benchmark kit: bundles the runner and the peers that run in plain Node, and hands
 * over. The programs of `native/bench` are built once something is to be measured.
 *
 *     node bench/main.mjs bench|goals [options]
 *
 * Goals: nothing to be built by hand, a start that costs little when all is current, and help
 * at once.
 * Non-goals: the build of the package itself; a case that needs it says so when it fails.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { root, run } from '../ci/process.mjs';
import { buildBenchPrograms } from './build-native.mjs';

const output = join(root, 'build/bench/js');

/** Bundles the runner as `runner.js` and each peer under its own name. */
async function bundle() {
  const peers = readdirSync(join(root, 'bench/peers/node')).filter((name) => name.endsWith('.ts'));
  await build({
    absWorkingDir: root,
    entryPoints: [
      { in: 'bench/runner/main.ts', out: 'runner' },
      ...peers.map((name) => ({ in: `bench/peers/node/${name}`, out: name.replace(/\.ts$/, '') })),
    ],
    outdir: output,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    logLevel: 'warning',
  });
}

/** Goals ask for the programs of the proof, too, which take longer than a run may. */
async function buildPrograms() {
  if (!(await buildBenchPrograms())) return false;
  if (process.argv[2] !== 'goals') return true;
  const proof = ['ci/native-tests.mjs', '--build-only', '--variant', 'plain', 'native/proof/'];
  return (await run(process.execPath, proof)).code === 0;
}

await bundle();
const runner = await import(pathToFileURL(join(output, 'runner.mjs')).href);
process.exitCode = await runner.main(root, process.argv.slice(2), buildPrograms);
