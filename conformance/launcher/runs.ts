/**
 * Runs that last: started, watched and ended by tests that send signals.
 *
 * Goals: every run has a base and a mark of its own, so that what is left of it can be told
 * from everything else. Non-goals: programs that end by themselves (`harness/dragon.ts`).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { lookAround } from '../../ci/traces.mjs';
import { cleanEnvironment, dragonCommand } from '../harness/dragon.ts';
import { freshFolder } from './folders.ts';

export const lasting = fileURLToPath(new URL('fixtures/lasting.mjs', import.meta.url));
export const cycle = fileURLToPath(new URL('fixtures/cycle.ts', import.meta.url));
export const crew = fileURLToPath(new URL('fixtures/crew.ts', import.meta.url));
export const ending = fileURLToPath(new URL('fixtures/ending.mjs', import.meta.url));

let count = 0;
const open = new Set<LastingRun>();

// A test that has failed leaves its run; the warden ends it when the launcher is gone.
afterAll(() => {
  for (const run of open) run.child.kill('SIGKILL');
});

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class LastingRun {
  readonly child: ChildProcess;
  readonly base: string;
  readonly mark: string;
  readonly ended: Promise<Ended>;
  #stdout = '';
  stderr = '';

  constructor(words: readonly string[], options: { base?: string; command?: string[] } = {}) {
    this.base = options.base ?? join(freshFolder(), 'b');
    mkdirSync(this.base, { recursive: true, mode: 0o700 });
    this.mark = `DRAGON_TEST_RUN_MARK=${process.pid}-${++count}`;
    const [name = '', value] = this.mark.split('=');
    const [command = '', ...before] = options.command ?? [process.execPath, dragonCommand];
    this.child = spawn(command, [...before, ...words], {
      env: cleanEnvironment({ DRAGON_RUNTIME_BASE: this.base, [name]: value }),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.child.stdout?.on('data', (piece) => {
      this.#stdout += piece;
    });
    this.child.stderr?.on('data', (piece) => {
      this.stderr += piece;
    });
    open.add(this);
    this.ended = new Promise((resolve, reject) => {
      this.child.on('error', reject);
      this.child.on('exit', (code, signal) => {
        open.delete(this);
        resolve({ code, signal });
      });
    });
  }

  get stdout(): string {
    return this.#stdout;
  }

  /** Waits until standard output holds the text. */
  async shows(text: string, patienceMs = 10_000): Promise<void> {
    const ok = await eventually(() => this.#stdout.includes(text), patienceMs);
    if (!ok) throw new Error(`no "${text}" in: ${this.#stdout}\nstderr: ${this.stderr}`);
  }

  /** Process ids of the run's owners and head; a part that is not there yet is undefined. */
  parts(): { launcher: number; warden?: number; head?: number } {
    const launcher = this.child.pid ?? 0;
    const warden = childrenOf(launcher)[0];
    if (warden === undefined) return { launcher };
    const head = childrenOf(warden)[0];
    return head === undefined ? { launcher, warden } : { launcher, warden, head };
  }

  /** What there is of the run: processes with its mark, and directories in its base. */
  traces(): string[] {
    const { processes } = lookAround({ mark: this.mark, folders: [] });
    return [...processes, ...namesIn(this.base).map((name) => `directory ${name}`)];
  }

  /** Throws unless nothing is left within two seconds. */
  async leavesNothing(): Promise<void> {
    if (await eventually(() => this.traces().length === 0, 2000)) return;
    throw new Error(`left of the run:\n${this.traces().join('\n')}\nstderr: ${this.stderr}`);
  }
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1');
    return text.trim() === '' ? [] : text.trim().split(' ').map(Number);
  } catch {
    return [];
  }
}

export async function eventually(holds: () => boolean, patienceMs: number): Promise<boolean> {
  const deadline = performance.now() + patienceMs;
  while (!holds()) {
    if (performance.now() > deadline) return false;
    await sleep(5);
  }
  return true;
}
