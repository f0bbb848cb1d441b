/** Signals from processes and from a terminal. */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { cleanEnvironment, dragonCommand } from '../harness/dragon.ts';
import { need } from '../harness/needs.ts';
import { freshFolder } from './folders.ts';
import { eventually, LastingRun, lasting } from './runs.ts';

async function started(...words: string[]): Promise<LastingRun> {
  const run = new LastingRun([lasting, ...words]);
  await run.shows('up');
  return run;
}

describe('a signal to the launcher', () => {
  let slow: { run: LastingRun; endedAfterMs: Promise<number> };

  // Five seconds that the other tests of this file use.
  beforeAll(async () => {
    const run = await started('ignore=SIGTERM', 'family');
    const atMs = performance.now();
    run.child.kill('SIGTERM');
    slow = { run, endedAfterMs: run.ended.then(() => performance.now() - atMs) };
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)(
    '%s ends a head that does not catch it, exit code %i [LNC-020] [LNC-022]',
    async (name, code) => {
      const run = await started('family');
      run.child.kill(name);
      expect(await run.ended).toEqual({ code, signal: null });
      await run.leavesNothing();
      expect(run.stderr).toBe('');
    },
  );

  it('leaves a head that catches it to end as it likes [LNC-020] [LNC-022]', async () => {
    const first = await started('catch=SIGTERM:3');
    first.child.kill('SIGTERM');
    expect(await first.ended).toEqual({ code: 3, signal: null });
    expect(first.stdout).toBe('up\nSIGTERM\n');
    const second = await started('catch=SIGINT:0');
    second.child.kill('SIGINT');
    expect(await second.ended).toEqual({ code: 0, signal: null });
  });

  it('a second interrupt ends everything at once with 130 [LNC-021]', async () => {
    const run = await started('ignore=SIGINT', 'family');
    run.child.kill('SIGINT');
    await run.shows('SIGINT');
    await sleep(60);
    const atMs = performance.now();
    run.child.kill('SIGINT');
    expect(await run.ended).toEqual({ code: 130, signal: null });
    expect(performance.now() - atMs).toBeLessThan(1000);
    expect(run.stdout).toBe('up\nSIGINT\n');
    await run.leavesNothing();
  });

  it('at any moment of the start ends the run with its code [LNC-023]', async () => {
    for (const delayMs of [0, 20, 40, 50, 60, 70, 90]) {
      const run = new LastingRun([lasting, 'family']);
      await sleep(delayMs);
      run.child.kill('SIGTERM');
      const { code, signal } = await run.ended;
      // Before the launcher watches signals it ends by the signal itself.
      expect(signal === 'SIGTERM' || code === 143).toBe(true);
      await run.leavesNothing();
    }
  });

  it('after five seconds of SIGTERM everything is killed [LNC-022]', async () => {
    expect(await slow.endedAfterMs).toBeGreaterThan(4900);
    expect(await slow.run.ended).toEqual({ code: 143, signal: null });
    await slow.run.leavesNothing();
  });
});

/** `dragon` on a terminal of its own, as the foreground job of a session. */
class Terminal {
  readonly child;
  output = '';

  constructor(words: readonly string[]) {
    const base = join(freshFolder(), 'b');
    mkdirSync(base, { mode: 0o700 });
    const command = [process.execPath, dragonCommand, ...words].map((word) => `'${word}'`);
    this.child = spawn('script', ['-qefc', `exec ${command.join(' ')}`, '/dev/null'], {
      env: cleanEnvironment({ DRAGON_RUNTIME_BASE: base, SHELL: '/bin/sh', TERM: 'dumb' }),
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.child.stdout.on('data', (piece) => {
      this.output += piece;
    });
  }

  async shows(text: string): Promise<void> {
    if (await eventually(() => this.output.includes(text), 10_000)) return;
    throw new Error(`the terminal does not show "${text}": ${this.output}`);
  }

  press(keys: string): void {
    this.child.stdin.write(keys);
  }

  ended(): Promise<number | null> {
    return new Promise((resolve) => this.child.on('exit', resolve));
  }
}

const hasScript = await new Promise<boolean>((resolve) => {
  const probe = spawn('script', ['--version'], { stdio: 'ignore' });
  probe.on('error', () => resolve(false)).on('exit', (code) => resolve(code === 0));
});

const CTRL_C = '\x03';

describe('a terminal', () => {
  it('is the head to read from and write to [LNC-012]', async (context) => {
    need(context, 'the command script', hasScript);
    const terminal = new Terminal(['sh', '-c', 'test -t 0 && test -t 1 && read x && echo "<$x>"']);
    const ended = terminal.ended();
    terminal.press('typed\n');
    await terminal.shows('<typed>');
    expect(await ended).toBe(0);
  });

  it('sends one Ctrl-C to the head once, and the launcher waits [LNC-020]', async (context) => {
    need(context, 'the command script', hasScript);
    const terminal = new Terminal([lasting, 'ignore=SIGINT', 'catch=SIGUSR1:5']);
    const ended = terminal.ended();
    await terminal.shows('up');
    terminal.press(CTRL_C);
    await terminal.shows('SIGINT');
    await sleep(200);
    expect(terminal.output.split('SIGINT')).toHaveLength(2);
    expect(terminal.child.exitCode).toBeNull();
    terminal.press(CTRL_C);
    expect(await ended).toBe(130);
  });

  it('ends a head that does not catch Ctrl-C, exit code 130 [LNC-020]', async (context) => {
    need(context, 'the command script', hasScript);
    const terminal = new Terminal([lasting, 'family']);
    const ended = terminal.ended();
    await terminal.shows('up');
    terminal.press(CTRL_C);
    expect(await ended).toBe(130);
  });
});
