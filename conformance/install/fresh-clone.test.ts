/** A clone in which nothing is installed yet. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root, run } from '../../ci/process.mjs';

it('a run can begin before any package is installed [CNF-040]', async () => {
  const tree = mkdtempSync(join(tmpdir(), 'tree'));
  const filter = (path: string) => !path.includes('node_modules');
  cpSync(join(root, 'ci'), join(tree, 'ci'), { recursive: true, filter });
  const env = { ...process.env, DRAGON_SYSTEM_DEPS: '0' };
  const args = ['ci/run.mjs', 'system-deps'];
  const { code, output } = await run(process.execPath, args, { quiet: true, cwd: tree, env });
  rmSync(tree, { recursive: true });
  expect({ code, last: output.trim().split('\n').at(-1) }).toEqual({
    code: 0,
    last: '1 passed, 0 failed',
  });
});
