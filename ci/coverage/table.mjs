/**
 * One table of line coverage, by room, and the judgement.
 */
import { dirname } from 'node:path';

/** The least share of lines, for each language. */
export const leastPercent = 85;

/**
 * @typedef {object} FileLines
 * @property {string} path
 * @property {number} lines
 * @property {number} covered
 */

/** @param {FileLines} counts */
function percent({ lines, covered }) {
  return lines === 0 ? 100 : (100 * covered) / lines;
}

/**
 * @param {string} path
 * @param {readonly FileLines[]} files
 * @returns {FileLines}
 */
function sum(path, files) {
  return {
    path,
    lines: files.reduce((total, file) => total + file.lines, 0),
    covered: files.reduce((total, file) => total + file.covered, 0),
  };
}

/** @param {FileLines} counts */
function row(counts) {
  const share = percent(counts).toFixed(1).padStart(6);
  const lines = `${String(counts.covered).padStart(6)} of ${String(counts.lines).padStart(6)}`;
  return `${share} %  ${lines}  ${counts.path}`;
}

/**
 * @param {Record<string, readonly FileLines[]>} languages
 * @returns {{ text: string, isEnough: boolean }}
 */
export function coverageTable(languages) {
  const lines = [];
  let isEnough = true;
  for (const [language, files] of Object.entries(languages)) {
    for (const room of new Set(files.map((file) => dirname(file.path)).sort())) {
      const own = files.filter((file) => dirname(file.path) === room);
      lines.push(row(sum(room, own)));
    }
    const total = sum(`all ${language} (at least ${leastPercent} %)`, files);
    lines.push(row(total), '');
    isEnough &&= percent(total) >= leastPercent;
  }
  return { text: lines.join('\n'), isEnough };
}
