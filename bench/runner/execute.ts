/**
 * Runs measuring programs, one at a time, each in a process group of its own.
 *
 * Goals: a program that fails, prints nothing or never ends costs one figure and leaves no
 * process behind; an interrupted run ends its program first.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { parseMeasurement } from './results.ts';
import type { Execute, Outcome, Program } from './types.ts';

export interface ExecutorOptions {
  readonly timeoutMs: number;
  readonly env: NodeJS.ProcessEnv;
  /** How long a program that was asked to end may take to do so. */
  readonly graceMs?: number;
}

export interface Executor {
  readonly execute: Execute;
  /** Ends the program that runs now, if any. */
  stop(): void;
}

/** Most characters of a failed program's standard error that a reason quotes. */
const QUOTE = 300;

export function createExecutor(options: ExecutorOptions): Executor {
  let running: ChildProcess | undefined;
  const graceMs = options.graceMs ?? 3000;
  return {
    execute: (program) =>
      new Promise((settle) => {
        const child = start(program, options.env);
        running = child;
        const output: Buffer[] = [];
        const errors: Buffer[] = [];
        child.stdout?.on('data', (chunk: Buffer) => output.push(chunk));
        child.stderr?.on('data', (chunk: Buffer) => errors.push(chunk));
        let timedOut = false;
        let killTimer: NodeJS.Timeout | undefined;
        const timer = setTimeout(() => {
          timedOut = true;
          signalGroup(child, 'SIGTERM');
          killTimer = setTimeout(() => signalGroup(child, 'SIGKILL'), graceMs);
        }, options.timeoutMs);
        const finish = (outcome: Outcome): void => {
          clearTimeout(timer);
          clearTimeout(killTimer);
          running = undefined;
          settle(outcome);
        };
        child.on('error', (error) => finish({ failed: error.message }));
        child.on('close', (code, signal) => {
          signalGroup(child, 'SIGKILL');
          if (timedOut) finish({ failed: `no result after ${options.timeoutMs / 1000} s` });
          else finish(outcomeOf(code, signal, text(output), text(errors)));
        });
      }),
    stop: () => {
      if (running !== undefined) signalGroup(running, 'SIGTERM');
    },
  };
}

function start(program: Program, env: NodeJS.ProcessEnv): ChildProcess {
  const [command, ...args] = program.argv;
  if (command === undefined) throw new Error('a program without a command');
  return spawn(command, args, {
    env: { ...env, ...program.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
}

function outcomeOf(
  code: number | null,
  signal: NodeJS.Signals | null,
  output: string,
  errors: string,
): Outcome {
  if (code !== 0) {
    const end = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
    const quote = errors.trim().slice(-QUOTE).replaceAll('\n', ' | ');
    return { failed: quote === '' ? end : `${end}: ${quote}` };
  }
  return parseMeasurement(output) ?? { failed: 'it printed no result line' };
}

function text(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString('utf8');
}

/** Signals the program and what it started; those that moved to another group are its own. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is empty: everybody has ended.
  }
}
