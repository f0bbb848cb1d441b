/** What counts as a failed native test. The executables are scripts that talk like doctest. */
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { root } from '../process.mjs';
import { runTest } from './execute.mjs';

const executable = join(tmpdir(), 'native-test');
const printed: string[] = [];

beforeEach(() => {
  printed.length = 0;
  vi.spyOn(console, 'log').mockImplementation((line: string) => {
    printed.push(line);
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  rmSync(executable);
});

async function execute(script: string, timeoutMs?: number) {
  writeFileSync(executable, `#!/bin/sh\n${script}\n`, { mode: 0o700 });
  const test = { source: '', variant: 'plain', name: 'a', executable: relative(root, executable) };
  return runTest(test, timeoutMs);
}

const summary = 'echo "[doctest] test cases: 3 | 3 passed | 0 failed | 0 skipped"';

it('the cases of a green executable are counted [CNF-041]', async () => {
  expect(await execute(summary)).toEqual({ passed: 3, failed: 0 });
});

it('red cases are counted, and the output is shown [CNF-041]', async () => {
  const script = 'echo "here"; echo "test cases: 3 | 1 passed | 2 failed |"; exit 1';
  expect(await execute(script)).toEqual({ passed: 1, failed: 2 });
  expect(printed.join('\n')).toContain('here');
});

it('a crash is a failure [CNF-041]', async () => {
  expect(await execute('kill -SEGV $$')).toEqual({ passed: 0, failed: 1 });
  expect(printed.join('\n')).toContain('exit 139');
});

it('a report that a sanitizer makes after the last case is a failure [CNF-041]', async () => {
  expect(await execute(`${summary}; echo "LeakSanitizer"; exit 23`)).toMatchObject({ failed: 1 });
});

it('a hang is a failure, and ends [CNF-041]', async () => {
  expect(await execute('sleep 60', 100)).toEqual({ passed: 0, failed: 1 });
  expect(printed.join('\n')).toContain('no end after 100 ms');
});

it('an executable that runs no case is a failure [CNF-041]', async () => {
  expect(await execute('exit 0')).toEqual({ passed: 0, failed: 1 });
});
