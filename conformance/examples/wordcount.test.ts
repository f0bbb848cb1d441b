import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dragonCommand, type RunOptions, repository, run, runDragon } from '../harness/dragon.ts';
import { countFiles, countTree } from './oracle.ts';
import { plantTraps, plantTree, type Traps } from './trees.ts';

const isFull = process.env['DRAGON_TEST_SIZE'] === 'full';
const files = isFull ? 20_000 : 400;
const bytes = isFull ? 500e6 : 8e6;
const seed = Number(process.env['DRAGON_TEST_SEED'] ?? 1);

const wordcount = resolve(repository, 'examples/wordcount.ts');
let folder = '';
let tree = '';
let expected = '';
let traps: Traps;
let trapRoot = '';

function count(args: readonly string[], options: RunOptions = {}) {
  return runDragon([wordcount, ...args], { timeoutMs: isFull ? 200_000 : 25_000, ...options });
}

/** Runs without the right to read what the modes of files forbid, which root has. */
function countAsAnybody(args: readonly string[]) {
  const command = [process.execPath, dragonCommand, wordcount, ...args];
  if (process.getuid?.() !== 0) return run(command[0] ?? '', command.slice(1));
  const drop = '-dac_override,-dac_read_search';
  return run('setpriv', [`--bounding-set=${drop}`, `--inh-caps=${drop}`, ...command]);
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'words-'));
  tree = join(folder, 'tree');
  plantTree(tree, files, bytes, seed);
  expected = countTree(tree, folder);
  trapRoot = join(folder, 'traps');
  mkdirSync(trapRoot);
  traps = await plantTraps(trapRoot);
}, 120_000);

afterAll(async () => {
  await traps.close();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

describe('wordcount', () => {
  it('counts as the tools of the shell do, in one process or many [EXM-001, EXM-005]', async () => {
    const parallel = await count([tree]);
    expect(parallel.stdout === expected).toBe(true);
    expect([parallel.code, parallel.stderr]).toEqual([0, '']);
    const sequential = await count(['--sequential', tree]);
    expect(sequential.stdout === expected).toBe(true);
    const many = await count(['--processes', '5', '--top', '7', tree]);
    expect(many.stdout).toBe(expected.split('\n').slice(0, 7).join('\n').concat('\n'));
  });

  it('counts the licences of the system [EXM-001]', async () => {
    const licences = '/usr/share/common-licenses';
    const root = existsSync(licences) ? licences : join(repository, 'spec');
    const { stdout, code } = await count([root]);
    expect(code).toBe(0);
    expect(stdout).toBe(countTree(root, folder));
  });

  it.each([['--processes', '2'], ['--sequential']])(
    'leaves out and reports what is no readable text, %s %s [EXM-002, EXM-003, EXM-004]',
    async (...options) => {
      const { code, stdout, stderr, hung } = await countAsAnybody([...options, trapRoot]);
      expect(hung).toBe(false);
      expect(stdout).toBe(countFiles(traps.texts, folder));
      for (const name of [...traps.skipped, ...traps.unreadable]) {
        expect(stderr).toContain(`wordcount: ${join(trapRoot, name)}: `);
      }
      expect(stderr.trim().split('\n')).toHaveLength(
        traps.skipped.length + traps.unreadable.length,
      );
      expect(code).toBe(1);
    },
  );

  it('ends with 0 when only binaries, FIFOs and the like were left out [EXM-003]', async () => {
    const quiet = join(folder, 'quiet');
    mkdirSync(quiet);
    writeFileSync(join(quiet, 'binary'), '\0');
    writeFileSync(join(quiet, 'text'), 'b a b');
    const { code, stdout, stderr } = await count([quiet]);
    expect([code, stdout]).toEqual([0, '2 b\n1 a\n']);
    expect(stderr).toMatch(/^wordcount: .*binary: skipped: a binary file\n$/);
  });

  it('reports a file that vanishes while it works [EXM-004]', async () => {
    const vanishing = join(folder, 'vanishing');
    plantTree(vanishing, 2000, 12e6, seed);
    await run('mkfifo', [join(vanishing, 'a fifo')]);
    const last = join(vanishing, 'zz last');
    writeFileSync(last, 'too late');
    const onStart: RunOptions['onStart'] = (child) => {
      child.stderr?.once('data', () => unlinkSync(last));
    };
    const { code, stderr, stdout } = await count([vanishing], { onStart });
    expect(stderr).toContain(`wordcount: ${last}: vanished`);
    expect(code).toBe(1);
    expect(stdout).toBe(countTree(vanishing, folder));
    const { code: missing } = await count([join(folder, 'nowhere')]);
    expect(missing).toBe(1);
  });

  it('shows how far it is on a terminal and nowhere else [EXM-006]', async () => {
    const out = join(folder, 'out');
    const command = `'${process.execPath}' '${dragonCommand}' '${wordcount}' '${tree}' > '${out}'`;
    const { stdout, code } = await run('script', ['-qec', command, '/dev/null'], {
      timeoutMs: isFull ? 200_000 : 25_000,
    });
    expect(code).toBe(0);
    const clearLine = '\r\u001b[K';
    expect(stdout.split(clearLine)[1]).toMatch(/^\d+ files, \d+ MiB$/);
    expect(stdout.endsWith(clearLine)).toBe(true);
    expect(readFileSync(out, 'latin1') === expected).toBe(true);
  });

  it('refuses wrong options [EXM-007]', async () => {
    for (const args of [[], ['--top', '0', tree], ['--nonsense', tree], [tree, tree]]) {
      const { code, stdout, stderr } = await count(args);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(/^wordcount: .+\nusage: wordcount\.ts .+\n$/);
    }
  });

  it('reads files whose names are no text [EXM-008]', async () => {
    const odd = join(folder, 'odd');
    mkdirSync(odd);
    const name = Buffer.concat([Buffer.from(`${odd}/`), Buffer.from([0x66, 0xff, 0xfe, 0x0a])]);
    writeFileSync(name, 'found');
    expect((await count([odd])).stdout).toBe('1 found\n');
    expect((await count(['--sequential', odd])).stdout).toBe('1 found\n');
  });

  it('ends quietly when its reader has seen enough [EXM-001]', async () => {
    const command = `'${process.execPath}' '${dragonCommand}' '${wordcount}' '${tree}' | head -1`;
    const { stdout, stderr } = await run('sh', ['-c', command], { timeoutMs: 200_000 });
    expect(stdout).toBe(`${expected.split('\n')[0]}\n`);
    expect(stderr).toBe('');
  });
});
