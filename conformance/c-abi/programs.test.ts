/** Programs in C and C++ on the node of a run. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { repository, runDragon } from '../harness/dragon.ts';
import { fixtures, headers, needCompiler, program, vectors } from './compile.ts';

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

it('messages are handed over as the two sides ask [CAB-015, CAB-016]', async (context) => {
  await needCompiler(context);
  expect(await calls('', 'delivery.c')).toEqual(fine);
}, 120_000);

it('handles have habits of their own, and may masquerade [CAB-021, CAB-022]', async (context) => {
  await needCompiler(context);
  expect(await calls('', 'handles.c')).toEqual(fine);
}, 120_000);

it('rw locks, conditions and broadcasts work from C [CAB-013, CAB-017]', async (context) => {
  await needCompiler(context);
  expect(await calls('', 'meetings.c')).toEqual(fine);
}, 120_000);

it('views, resize and the options of pools work from C [CAB-018, CAB-019]', async (context) => {
  await needCompiler(context);
  expect(await calls('', 'memory.c')).toEqual(fine);
}, 120_000);

it('every function of the library is called in some program [CAB-020]', () => {
  const names = readFileSync(join(vectors, 'symbols.txt'), 'utf8').trimEnd().split('\n');
  const texts = [fixtures, examples]
    .flatMap((place) => readdirSync(place).map((name) => join(place, name)))
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
  expect(names.filter((name) => !texts.includes(`${name}(`))).toEqual([]);
});

it('the release is that of the package [CAB-019]', () => {
  const header = readFileSync(join(headers, 'dragon/abi.h'), 'utf8');
  const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
  expect(header).toContain(`#define DRAGON_VERSION "${version}"`);
});

it('missing things do no harm [CAB-004, CAB-011, CAB-014]', async (context) => {
  await needCompiler(context);
  expect(await calls('rules')).toEqual(fine);
}, 120_000);
