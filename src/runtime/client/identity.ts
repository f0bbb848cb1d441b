/**
 * Who this process is in its run, as far as it has been told.
 *
 * The head and executables know only their id; a started process learns the rest from its
 * start channel. Non-goals: nothing is asked and nothing attached here.
 */
import { environment } from '../bootstrap/environment.ts';

/** What a process knows of its parent. */
export interface ParentIdentity {
  readonly puid: bigint;
  readonly pid: number;
  readonly label: string;
}

export interface ProcessIdentity {
  /** 0 outside a runtime. */
  readonly puid: bigint;
  readonly label: string;
  readonly daemon: boolean;
  readonly parent: ParentIdentity | undefined;
}

const HEAD_LABEL = 'MainProcess';

let told: ProcessIdentity | undefined;

/** Enters what the start channel tells; called once, before the target is called. */
export function setIdentity(identity: ProcessIdentity): void {
  told = identity;
}

export function identity(): ProcessIdentity {
  told ??= {
    puid: environment().puid ?? 0n,
    label: HEAD_LABEL,
    daemon: false,
    parent: undefined,
  };
  return told;
}

let loading = false;

/** Set while a started process loads its target, before it is told to have started. */
export function setLoadingTarget(on: boolean): void {
  loading = on;
}

/**
 * Whether the module of this process's target is being loaded. What starts processes then would
 * do so in every process of the program.
 */
export function isLoadingTarget(): boolean {
  return loading;
}

/** Whether this process was started by the launcher, or by no runtime at all. */
export function isRoot(): boolean {
  return environment().role !== 'process';
}
