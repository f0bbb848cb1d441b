/**
 * The shell of local services: reads their channel and carries out their effects.
 *
 * Goals: thin; every decision is made in step.ts. It makes the start channel of each new
 * process and composes its environment. Non-goals: it starts no process itself; that is the
 * spawner's work.
 */
import { Channel, type Node, type Pool } from '../../core/index.ts';
import { Variable } from '../../runtime/bootstrap/environment.ts';
import { Status } from '../../runtime/errors/codes.ts';
import { DragonError, errorTable } from '../../runtime/errors/index.ts';
import type { LogLevel } from '../global/state.ts';
import { Mailbox } from '../mail/mailbox.ts';
import { Outbox } from '../mail/outbox.ts';
import { Timers } from '../mail/timers.ts';
import { startEnvironment } from './interpreter.ts';
import type { ExitStatus, Spawner, SpawnRequest } from './spawner.ts';
import {
  type LocalEffect,
  type LocalEvent,
  type LocalState,
  localState,
  type SpawnEffect,
} from './state.ts';
import { step } from './step.ts';
import { openStreams, type Streams } from './streams.ts';

/** How a process that runs a target function is started. */
export interface StartedProgram {
  /** The interpreter. */
  readonly exe: string;
  /** Its flags before those of a request. */
  readonly flags: readonly string[];
  /** The file that receives the target and runs it. */
  readonly entry: string;
}

export interface LocalShellOptions {
  readonly node: Node;
  readonly nodeId: number;
  /** What local services read. */
  readonly channel: Channel;
  /** What global services read. */
  readonly globalChannel: Channel;
  /** Where start channels are made. */
  readonly pool: Pool;
  readonly spawner: Spawner;
  readonly program: StartedProgram;
  /** Variables of the run, set in every process. */
  readonly environment: Readonly<Record<string, string>>;
  readonly log: (level: LogLevel, text: string) => void;
  readonly actorEnded: (actorId: number) => void;
}

export class LocalShell {
  readonly #options: LocalShellOptions;
  readonly #state: LocalState;
  readonly #mailbox: Mailbox;
  readonly #outbox: Outbox;
  readonly #timers: Timers;
  /** Start channels that a new process has not emptied, by the process. */
  readonly #starts = new Map<bigint, Channel>();

  constructor(options: LocalShellOptions) {
    this.#options = options;
    const { nodeId, channel, globalChannel, log } = options;
    this.#state = localState(nodeId);
    this.#outbox = new Outbox(globalChannel, (error) =>
      log('error', `global services can't be reached: ${String(error)}`),
    );
    this.#timers = new Timers((id) => this.feed({ kind: 'timer', id, nowMs: performance.now() }));
    this.#mailbox = new Mailbox(channel, {
      message: (message) => this.feed({ kind: 'message', message, nowMs: performance.now() }),
      unreadable: ({ message, sender }) => this.feed({ kind: 'unreadable', what: message, sender }),
      failed: (error) => log('error', `local services can't be reached: ${String(error)}`),
    });
  }

  feed(event: LocalEvent): void {
    for (const effect of step(this.#state, event)) this.#carryOut(effect);
  }

  /** A process has ended: first what it had sent is read, then its end is. */
  exited(pid: number, status: ExitStatus): void {
    this.#mailbox.drain();
    this.feed({ kind: 'exit', pid, status });
  }

  close(): void {
    this.#mailbox.close();
    this.#outbox.close();
    this.#timers.close();
    for (const puid of [...this.#starts.keys()]) this.#endStart(puid);
  }

  #carryOut(effect: LocalEffect) {
    switch (effect.kind) {
      case 'send':
        return this.#outbox.send(effect.message);
      case 'spawn':
        void this.#spawn(effect);
        break;
      case 'end-start':
        return this.#endStart(effect.puid);
      case 'signal':
        return this.#options.spawner.signal(effect.pid, effect.signal);
      case 'reclaim':
        return this.#reclaim(effect.actorId);
      case 'timer':
        return this.#timers.set(effect.id, effect.atMs);
      case 'clear-timer':
        return this.#timers.clear(effect.id);
      case 'log':
        return this.#options.log(effect.level, `local services: ${effect.text}`);
    }
  }

  #reclaim(actorId: number): void {
    const { node, log, actorEnded } = this.#options;
    try {
      const { allocations, slots, records, locks } = node.reclaim(actorId);
      const what = `${allocations} allocations, ${slots} slots, ${records} records, ${locks} locks`;
      log('debug', `local services: took back from actor ${actorId}: ${what}`);
    } catch (error) {
      log('error', `local services: reclaiming from actor ${actorId} failed: ${String(error)}`);
    }
    actorEnded(actorId);
  }

  async #spawn(effect: SpawnEffect): Promise<void> {
    const { puid } = effect;
    let streams: Streams | undefined;
    try {
      const start = effect.start === undefined ? undefined : this.#deposit(puid, effect.start);
      streams = openStreams(effect.stdio);
      const request = this.#request(effect, streams.stdio, start);
      const { pid } = await this.#options.spawner.spawn(request);
      this.feed({ kind: 'spawned', puid, pid });
    } catch (error) {
      const { status, info } = failureOf(error);
      this.feed({ kind: 'spawn-failed', puid, status, info });
    } finally {
      streams?.close();
    }
  }

  /** Makes the start channel with what the new process is to find in it. */
  #deposit(puid: bigint, start: Uint8Array): Uint8Array {
    const channel = Channel.create(this.#options.pool, { capacity: 1 });
    this.#starts.set(puid, channel);
    const sender = channel.openSender();
    sender.sendSync(start, { timeout: 0 });
    sender.close();
    return channel.serialize();
  }

  #endStart(puid: bigint): void {
    const channel = this.#starts.get(puid);
    if (channel === undefined) return;
    this.#starts.delete(puid);
    channel.close();
  }

  #request(
    effect: SpawnEffect,
    stdio: Streams['stdio'],
    start: Uint8Array | undefined,
  ): SpawnRequest {
    const { environment, program } = this.#options;
    const env: Record<string, string> = {};
    for (const entry of effect.env) {
      const at = entry.indexOf('=');
      if (at > 0) env[entry.slice(0, at)] = entry.slice(at + 1);
    }
    Object.assign(env, environment, {
      [Variable.puid]: String(effect.puid),
      [Variable.role]: 'process',
    });
    if (start !== undefined) env[Variable.start] = Buffer.from(start).toString('base64');
    const { cwd, argv, interpreter = program.exe } = effect;
    if (effect.exe !== undefined) return { exe: effect.exe, args: argv, env, cwd, stdio };
    const flags = [...program.flags, ...argv];
    const args = [...flags, program.entry];
    const atStart = startEnvironment({ exe: interpreter, flags, env });
    return { exe: interpreter, args, env: atStart, cwd, stdio };
  }
}

function failureOf(error: unknown): { status: number; info: string } {
  const info = error instanceof Error ? error.message : String(error);
  const known = DragonError.is(error) ? errorTable.findIndex((e) => e.code === error.code) : -1;
  return { status: known > 0 ? known : Status.PROCESS, info };
}
