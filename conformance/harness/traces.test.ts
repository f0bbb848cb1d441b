/** The parts of the leak check that cannot be planted while other files run. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parentOf } from '../../ci/process.mjs';
import { difference, leftBehind, lookAround } from '../../ci/traces.mjs';

const nothing = { mark: 'DRAGON_TEST_MARK=of nobody', folders: [] };

it('an entry in shared memory is found by name [CNF-033]', async () => {
  const sharedMemory = mkdtempSync(join(tmpdir(), 'shm'));
  const watch = { ...nothing, sharedMemory };
  const before = lookAround(watch);
  writeFileSync(join(sharedMemory, 'sem.left'), '');
  const left = await leftBehind(before, watch, 0);
  expect(left).toEqual([`left in shared memory: ${sharedMemory}/sem.left`]);
  rmSync(sharedMemory, { recursive: true });
});

it('a second one of the same name counts [CNF-032]', () => {
  const before = { ...lookAround(nothing), descriptors: ['/a', '/b'] };
  const after = { ...before, descriptors: ['/b', '/a', '/a'] };
  expect(difference(before, after)).toEqual(['left open: /a']);
});

it('what was there before is not found [CNF-034]', () => {
  const folder = mkdtempSync(join(tmpdir(), 'old'));
  writeFileSync(join(folder, 'old'), '');
  const watch = { ...nothing, folders: [folder] };
  const before = lookAround(watch);
  mkdirSync(join(folder, 'new'));
  expect(difference(before, lookAround(watch))).toEqual([`left on disk: ${folder}/new`]);
  rmSync(folder, { recursive: true });
});

it('the parent of a process is read whatever the process is called [CNF-031]', () => {
  expect(parentOf(process.pid)).toBe(process.ppid);
});
