/**
 * How many percent of the portable tests of CPython's multiprocessing exist and pass, each once,
 * and leave nothing behind. A test that is skipped, repeated or missing does not count.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { readPorts, result } from '../../ci/generate/ports.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tests = 'conformance/multiprocessing/ports';
const folder = join(root, tests, 'table');

/** Runs the ported tests; throws, with their titles, when some fail or leave something behind. */
function passedTitles() {
  const scratch = mkdtempSync(join(tmpdir(), 'ported-'));
  const file = join(scratch, 'results.json');
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  try {
    const { status } = spawnSync(process.execPath, [vitest, 'run', tests], {
      cwd: root,
      env: { ...process.env, DRAGON_TEST_RESULTS: file },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    /** @type {{ testResults: { assertionResults: { title: string, status: string }[] }[] }} */
    const { testResults } = JSON.parse(readFileSync(file, 'utf8'));
    const all = testResults.flatMap(({ assertionResults }) => assertionResults);
    const others = all.filter((test) => test.status !== 'passed').map(({ title }) => title);
    if (status !== 0) throw new Error(`the run failed; not passed: ${others.join(', ') || 'none'}`);
    return new Set(all.filter((test) => test.status === 'passed').map(({ title }) => title));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
const ports = readPorts(names.map((name) => parse(readFileSync(join(folder, name), 'utf8'))));
const wanted = ports.filter((port) => ['ported', 'not yet'].includes(result(port)));
const titles = passedTitles();
const passed = wanted.filter(({ test, number }) =>
  titles.has(`${test} [CPT-${String(number).padStart(3, '0')}]`),
);
const share = (100 * passed.length) / wanted.length;
const detail = { wanted: wanted.length, passed: passed.length };
const line = { unit: '%', n: wanted.length, p50: share, p99: share, min: share, detail };
console.log(JSON.stringify(line));
