/**
 * Plants known defects, one at a time, and demands that a test finds each.
 *
 *     node ci/defects.mjs [--quick] [--folder FOLDER] [NAME_PART]...
 *
 * A defect is a patch in `conformance/defects`; the README.md there says how it looks. It is
 * applied to a scratch copy of the tree, which takes along what is built.
 *
 * Goals: a defect counts as found only when a test is red whose title cites the requirement;
 * a patch that no longer applies is a failure.
 * Non-goals: mutation by machine. Ten defects that people would make tell more.
 *
 * The last line is `defects: N passed, M failed`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readPatch } from './defects/patch.mjs';
import { plant } from './defects/plant.mjs';
import { root } from './process.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    folder: { type: 'string', default: 'conformance/defects' },
  },
});
const folder = resolve(root, values.folder);

/** @param {string} name */
function isSelected(name) {
  const isNamed = positionals.length === 0 || positionals.some((part) => name.includes(part));
  return name.endsWith('.patch') && isNamed;
}

/**
 * The reason why a defect counts as missed, undefined when it was found or not asked for.
 * @param {string} name
 */
async function judge(name) {
  const defect = readPatch(name, readFileSync(join(folder, name), 'utf8'));
  if (typeof defect === 'string') return { reason: defect };
  if (values.quick && !defect.isQuick) return undefined;
  return { reason: await plant(defect, join(folder, name)) };
}

let passed = 0;
let failed = 0;
for (const name of readdirSync(folder).filter(isSelected).sort()) {
  const startedAt = performance.now();
  const verdict = await judge(name);
  if (verdict === undefined) continue;
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  if (verdict.reason === undefined) {
    passed += 1;
    console.log(`  found  ${name} (${seconds} s)`);
  } else {
    failed += 1;
    console.log(`  MISSED ${name} (${seconds} s): ${verdict.reason}`);
  }
}
console.log(`defects: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
