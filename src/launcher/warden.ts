/**
 * The warden as the launcher and local services see it.
 *
 * Goals: a process is known here by the tag of its spawn, so that a signal never reaches a
 * process that got the same id later; ends are reported after starts. Non-goals: policy.
 */
import { constants } from 'node:os';
import { errorWithCode } from '../runtime/errors/index.ts';
import { errnoText, Failure } from './failure.ts';
import {
  type NativeWarden,
  processBinding,
  SpawnStage,
  type Stdio,
  WardenEvent,
} from './process-binding.ts';
import type { RuntimeBase } from './runtime-base.ts';

export interface WardenOptions {
  readonly executable: string;
  readonly base: RuntimeBase;
  readonly runId: string;
}

export interface WardenSpawn {
  readonly exe: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly stdio: readonly Stdio[];
  /** Stays in the launcher's process group, as the head does; others lead their own. */
  readonly inLaunchersGroup?: boolean;
}

/** Exactly one is present. */
export interface WardenExit {
  readonly code?: number;
  readonly signal?: number;
}

interface Pending {
  readonly request: WardenSpawn;
  resolve(started: { pid: number }): void;
  reject(error: Error): void;
}

export class Warden {
  readonly #native: NativeWarden;
  readonly #pending = new Map<number, Pending>();
  readonly #tagOfPid = new Map<number, number>();
  #nextTag = 1;
  #exited: (pid: number, exit: WardenExit) => void = () => undefined;
  #halted: (left: number) => void = () => undefined;
  #gone: (exit: WardenExit) => void = () => undefined;

  private constructor({ executable, base, runId }: WardenOptions) {
    const native = processBinding().startWarden(
      executable,
      base.path,
      runId,
      base.keep,
      (event, ...values) => this.#on(event, values),
    );
    if (typeof native === 'number') {
      const cause = errnoText(native);
      throw new Failure(`can't start ${executable}: ${cause}; build it with: npm rebuild`);
    }
    this.#native = native;
  }

  static start(options: WardenOptions): Warden {
    return new Warden(options);
  }

  get pid(): number {
    return this.#native.pid;
  }

  /** A process has ended. It is called after the promise of its spawn was settled. */
  onExit(callback: (pid: number, exit: WardenExit) => void): void {
    this.#exited = callback;
  }

  /** The halt is complete, with this many processes that even SIGKILL did not end. */
  onHalted(callback: (left: number) => void): void {
    this.#halted = callback;
  }

  /** The warden itself has ended. */
  onDeath(callback: (exit: WardenExit) => void): void {
    this.#gone = callback;
  }

  /** Rejects with a ProcessError that names the program, what failed and why. */
  spawn(request: WardenSpawn): Promise<{ readonly pid: number }> {
    const tag = this.#nextTag++;
    return new Promise((resolve, reject) => {
      const env = Object.entries(request.env).map(([name, value]) => `${name}=${value}`);
      const errno = this.#native.spawn(
        tag,
        request.exe,
        request.cwd,
        [request.exe, ...request.args],
        env,
        request.stdio,
        request.inLaunchersGroup !== true,
      );
      if (errno === 0) this.#pending.set(tag, { request, resolve, reject });
      else reject(spawnError(request, errno, SpawnStage.create));
    });
  }

  /** Reaches nobody if the process has ended. */
  signal(pid: number, signal: number): void {
    const tag = this.#tagOfPid.get(pid);
    if (tag !== undefined) this.#native.signal(tag, signal);
  }

  /** Ends everything below the warden, and then the warden. */
  halt(graceMs: number): void {
    this.#native.halt(graceMs);
  }

  close(): void {
    this.#native.close();
  }

  #on(event: number, [first = 0, second = 0, third = 0, fourth = 0]: readonly number[]) {
    switch (event) {
      case WardenEvent.spawned:
        return this.#spawned(first, second, third, fourth);
      case WardenEvent.exited:
        this.#tagOfPid.delete(second);
        // Whoever awaits the spawn learns of the start first.
        queueMicrotask(() => this.#exited(second, exitOf(third, fourth)));
        return;
      case WardenEvent.halted:
        return this.#halted(first);
      case WardenEvent.gone:
        this.#rejectPending();
        return this.#gone(exitOf(first, second));
      default:
        throw new Error(`unknown event ${event} of the warden`);
    }
  }

  #spawned(tag: number, pid: number, errno: number, stage: number) {
    const pending = this.#pending.get(tag);
    if (pending === undefined) return;
    this.#pending.delete(tag);
    if (errno !== 0) return pending.reject(spawnError(pending.request, errno, stage));
    this.#tagOfPid.set(pid, tag);
    pending.resolve({ pid });
  }

  #rejectPending(): void {
    for (const { request, reject } of this.#pending.values()) {
      reject(errorWithCode('ERR_PROCESS', `can't start ${request.exe}: the warden is gone`));
    }
    this.#pending.clear();
  }
}

function exitOf(code: number, signal: number): WardenExit {
  return signal === 0 ? { code } : { signal };
}

function spawnError({ exe, cwd }: WardenSpawn, errno: number, stage: number): Error {
  const cause =
    stage === SpawnStage.directory
      ? `can't enter ${cwd}: ${errnoText(errno)}`
      : stage === SpawnStage.search && errno === constants.errno.ENOENT
        ? 'it is not in PATH'
        : errnoText(errno);
  return errorWithCode('ERR_PROCESS', `can't start ${exe}: ${cause}`);
}
