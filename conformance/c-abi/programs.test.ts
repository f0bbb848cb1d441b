/** Programs in C and C++ on the node of a run. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { repository, runDragon } from '../harness/dragon.ts';
import { fixtures, needCompiler, program } from './compile.ts';

const examples = resolve(repository, 'examples/c');
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'c-abi-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('C, C++ and TypeScript share a pool, a lock and a channel [CAB-010]', async (context) => {
  await needCompiler(context);
  const inC = await program(join(examples, 'count.c'), folder, 'count');
  const inCpp = await program(join(examples, 'count.cpp'), folder, 'count++');
  const share = join(examples, 'share.ts');
  const { code, stdout, stderr } = await runDragon([share, inC, inCpp], { timeoutMs: 60_000 });
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout.split('\n').slice(0, 2).sort()).toEqual(['C added 1000', 'C++ added 1000']);
  expect(stdout.split('\n')[2]).toBe('the number is 3000');
}, 120_000);

/** Runs the fixture as the head of a run. */
async function calls(part: string, fixture = 'calls.c') {
  const path = await program(join(fixtures, fixture), folder, 'calls');
  const head = join(folder, 'head.sh');
  writeFileSync(head, `#!/bin/sh\nexec '${path}' "$DRAGON_RUNTIME_DIR" ${part}\n`, { mode: 0o755 });
  const { code, stdout, stderr } = await runDragon([head]);
  return { code, stdout, stderr };
}

const fine = { code: 0, stdout: '0 failures\n', stderr: '' };

it('each kind of object works from C [CAB-005, CAB-012, CAB-013]', async (context) => {
  await needCompiler(context);
  expect(await calls('objects')).toEqual(fine);
}, 120_000);

it('queues work from C [CAB-013, CH-070, CH-071]', async (context) => {
  await needCompiler(context);
  expect(await calls('', 'queues.c')).toEqual(fine);
}, 120_000);

it('missing things do no harm [CAB-004, CAB-011, CAB-014]', async (context) => {
  await needCompiler(context);
  expect(await calls('rules')).toEqual(fine);
}, 120_000);
