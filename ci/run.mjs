/**
 * Runs everything that has to be green.
 *
 *     node ci/run.mjs [--install] [STAGE]...
 *
 * `npm test` and `.ci/run` are this; names of stages narrow the run. `--install` begins with
 * `npm ci`. DRAGON_TEST_SIZE=full makes every stage as long as it can be.
 *
 * Goals: each stage says its name and its seconds; a red stage does not hide the next one,
 * unless nothing could be built; the last line is `N passed, M failed`, in test cases and
 * checks.
 * Non-goals: what a stage does. That is the stage's own script.
 */
import { parseArgs } from 'node:util';
import { lookForLeaks } from './run/leaks.mjs';
import { runStages } from './run/session.mjs';
import { stages } from './run/stages.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { install: { type: 'boolean', default: false } },
});

/** @param {import('./run/stages.mjs').Stage} stage */
function isSelected({ name }) {
  if (name === 'install') return values.install;
  return positionals.length === 0 || positionals.includes(name);
}

const checkLeaks = { name: 'leaks', run: lookForLeaks() };
const selected = [...stages, checkLeaks].filter(isSelected);
process.exitCode = (await runStages(selected, console.log)) ? 0 : 1;
