/** Folders of a test file, removed when it ends. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const made: string[] = [];

afterAll(() => {
  for (const path of made) rmSync(path, { recursive: true, force: true });
});

/** A new folder with mode 0700; the names are short, since sockets may be made below it. */
export function freshFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'l'));
  made.push(path);
  return path;
}
