/**
 * Checks the protocol models of `spec/models` with spin.
 *
 *     node ci/models.mjs [MODEL]...
 *
 * Goals: every run that a model's head names has the outcome that it has to have: nothing found
 * in a check, something in a planted fault. DRAGON_TEST_SIZE=full adds the large checks.
 * Non-goals: traces; for one, run spin in the folder that a failure names.
 *
 * The last line is `models: N passed, M failed`, counted in runs.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runsOf, verdict } from './models/runs.mjs';
import { mapLimited, parallelism, root, run } from './process.mjs';
import { missingPackage } from './system-packages.mjs';
import { readSource, repositoryPaths } from './tree.mjs';

const isFull = process.env['DRAGON_TEST_SIZE'] === 'full';
/** Of one search, and of each compiler's run. */
const timeoutMs = isFull ? 600_000 : 120_000;
/** MiB of states; the machine is not ours alone. */
const memoryMiB = isFull ? 6000 : 1500;
const depth = 1_000_000;

/**
 * Makes the searcher of one run; undefined, or what its compilers said.
 * @param {import('./models/runs.mjs').ModelRun} each
 * @param {string} folder
 */
async function compile({ model, kind, defines }, folder) {
  const options = { cwd: folder, quiet: true, timeoutMs };
  const spin = await run('spin', ['-a', ...defines, join(root, model)], options);
  if (spin.code !== 0) return spin.output;
  const optimize = { CHECK: '-O1', FAULT: '-O0', FULL: '-O2' }[kind];
  const macros = ['-DSAFETY', '-DCOLLAPSE', `-DMEMLIM=${memoryMiB}`, '-DVECTORSZ=2048'];
  const gcc = await run('gcc', [optimize, '-w', ...macros, '-o', 'pan', 'pan.c'], options);
  return gcc.code === 0 ? undefined : gcc.output;
}

/** @param {import('./models/runs.mjs').ModelRun} each */
async function search(each) {
  const folder = join(root, 'build/models', each.name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const problem = await compile(each, folder);
  const { output } =
    problem === undefined
      ? await run('./pan', [`-m${depth}`], { cwd: folder, quiet: true, timeoutMs })
      : { output: problem };
  const { passed, text } = verdict(each.kind, output);
  console.log(`${passed ? 'ok' : 'FAILED'} ${each.name}: ${text}`);
  if (passed) rmSync(folder, { recursive: true });
  return passed;
}

async function main() {
  const { code } = await run('spin', ['-V'], { quiet: true });
  if (code !== 0) return missingPackage('spin', 'the models are not checked');
  const wanted = process.argv.slice(2);
  const runs = repositoryPaths()
    .filter((path) => path.startsWith('spec/models/') && path.endsWith('.pml'))
    .flatMap((path) => runsOf(readSource(path)))
    .filter(({ kind }) => isFull || kind !== 'FULL')
    .filter(({ name }) => wanted.length === 0 || wanted.some((part) => name.startsWith(part)));
  const results = await mapLimited(runs, parallelism, search);
  const failed = results.filter((passed) => !passed).length;
  console.log(`models: ${results.length - failed} passed, ${failed} failed`);
  return failed === 0;
}

process.exitCode = (await main()) ? 0 : 1;
