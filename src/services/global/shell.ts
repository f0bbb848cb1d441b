/**
 * The shell of global services: reads their channel and carries out their effects.
 *
 * Goals: thin; every decision is made in step.ts. Non-goals: it makes no channel and starts
 * no process; what it needs is given to it.
 */
import type { Channel, Node } from '../../core/index.ts';
import { Mailbox } from '../mail/mailbox.ts';
import { Outbox } from '../mail/outbox.ts';
import { ReplyChannels } from '../mail/reply-channels.ts';
import { Timers } from '../mail/timers.ts';
import {
  type Exit,
  type GlobalEffect,
  type GlobalEvent,
  type GlobalState,
  globalState,
  type LogLevel,
} from './state.ts';
import { step } from './step.ts';

export interface GlobalShellOptions {
  readonly node: Node;
  /** What global services read. */
  readonly channel: Channel;
  /** What the local services of each node read. */
  readonly localChannels: ReadonlyMap<number, Channel>;
  readonly log: (level: LogLevel, text: string) => void;
  readonly headExited: (exit: Exit) => void;
  readonly halted: () => void;
}

export class GlobalShell {
  readonly #options: GlobalShellOptions;
  readonly #state: GlobalState = globalState();
  readonly #mailbox: Mailbox;
  readonly #outboxes = new Map<number, Outbox>();
  readonly #replies: ReplyChannels;
  readonly #timers: Timers;

  constructor(options: GlobalShellOptions) {
    this.#options = options;
    const { node, channel, localChannels, log } = options;
    for (const [nodeId, local] of localChannels) {
      const failed = (error: unknown): void =>
        log('error', `the local services of node ${nodeId} can't be reached: ${String(error)}`);
      this.#outboxes.set(nodeId, new Outbox(local, failed));
    }
    this.#replies = new ReplyChannels(node, (error) =>
      log('debug', `an answer of global services was dropped: ${String(error)}`),
    );
    this.#timers = new Timers((id) => this.feed({ kind: 'timer', id }));
    this.#mailbox = new Mailbox(channel, {
      message: (message) => this.feed({ kind: 'message', message, nowMs: performance.now() }),
      unreadable: ({ message, sender }) => this.feed({ kind: 'unreadable', what: message, sender }),
      failed: (error) => log('error', `global services can't be reached: ${String(error)}`),
    });
  }

  feed(event: GlobalEvent): void {
    for (const effect of step(this.#state, event)) this.#carryOut(effect);
  }

  /** An actor has ended: nobody reads its reply channel any more. */
  actorEnded(actor: number): void {
    this.#replies.actorEnded(actor);
  }

  close(): void {
    this.#mailbox.close();
    this.#timers.close();
    this.#replies.close();
    for (const outbox of this.#outboxes.values()) outbox.close();
  }

  #carryOut(effect: GlobalEffect) {
    switch (effect.kind) {
      case 'reply':
        return this.#replies.send(effect.to, effect.message);
      case 'send':
        return this.#outboxes.get(effect.nodeId)?.send(effect.message);
      case 'timer':
        return this.#timers.set(effect.id, effect.atMs);
      case 'clear-timer':
        return this.#timers.clear(effect.id);
      case 'log':
        return this.#options.log(effect.level, `global services: ${effect.text}`);
      case 'head-exit':
        return this.#options.headExited(effect.exit);
      case 'halted':
        return this.#options.halted();
    }
  }
}
