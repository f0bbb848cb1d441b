/**
 * Line counts of the TypeScript sources, from what every Node process wrote at its end.
 *
 * Goals: all processes that a test starts count, since NODE_V8_COVERAGE is inherited; bundles
 * and white-box outputs are mapped back to the sources by c8.
 * Non-goals: processes that are killed. They write nothing.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Report } from 'c8';
import { root } from '../process.mjs';
import { rawFolder } from './raw.mjs';

const ownFolder = join(root, 'build/coverage/own');
const reportFolder = join(root, 'build/coverage/report');

/**
 * @returns {Promise<import('./table.mjs').FileLines[]>}
 */
export async function scriptLines() {
  keepOwnScripts();
  const report = new Report({
    tempDirectory: ownFolder,
    reportsDirectory: reportFolder,
    reporter: ['json-summary'],
    include: ['src/**'],
    exclude: ['**/*.test.ts', '**/*.fixture.ts', '**/generated.ts'],
    excludeAfterRemap: true,
    extension: ['.ts'],
    src: [join(root, 'src')],
    all: true,
    resolve: root,
    omitRelative: true,
  });
  await report.run();
  /** @type {Record<string, { lines: { total: number, covered: number } }>} */
  const summary = JSON.parse(readFileSync(join(reportFolder, 'coverage-summary.json'), 'utf8'));
  return Object.entries(summary)
    .filter(([file]) => file !== 'total')
    .map(([file, { lines }]) => {
      return { path: file.slice(root.length + 1), lines: lines.total, covered: lines.covered };
    });
}

/**
 * Most of what V8 wrote is about the test runner: without it c8 is ten times faster.
 */
function keepOwnScripts() {
  const own = ['dist/', 'build/white-box/'].map((path) => pathToFileURL(join(root, path)).href);
  /** @param {string} url */
  const isOwn = (url) => own.some((start) => url.startsWith(start));
  rmSync(ownFolder, { recursive: true, force: true });
  mkdirSync(ownFolder, { recursive: true });
  for (const name of readdirSync(rawFolder)) {
    const report = readReport(join(rawFolder, name));
    const result = (report?.result ?? []).filter(({ url }) => isOwn(url));
    if (result.length === 0) continue;
    const maps = Object.entries(report?.['source-map-cache'] ?? {}).filter(([url]) => isOwn(url));
    const kept = { result, 'source-map-cache': Object.fromEntries(maps) };
    writeFileSync(join(ownFolder, name), JSON.stringify(kept));
  }
}

/**
 * @typedef {{ result: { url: string }[], 'source-map-cache'?: Record<string, unknown> }} RawReport
 * @param {string} path
 * @returns {RawReport | undefined}
 */
function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    // A process that was killed while it wrote.
    return undefined;
  }
}
