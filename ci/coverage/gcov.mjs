/**
 * Line counts of the native core, from the counters of the plain native tests.
 *
 * Goals: sources that no test reached count as not covered; a header's lines are counted
 * once, whatever number of sources includes it.
 * Non-goals: the binding, which native tests do not link.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from '../process.mjs';
import { filesBelow } from '../sources.mjs';

const objectFolder = 'build/native-tests/plain/obj/native';

/** Files that one gcov run gets: an argument list has its limits. */
const batchSize = 16;

export function clearCounters() {
  for (const file of filesBelow(objectFolder, ['.gcda'])) rmSync(join(root, file));
}

/**
 * @returns {Promise<import('./table.mjs').FileLines[]>}
 */
export async function nativeLines() {
  /** @type {Map<string, Map<number, number>>} */
  const files = new Map();
  const notes = filesBelow(objectFolder, ['.gcno']);
  for (let start = 0; start < notes.length; start += batchSize) {
    const args = ['--json-format', '--stdout', ...notes.slice(start, start + batchSize)];
    const { code, output, stdout } = await run('gcov', args, { quiet: true });
    if (code !== 0) throw new Error(`gcov failed:\n${output}`);
    for (const line of stdout.split('\n')) {
      if (line.startsWith('{')) addReport(files, JSON.parse(line));
    }
  }
  return [...files].map(([path, lines]) => ({
    path,
    lines: lines.size,
    covered: [...lines.values()].filter((count) => count > 0).length,
  }));
}

/**
 * @typedef {{ line_number: number, count: number }} GcovLine
 * @param {Map<string, Map<number, number>>} files
 * @param {{ files: { file: string, lines: GcovLine[] }[] }} report
 */
function addReport(files, report) {
  for (const { file, lines } of report.files) {
    const isOurs =
      /^native\/(?!bench\/|proof\/)/.test(file) && !/_(test|fixture)\.(cpp|h)$/.test(file);
    if (!isOurs) continue;
    const counts = files.get(file) ?? new Map();
    files.set(file, counts);
    for (const { line_number: line, count } of lines) {
      counts.set(line, Math.max(count, counts.get(line) ?? 0));
    }
  }
}
