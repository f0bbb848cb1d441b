/**
 * The addon's faces for processes, signals and sweeps.
 *
 * Numbers that stand for success or failure are errnos: 0 is success. Non-goals: behaviour.
 */
import { loadAddon } from '../core/native.ts';

/** What the first argument of a warden's listener says. */
export const WardenEvent = { spawned: 1, exited: 2, halted: 3, gone: 4 } as const;

/** What a spawn was doing when it failed. */
export const SpawnStage = { none: 0, search: 1, create: 2, directory: 3, exec: 4 } as const;

/**
 * spawned: tag, pid, errno, stage; exited: tag, pid, code, signal; halted: how many are left;
 * gone: code, signal.
 */
export type WardenListener = (event: number, ...values: number[]) => void;

export type Stdio = 'inherit' | 'null' | number;

export interface NativeWarden {
  readonly pid: number;
  spawn(
    tag: number,
    program: string,
    directory: string,
    argv: readonly string[],
    env: readonly string[],
    stdio: readonly Stdio[],
    newGroup: boolean,
  ): number;
  signal(tag: number, signal: number): void;
  halt(graceMs: number): void;
  close(): void;
}

export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  /** As in /proc/PID/stat: R, S, D, T, Z. */
  readonly state: string;
  /** Clock ticks after boot; with the process id it is the process's identity. */
  readonly startTime: number;
  /** The kernel's name for it, at most 15 bytes. */
  readonly command: string;
}

export type SignalListener = (
  signal: number,
  fromKernel: number,
  sender: number,
  timeMs: number,
) => void;

export interface ProcessBinding {
  startWarden(
    executable: string,
    base: string,
    name: string,
    keepBase: boolean,
    listener: WardenListener,
  ): NativeWarden | number;
  /** Returns what ends the watch, or an errno. */
  watchSignals(signals: readonly number[], listener: SignalListener): (() => void) | number;
  becomeSubreaper(): number;
  /** Kills and reaps everything below this process; true when nothing is left. */
  sweepChildren(timeoutMs: number): boolean;
  /** Kills what carries the marker of a run; true when nothing is left. */
  sweepMarked(runId: string, timeoutMs: number): boolean;
  removeRunDirectory(base: string, name: string, keepBase: boolean): number;
  processStat(pid: number): ProcessStat | undefined;
  markedProcesses(runId: string): ProcessStat[];
  startedWith(pid: number, variable: string): string | undefined;
  /** Ends this process at once, without taking Node's environment apart. */
  endProcess(exitCode: number): never;
}

export function processBinding(): ProcessBinding {
  return loadAddon<ProcessBinding>();
}
