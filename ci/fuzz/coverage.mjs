/**
 * The branches of a target's parsers that its committed corpus takes.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from '../process.mjs';
import { buildFolder } from './targets.mjs';

/**
 * A branch as llvm-cov exports it: line and column, and how often each side was taken.
 * @typedef {{ name: string, filenames: string[], branches: number[][] }} CoveredFunction
 *
 * @param {readonly CoveredFunction[]} functions
 * @param {readonly string[]} parsers parts of their mangled names
 * @returns {{ total: number, missing: string[] }} sides of branches; where one was not taken
 */
export function parserBranches(functions, parsers) {
  /** @type {Map<string, { place: string, count: number }>} */
  const sides = new Map();
  for (const { name, filenames, branches } of functions) {
    if (!parsers.some((parser) => name.includes(parser))) continue;
    for (const [line = 0, column = 0, , , whenTrue = 0, whenFalse = 0, file = 0] of branches) {
      const place = `${filenames[file]}:${line}:${column}`;
      for (const [side, count] of /** @type {const} */ ([
        ['true', whenTrue],
        ['false', whenFalse],
      ])) {
        // Instances of one template, and copies of one inline function, count together.
        const key = `${place} ${side}`;
        const before = sides.get(key)?.count ?? 0;
        sides.set(key, { place: `${place} is never ${side}`, count: before + count });
      }
    }
  }
  const missing = [...sides.values()].filter(({ count }) => count === 0).map(({ place }) => place);
  return { total: sides.size, missing };
}

/**
 * @param {import('./targets.mjs').Target} target
 * @returns {Promise<{ total: number, missing: string[] }>}
 */
export async function coveredBranches(target) {
  const folder = join(buildFolder, 'profile');
  mkdirSync(join(root, folder), { recursive: true });
  const raw = join(folder, `${target.name}.profraw`);
  const data = join(folder, `${target.name}.profdata`);
  if (!existsSync(join(root, target.corpus))) return { total: 1, missing: ['there is no corpus'] };
  const env = { ...process.env, LLVM_PROFILE_FILE: raw };
  const quiet = { quiet: true };
  const executable = join(root, target.executable);
  const once = ['-runs=0', `-artifact_prefix=${folder}/`, target.corpus];
  await run(executable, once, { env, quiet: true });
  await run('llvm-profdata', ['merge', '-sparse', raw, '-o', data], quiet);
  const args = ['export', executable, `-instr-profile=${data}`];
  const { code, stdout, output } = await run('llvm-cov', args, quiet);
  if (code !== 0) throw new Error(`llvm-cov failed: ${output.slice(-2000)}`);
  return parserBranches(JSON.parse(stdout).data[0].functions, target.parsers);
}
