import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPair, runWithCore } from './child.fixture.ts';
import { packageRoot } from './native.ts';

const root = packageRoot();
let dir = '';

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'core-'));
});

afterAll(() => {
  rmSync(dir, { recursive: true });
});

describe('the event loop of a process', () => {
  it('ends with a node but no pending wait, and stays for one [WAI-004]', () => {
    const idle = runWithCore(root, `${openPair(join(dir, 'idle'))} console.log('open');`);
    expect(idle).toMatchObject({ status: 0, stdout: 'open\n' });
    const ended = runWithCore(
      root,
      `${openPair(join(dir, 'ended'))}
      await receiver.receive({ timeout: 1 }).catch(() => undefined);
      const wait = receiver.receive();
      sender.sendSync(Uint8Array.of(9));
      await wait;
      console.log('over');`,
    );
    expect(ended).toMatchObject({ status: 0, stdout: 'over\n' });
    const waiting = runWithCore(
      root,
      `${openPair(join(dir, 'waiting'))}
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
