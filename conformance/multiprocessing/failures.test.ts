import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runDragon } from '../harness/dragon.ts';

const failing = fileURLToPath(new URL('./programs/failing.ts', import.meta.url));
const env = { DRAGON_DEFAULT_SEG_SZ: String(16 * 1024 * 1024) };

/** Runs the failing program both ways: what it printed, and how it ended when it did not catch. */
async function fail(
  kind: string,
): Promise<{ printed: string; code: number | null; error: string }> {
  const [caught, uncaught] = await Promise.all([
    runDragon([failing, kind, 'catch'], { env }),
    runDragon([failing, kind], { env }),
  ]);
  expect([caught.code, caught.stderr]).toEqual([0, '']);
  return { printed: caught.stdout, code: uncaught.code, error: uncaught.stderr };
}

describe('failures that a program can catch', () => {
  it('a pool that stays full [QUE-010]', async () => {
    const { printed, code, error } = await fail('full pool');
    expect(printed).toBe('OutOfMemoryError ERR_OUT_OF_MEMORY\n');
    expect(code).toBe(1);
    expect(error).toContain('failing.ts');
  });

  it('an item that never fits [QUE-023]', async () => {
    const { printed, code } = await fail('too large');
    expect(printed).toBe('OutOfMemoryError ERR_TOO_LARGE\n');
    expect(code).toBe(1);
  });

  it('an item that can not be serialised [QUE-021]', async () => {
    const { printed, code, error } = await fail('unserialisable item');
    expect(printed).toBe('SerializeError ERR_ENCODE\n');
    expect(code).toBe(1);
    expect(error).toContain('callback');
  });

  it('a target that is missing [PRO-003]', async () => {
    const { printed, code, error } = await fail('missing target');
    expect(printed).toBe('TaskNotFoundError ERR_TARGET_NOT_FOUND\n');
    expect(code).toBe(1);
    expect(error).toContain('no-such-module.ts');
  });

  it('a module that starts processes wherever it is loaded [PRO-027]', async () => {
    const unguarded = fileURLToPath(new URL('./programs/unguarded.ts', import.meta.url));
    const { code, hung, stderr } = await runDragon([unguarded]);
    expect(hung).toBe(false);
    expect(code).toBe(1);
    expect(stderr).toContain('if (isRoot()) await main()');
  });
});
