/** Planting three defects of our own: one that is found, one that is not, one that is stale. */
import { expect, it } from 'vitest';
import { run } from '../process.mjs';

it('a defect is found by a red test that cites what it breaks [CNF-042] [CNF-043]', async () => {
  const args = ['ci/defects.mjs', '--folder', 'ci/defects/fixtures'];
  const { code, output } = await run(process.execPath, args, { quiet: true });
  expect(output).toMatch(/found {2}found\.patch/);
  expect(output).toMatch(/MISSED missed\.patch .*no red test cites CNF-015/);
  expect(output).toMatch(/MISSED stale\.patch .*does not apply/);
  expect(output).toContain('defects: 1 passed, 2 failed');
  expect(code).toBe(1);
});
