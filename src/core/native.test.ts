import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from './native.ts';

const root = packageRoot();
let dir = '';

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'core-'));
});

afterAll(() => {
  rmSync(dir, { recursive: true });
});

/** Runs a module that has imported the built core of the package in `from` as `core`. */
function runWithCore(from: string, text: string) {
  const url = pathToFileURL(join(from, 'dist', 'core', 'index.js')).href;
  const module = `const core = await import(${JSON.stringify(url)});\n${text}`;
  const options = { encoding: 'utf8', timeout: 10_000 } as const;
  return spawnSync(process.execPath, ['--input-type=module', '-e', module], options);
}

/** A node in a directory of its own below `dir`, with a channel open at both ends. */
const openPair = (name: string): string => `
  const dir = ${JSON.stringify(join(dir, name))};
  (await import('node:fs')).mkdirSync(dir, { mode: 0o700 });
  const node = core.Node.create({ dir });
  const channel = core.Channel.create(core.Pool.create(node));
  const sender = channel.openSender();
  const receiver = channel.openReceiver();`;

describe('the event loop of a process', () => {
  it('ends with a node but no pending wait, and stays for one [WAI-004]', () => {
    const idle = runWithCore(root, `${openPair('idle')} console.log('open');`);
    expect(idle).toMatchObject({ status: 0, stdout: 'open\n' });
    const waiting = runWithCore(
      root,
      `${openPair('waiting')}
      receiver.receive().then(({ bytes }) => console.log('got', bytes[0]));
      setTimeout(() => sender.sendSync(Uint8Array.of(9)), 30).unref();`,
    );
    expect(waiting).toMatchObject({ status: 0, stdout: 'got 9\n' });
  });
});

describe('the addon', () => {
  it('that is missing is one line that names the command to run [WAI-011]', () => {
    const copy = join(dir, 'copy');
    cpSync(join(root, 'dist'), join(copy, 'dist'), { recursive: true });
    writeFileSync(join(copy, 'package.json'), '{"type":"module"}');
    const { stdout } = runWithCore(
      copy,
      `try { core.Node.attach('/nowhere'); } catch ({ code, message }) {
        console.log(code); console.log(message); }`,
    );
    const lines = stdout.trim().split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toBe('ERR_NATIVE_MISSING');
    expect(lines[1]).toContain('npm rebuild');
  });
});
