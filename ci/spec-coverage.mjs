/**
 * Prints which test proves which requirement, and fails on a hole on either side.
 *
 *     node ci/spec-coverage.mjs [--holes] [ID_PREFIX]
 *
 * `--holes` leaves the table out; a prefix (`CH`, `CH-01`) narrows it.
 *
 * Goals: the answer comes from the files alone, in a second, so that it can be asked often.
 * Non-goals: whether a test passes, or proves what it cites.
 */
import { readTests } from './spec/citations.mjs';
import { judge, matrix } from './spec/matrix.mjs';
import { readRequirements } from './spec/requirements.mjs';
import { isTest } from './tidy/kinds.mjs';
import { readSource, repositoryPaths } from './tree.mjs';

const paths = repositoryPaths();
const isSpec = (/** @type {string} */ path) => /^spec\/[^/]+\.md$/.test(path);
const requirements = readRequirements(paths.filter(isSpec).map((path) => readSource(path)));
const tests = paths.filter(isTest).flatMap((path) => readTests(readSource(path)));

const prefix = process.argv.slice(2).find((argument) => !argument.startsWith('--')) ?? '';
if (!process.argv.includes('--holes')) {
  const shown = requirements.filter(({ id }) => id.startsWith(prefix));
  for (const line of matrix(shown, tests)) console.log(line);
}
const holes = judge(requirements, tests);
for (const hole of holes) console.log(hole);
const sizes = `${requirements.length} requirements, ${tests.length} tests`;
console.log(`spec coverage: ${sizes}, ${holes.length} holes`);
process.exitCode = holes.length === 0 ? 0 : 1;
