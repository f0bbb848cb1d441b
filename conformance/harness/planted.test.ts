/**
 * The harness finds what a test file leaves behind.
 *
 * The leaks are planted in `fixtures`, and run by a vitest of their own under the same harness.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { root, run } from '../../ci/process.mjs';
import type { Report } from '../../ci/run/vitest.mjs';

const config = 'conformance/harness/fixtures/vitest.config.ts';

/** The outcome of every planted file, by its first name. */
async function plant(names: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const resultsFile = join(tmpdir(), `planted-${names.join('-')}.json`);
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const files = names.map((name) => `${name}.plant.ts`);
  const { output } = await run(process.execPath, [vitest, 'run', '--config', config, ...files], {
    quiet: true,
    env: {
      ...process.env,
      NODE_V8_COVERAGE: undefined,
      DRAGON_CI_STRICT: '0',
      ...env,
      DRAGON_TEST_RESULTS: resultsFile,
    },
  });
  const report: Report = JSON.parse(readFileSync(resultsFile, 'utf8'));
  rmSync(resultsFile);
  const messages = new Map(
    report.testResults.map((file) => {
      const own = file.assertionResults.flatMap((result) => result.failureMessages ?? []);
      const name = file.name.replace(/^.*\/(\w+)\.plant\.ts$/, '$1');
      return [name, [file.message ?? '', ...own].join('\n')];
    }),
  );
  return { messages, output, report };
}

describe('a file that leaves something behind', () => {
  let messages: Map<string, string>;

  beforeAll(async () => {
    ({ messages } = await plant(['process', 'descriptor', 'file', 'ending']));
  });

  it('fails for a process that has left its parent, group and session [CNF-031]', () => {
    expect(messages.get('process')).toMatch(/left running: process \d+: sleep 6\.25/);
  });

  it('fails for a descriptor and for a socket, by name [CNF-032]', () => {
    expect(messages.get('descriptor')).toContain('left open: /etc/passwd');
    expect(messages.get('descriptor')).toMatch(/left open: socket:\[\d+\]/);
  });

  it('fails for a file in its temporary folder or runtime base [CNF-034]', () => {
    expect(messages.get('file')).toMatch(/left on disk: .*\/left-file/);
    expect(messages.get('file')).toMatch(/left on disk: .*\/left-run/);
  });

  it('passes when everything ends by itself in time [CNF-035]', () => {
    expect(messages.get('ending')).toBe('');
  });
});

it('a failing property prints its seed, and the seed repeats it [CNF-036]', async () => {
  const seed = '271828';
  const first = await plant(['property'], { DRAGON_TEST_SEED: seed });
  const again = await plant(['property'], { DRAGON_TEST_SEED: seed });
  const counterexample = ({ messages }: typeof first) =>
    /Counterexample: (.*)/.exec(messages.get('property') ?? '')?.[1];
  expect(first.messages.get('property')).toContain(`seed: ${seed}`);
  expect(first.output).toContain(`DRAGON_TEST_SEED=${seed}`);
  expect(counterexample(first)).toMatch(/\d/);
  expect(counterexample(again)).toBe(counterexample(first));
});

it('the package under test is the one that DRAGON_PACKAGE names [CNF-037]', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'package'));
  const manifest = { name: 'dragon-runtime', type: 'module', exports: { '.': './dist/a.js' } };
  mkdirSync(join(folder, 'dist'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(folder, 'dist/a.js'), "export const name = 'another package';");
  const { messages } = await plant(['package'], { DRAGON_PACKAGE: folder });
  rmSync(folder, { recursive: true });
  expect(messages.get('package')).toContain('this is another package');
});

it('a test that lacks something skips with the reason, and fails in CI [CNF-038]', async () => {
  const lenient = await plant(['skip']);
  expect(lenient.report).toMatchObject({ numFailedTests: 0, numPendingTests: 1 });
  const strict = await plant(['skip'], { DRAGON_CI_STRICT: '1' });
  expect(strict.messages.get('skip')).toContain('the unobtainable is missing');
});
