/**
 * The processes that this one has started, and what becomes of them when it ends.
 *
 * When a process ends in order, its daemons are ended and all its children are joined first:
 * without blocking when its event loop has run empty, blocking when it exits on its own
 * account. A process that is killed does neither; the services end its daemons then.
 * Non-goals: processes that others have started.
 */
import type { ProcessExit } from '../../services/messages/index.ts';
import { endStage, whenEnding } from './ending.ts';
import type { Runtime } from './runtime.ts';

export interface Child {
  readonly puid: bigint;
  readonly pid: number;
  readonly label: string;
  readonly daemon: boolean;
}

const SIGTERM = 15;
const SIGKILL = 9;
/** How long a daemon may take to end on SIGTERM when its parent ends. */
const DAEMON_PATIENCE_MS = 1000;

export class Children {
  readonly #runtime: Runtime;
  readonly #alive = new Map<bigint, Child>();
  #joining = false;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  add(child: Child): void {
    if (this.#alive.size === 0 && !this.#joining) this.#joinBeforeEnd();
    this.#alive.set(child.puid, child);
  }

  /** Takes note of ends that an answer has told about. */
  noteExits(exits: readonly ProcessExit[]): void {
    for (const { puid, alive } of exits) if (!alive) this.#alive.delete(puid);
  }

  /** Those that have not ended, in order of their start. */
  async active(): Promise<Child[]> {
    const puids = [...this.#alive.keys()];
    if (puids.length > 0) await this.#runtime.processJoin({ puids, mode: 'all', timeout: 0 });
    return [...this.#alive.values()];
  }

  activeSync(): Child[] {
    const puids = [...this.#alive.keys()];
    if (puids.length > 0) this.#runtime.processJoinSync({ puids, mode: 'all', timeout: 0 });
    return [...this.#alive.values()];
  }

  #joinBeforeEnd(): void {
    this.#joining = true;
    process.on('beforeExit', () => {
      if (this.#alive.size === 0) return;
      endStage('before children');
      void this.#end();
    });
    whenEnding('children', () => {
      try {
        this.#endSync();
      } catch {
        // The services are gone, and the children with them.
      }
    });
  }

  #daemons(): Child[] {
    return [...this.#alive.values()].filter((child) => child.daemon);
  }

  /** A rejection here is the process's last word: an uncaught error. */
  async #end(): Promise<void> {
    for (const { puid } of this.#daemons()) await this.#runtime.processKill(puid, SIGTERM);
    const puids = this.#daemons().map((child) => child.puid);
    await this.#runtime.processJoin({ puids, mode: 'all', timeout: DAEMON_PATIENCE_MS });
    for (const { puid } of this.#daemons()) await this.#runtime.processKill(puid, SIGKILL);
    await this.#runtime.processJoin({ puids: [...this.#alive.keys()], mode: 'all' });
  }

  #endSync(): void {
    if (this.#alive.size === 0) return;
    for (const { puid } of this.#daemons()) this.#runtime.processKillSync(puid, SIGTERM);
    const puids = this.#daemons().map((child) => child.puid);
    this.#runtime.processJoinSync({ puids, mode: 'all', timeout: DAEMON_PATIENCE_MS });
    for (const { puid } of this.#daemons()) this.#runtime.processKillSync(puid, SIGKILL);
    this.#runtime.processJoinSync({ puids: [...this.#alive.keys()], mode: 'all' });
  }
}
