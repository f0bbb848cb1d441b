/** What the harness gives to every test file. */
import { statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';

it('a file has a temporary folder, a runtime base and a cache of its own [CNF-030]', () => {
  const folders = [tmpdir(), process.env['DRAGON_RUNTIME_BASE'], process.env['DRAGON_CACHE_DIR']];
  expect(new Set(folders).size).toBe(3);
  for (const folder of folders) expect(statSync(String(folder)).mode & 0o777).toBe(0o700);
});

it('the paths of unix sockets in the runtime base stay short enough [CNF-030]', () => {
  const longest = `${process.env['DRAGON_RUNTIME_BASE']}/r4194304-0123456789ab/broker.sock`;
  expect(longest.length).toBeLessThan(108);
});
