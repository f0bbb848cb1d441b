/**
 * What local services need from whoever starts processes.
 *
 * Goals: local services can be tested with processes that do not exist.
 * Non-goals: no implementation; the launcher's warden is one.
 */

export interface SpawnRequest {
  /** Absolute path, or a name that is looked up in the PATH of `env`. */
  readonly exe: string;
  readonly args: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** A number is a descriptor of this process, which the new one gets a copy of. */
  readonly stdio: readonly ('inherit' | 'null' | number)[];
}

/** How a process ended: exactly one is present. */
export interface ExitStatus {
  readonly code?: number | undefined;
  readonly signal?: number | undefined;
}

export interface Spawner {
  /** Starts a process; rejects with an error whose message names the cause. */
  spawn(request: SpawnRequest): Promise<{ readonly pid: number }>;
  /** Sends a signal to a process that this spawner started and that has not ended. */
  signal(pid: number, signal: number): void;
}
