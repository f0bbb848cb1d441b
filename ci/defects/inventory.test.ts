/** The defects that are committed: how many, and whether each can be planted. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root, run } from '../process.mjs';
import { type Defect, readPatch } from './patch.mjs';

const folder = join(root, 'conformance/defects');

/** The parts of the native core and its faces, of which each has ten defects at least. */
const core: readonly string[] = ['sync', 'memory', 'channel', 'event', 'c-abi', 'core'];

function defects(): Defect[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.patch'));
  return names.map((name) => {
    const defect = readPatch(name, readFileSync(join(folder, name), 'utf8'));
    if (typeof defect === 'string') throw new Error(`${name}: ${defect}`);
    return defect;
  });
}

/** What the name begins with: `c-abi` is the one part whose name is of two words. */
function partOf({ name }: Defect): string {
  return /^(c-abi|[a-z]+)-/.exec(name)?.[1] ?? name;
}

it('each part of the core has ten defects, and the list counts all of them [CNF-054]', () => {
  const byPart = grouped(defects());
  const lines = [...byPart].sort().map(([part, list]) => {
    const quick = list.filter(({ isQuick }) => isQuick).length;
    return `| ${part} | ${list.length} | ${quick} |`;
  });
  const table = ['| part | defects | quick |', '|---|---|---|', ...lines, ''].join('\n');
  expect(readFileSync(join(folder, 'README.md'), 'utf8')).toContain(table);
  expect(core.filter((part) => (byPart.get(part)?.length ?? 0) < 10)).toEqual([]);
});

function grouped(list: readonly Defect[]): Map<string, Defect[]> {
  const map = new Map<string, Defect[]>();
  for (const defect of list) map.set(partOf(defect), [...(map.get(partOf(defect)) ?? []), defect]);
  return map;
}

it('each defect can be planted in the tree as it is [CNF-055]', async () => {
  const { code, output } = await run(process.execPath, ['ci/defects.mjs', '--check'], {
    quiet: true,
  });
  expect([code, output]).toEqual([0, expect.stringContaining(', 0 failed')]);
});
