/** This process and its relatives. */
import { readlinkSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { WaitOptions } from '../core/index.ts';
import { getRuntime, identity, inherited, type ParentIdentity } from '../runtime/client/index.ts';
import { Process } from './process.ts';

/** The running process. */
export class CurrentProcess {
  readonly name: string;
  readonly pid: number;
  /** The id in the run; 0 outside a runtime. */
  readonly puid: bigint;
  readonly daemon: boolean;

  /** @internal Use `currentProcess()`. */
  constructor() {
    const { label, puid, daemon } = identity();
    [this.name, this.pid, this.puid, this.daemon] = [label, process.pid, puid, daemon];
  }

  /** It has not ended. */
  get exitCode(): null {
    return null;
  }

  isAlive(): true {
    return true;
  }

  /** The key that it hands on to the processes that it starts; the same all over the run. */
  get authkey(): Uint8Array {
    return Buffer.from(inherited().authkey, 'base64');
  }

  set authkey(key: Uint8Array) {
    if (!(key instanceof Uint8Array)) throw new TypeError('authkey is a Uint8Array');
    inherited().authkey = Buffer.from(key).toString('base64');
  }
}

/** The process that started this one. */
export class ParentProcess {
  readonly name: string;
  readonly pid: number;
  readonly puid: bigint;

  /** @internal Use `parentProcess()`. */
  constructor({ label, pid, puid }: ParentIdentity) {
    this.name = label;
    this.pid = pid;
    this.puid = puid;
  }

  /** Waits for its end: true, or false after `timeout` ms. */
  async join({ timeout, signal }: WaitOptions = {}): Promise<boolean> {
    const puids = [this.puid];
    return (await getRuntime().processJoin({ puids, mode: 'all', timeout, signal })).done;
  }

  /** As `join`; blocks the thread. */
  joinSync({ timeout, signal }: WaitOptions = {}): boolean {
    return getRuntime().processJoinSync({ puids: [this.puid], mode: 'all', timeout, signal }).done;
  }

  isAlive(): boolean {
    return !this.joinSync({ timeout: 0 });
  }
}

/** Describes the running process. */
export function currentProcess(): CurrentProcess {
  return new CurrentProcess();
}

/** The process that started this one; undefined in the head. */
export function parentProcess(): ParentProcess | undefined {
  const { parent } = identity();
  return parent === undefined ? undefined : new ParentProcess(parent);
}

/** The processes that this one has started and that have not ended. */
export async function activeChildren(): Promise<Process[]> {
  const children = await getRuntime().children.active();
  return Process.amongLiving(children.map((child) => child.puid));
}

/** As `activeChildren`; blocks the thread. */
export function activeChildrenSync(): Process[] {
  const children = getRuntime().children.activeSync();
  return Process.amongLiving(children.map((child) => child.puid));
}

/** The number of cores that this process may use. */
export function cpuCount(): number {
  return availableParallelism();
}

/** The operating system's id of the running thread. */
export function nativeThreadId(): number {
  return Number(readlinkSync('/proc/thread-self').split('/').at(-1));
}
