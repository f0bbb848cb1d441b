/**
 * Plants known defects and demands that a test finds each.
 *
 *     node ci/defects.mjs [--quick] [--check] [--folder FOLDER] [NAME_PART]...
 *
 * A defect is a patch in `conformance/defects`; the README.md there says how it looks. Each is
 * applied to a scratch copy of the tree of its own, which takes along what is built.
 *
 * Goals: a defect counts as found only when a test is red whose title cites the requirement;
 * a patch that no longer applies is a failure, and `--check` looks for no more than that.
 * Non-goals: mutation by machine. Ten defects that people would make tell more.
 *
 * The last line is `defects: N passed, M failed`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { apply } from './defects/apply.mjs';
import { readPatch } from './defects/patch.mjs';
import { plant } from './defects/plant.mjs';
import { mapLimited, parallelism, root } from './process.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
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
  const path = join(folder, name);
  const defect = readPatch(name, readFileSync(path, 'utf8'));
  if (typeof defect === 'string') return { reason: defect };
  if (values.quick && !defect.isQuick) return undefined;
  if (!values.check) return { reason: await plant(defect, path) };
  const refusal = await apply(root, path, { isTrial: true });
  return { reason: refusal === undefined ? undefined : `does not apply:\n${refusal}` };
}

let passed = 0;
let failed = 0;
const names = readdirSync(folder).filter(isSelected).sort();
await mapLimited(names, parallelism, async (name) => {
  const startedAt = performance.now();
  const verdict = await judge(name);
  if (verdict === undefined) return;
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  if (verdict.reason === undefined) {
    passed += 1;
    console.log(`  ${values.check ? 'fits ' : 'found'}  ${name} (${seconds} s)`);
  } else {
    failed += 1;
    console.log(`  MISSED ${name} (${seconds} s): ${verdict.reason}`);
  }
});
console.log(`defects: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
