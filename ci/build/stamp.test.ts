/** When a build step is needed, and who waits for whom. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { root } from '../process.mjs';
import { digest, isCurrent, markCurrent, withBuildLock } from './stamp.mjs';

/** The functions know paths below the root only, so the test has a corner of `build`. */
const corner = `build/stamp-test-${process.pid}`;
const step = `stamp-test-${process.pid}`;
const input = `${corner}/input`;

beforeEach(() => {
  mkdirSync(join(root, corner), { recursive: true });
  writeFileSync(join(root, input), 'one');
});

afterEach(() => {
  rmSync(join(root, corner), { recursive: true });
  rmSync(join(root, 'build/stamps', step), { force: true });
});

it('a step is current until the content of an input changes [CNF-001]', () => {
  const inputs = digest([input], []);
  expect(isCurrent(step, inputs, [input])).toBe(false);
  markCurrent(step, inputs);
  expect(isCurrent(step, digest([input], []), [input])).toBe(true);
  writeFileSync(join(root, input), 'two');
  expect(isCurrent(step, digest([input], []), [input])).toBe(false);
});

it('a step whose output is gone is not current [CNF-001]', () => {
  const inputs = digest([input], []);
  markCurrent(step, inputs);
  expect(isCurrent(step, inputs, [`${corner}/gone`])).toBe(false);
});

it('the name of a file and a fact beside the files change the digest [CNF-001]', () => {
  writeFileSync(join(root, corner, 'other'), 'one');
  const digests = [digest([input], []), digest([`${corner}/other`], []), digest([input], ['x'])];
  expect(new Set(digests).size).toBe(3);
});

it('a second build waits until the first has ended [CNF-002]', async () => {
  const order: string[] = [];
  const first = withBuildLock(step, async () => {
    await new Promise((resume) => setTimeout(resume, 100));
    order.push('first');
  });
  const second = withBuildLock(step, async () => order.push('second'));
  await Promise.all([first, second]);
  expect(order).toEqual(['first', 'second']);
});

it('the lock of a build that died is taken over [CNF-002]', async () => {
  const { pid } = spawnSync('true');
  writeFileSync(join(root, 'build', `${step}.lock`), String(pid));
  expect(await withBuildLock(step, async () => 'built')).toBe('built');
});
