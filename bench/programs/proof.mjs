/**
 * How many runs of a proof of crash safety were clean.
 *
 *     node proof.mjs fresh --runs N            N kill-point runs from a seed of its own, now
 *     node proof.mjs campaign --what NAME      what the newest record of a long one says
 *
 * Goals: a run that fails leaves no figure, and the seed that repeats it on standard error.
 */
import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const root = resolve(import.meta.dirname, '../..');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '300' },
    what: { type: 'string', default: 'kill-points' },
  },
});

/** @returns {Promise<number>} how many runs passed */
function freshRuns() {
  const seed = String(randomInt(1, 2 ** 30));
  const args = ['ci/proof.mjs', 'kills', '--runs', values.runs, '--seed', seed];
  return new Promise((settle, reject) => {
    execFile(process.execPath, args, { cwd: root, maxBuffer: 2 ** 26 }, (error, stdout) => {
      const line = /proof: (\d+) passed, (\d+) failed/.exec(stdout);
      if (error === null && line?.[2] === '0') settle(Number(line[1]));
      else reject(new Error(`seed ${seed}: ${stdout.slice(-2000)}`));
    });
  });
}

/** @returns {number} the runs of the newest record, none of which failed */
function recordedRuns() {
  const lines = readFileSync(join(root, 'bench/results/proof.jsonl'), 'utf8').trimEnd().split('\n');
  const records = lines.map((line) => JSON.parse(line));
  const newest = records.filter(({ what }) => what === values.what).at(-1);
  if (newest === undefined) throw new Error(`there is no campaign of ${values.what}`);
  if (newest.failures > 0) throw new Error(`${newest.failures} runs of ${values.what} failed`);
  return newest.runs;
}

const runs = positionals[0] === 'campaign' ? recordedRuns() : await freshRuns();
console.log(JSON.stringify({ unit: 'runs', n: runs, p50: runs, p99: runs, min: runs }));
