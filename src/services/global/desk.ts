/**
 * Global services on a desk: a test feeds requests and reads the effects.
 *
 * Used by tests only. It plays no local services; tests answer commands themselves.
 */
import type { Command, Event, Message, Reply, Request } from '../messages/index.ts';
import { type GlobalEffect, type GlobalEvent, type GlobalState, globalState } from './state.ts';
import { step } from './step.ts';

type Fields<R> = R extends Request ? Omit<R, 'tag' | 'puid' | 'actor' | 'replyTo'> : never;

export class Desk {
  readonly state: GlobalState;
  readonly replies: Reply[] = [];
  readonly sent: (Command | Event)[] = [];
  /** To which nodes. */
  readonly sentTo: number[] = [];
  readonly logs: string[] = [];
  readonly others: GlobalEffect[] = [];
  nowMs = 0;
  #tag = 0;

  constructor(options: { endedMax?: number; nodes?: number } = {}) {
    this.state = globalState(options);
    for (let nodeId = 0; nodeId < (options.nodes ?? 1); ++nodeId) {
      const node = { nodeId, hostId: 7n, hostname: `n${nodeId}`, cpus: 2, memoryBytes: 1n };
      this.tell({ type: 'LsNodeUp', node });
    }
    this.feed({ kind: 'head', pid: 100, nodeId: 0, label: 'MainProcess' });
  }

  feed(event: GlobalEvent): void {
    for (const effect of step(this.state, event)) {
      if (effect.kind === 'reply') this.replies.push(effect.message);
      else if (effect.kind === 'send') {
        this.sent.push(effect.message);
        this.sentTo.push(effect.nodeId);
      } else if (effect.kind === 'log') this.logs.push(`${effect.level}: ${effect.text}`);
      else this.others.push(effect);
    }
  }

  tell(message: Message): void {
    this.feed({ kind: 'message', message, nowMs: this.nowMs });
  }

  /** Sends a request and returns its tag. */
  ask(puid: bigint, body: Fields<Request>): number {
    const tag = ++this.#tag;
    const header = { tag, puid, actor: Number(puid % 1000n), replyTo: new Uint8Array(4) };
    this.tell({ ...body, ...header } as Request);
    return tag;
  }

  /** The answer to a request; throws unless there is exactly one. */
  answer<T extends Reply['type']>(tag: number, type: T): Extract<Reply, { type: T }> {
    const all = this.answers(tag);
    if (all.length !== 1 || all[0]?.type !== type) {
      throw new Error(`request ${tag} has the answers ${JSON.stringify(all.map((a) => a.type))}`);
    }
    return all[0] as Extract<Reply, { type: T }>;
  }

  answers(tag: number): Reply[] {
    return this.replies.filter(({ ref }) => ref === tag);
  }

  /** The newest message of a type that went to local services. */
  last<T extends (Command | Event)['type']>(type: T): Extract<Command | Event, { type: T }> {
    const found = this.sent.findLast((message) => message.type === type);
    if (found === undefined) throw new Error(`no ${type} was sent`);
    return found as Extract<Command | Event, { type: T }>;
  }

  /** Asks for a process and lets it start; returns its puid. */
  started(
    parent: bigint,
    options: { name?: string; daemon?: boolean; nodeId?: number } = {},
  ): bigint {
    const tag = this.ask(parent, creation(options));
    const command = this.last('LsProcessCreate');
    this.tell({ type: 'LsProcessCreated', ref: command.tag, err: 0, pid: 200 });
    return this.answer(tag, 'GsProcessCreateReply').puid ?? 0n;
  }

  exit(puid: bigint, exitCode = 0): void {
    this.tell({ type: 'LsProcessExit', puid, exitCode });
  }
}

export function creation(options: { name?: string; daemon?: boolean; nodeId?: number } = {}) {
  return {
    type: 'GsProcessCreate',
    label: 'a process',
    daemon: false,
    argv: [],
    env: ['PATH=/bin'],
    cwd: '/',
    stdio: ['inherit', 'inherit', 'inherit'],
    start: new Uint8Array(3),
    ...options,
  } as const;
}
