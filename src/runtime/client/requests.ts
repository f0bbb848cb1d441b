/**
 * Requests to global services and their answers, over channels.
 *
 * Each attachment has one reply channel. Answers are matched by tag; a blocking request that
 * reads another request's answer delivers it. The reply channel is watched only while an
 * awaited request is open, so an idle client does not keep its event loop alive.
 * Non-goals: what requests mean; that is runtime.ts.
 */
import {
  Channel,
  Lane,
  type Node,
  type Pool,
  type ReceiveHandle,
  type SendHandle,
  type WaitOptions,
  type WaitPlace,
} from '../../core/index.ts';
import {
  decodeMessage,
  encodeMessage,
  type GsReply,
  InvalidMessage,
  isReply,
  type Message,
  type Reply,
  type ReplyTo,
  type Request,
} from '../../services/messages/index.ts';
import { Status } from '../errors/codes.ts';
import { ClosedError, DragonError, errorFromStatus, TimeoutError } from '../errors/index.ts';

/** A request without what the client adds to it. */
export type Body<R extends Request> = Omit<R, 'tag' | 'puid' | 'actor' | 'replyTo'>;

/** The answer to a request; a refusal may come in the general form. */
export type AnswerTo<R extends Request> = ReplyTo[R['type']] | GsReply;

export interface RequestOptions extends WaitOptions {
  /**
   * When the caller gives up, the services are told so. This hears the answer if it comes
   * nevertheless, to undo what it granted.
   */
  readonly abandoned?: ((answer: Reply) => void) | undefined;
  /** Whether giving up waits for the answer before it is reported. */
  readonly settleAbandoned?: boolean;
}

/** A request whose answer is heard of without being awaited. */
export interface Asked {
  readonly place: WaitPlace;
  /** Gives up hearing of it. */
  end(): void;
}

interface Open {
  resolve(answer: Reply): void;
  reject(error: unknown): void;
}

const REPLY_CAPACITY = 64;
const REPLY_BLOCK_BYTES = 256;
/** How long a blocking caller that gives up waits for the answer that its cancelling brings. */
const ABANDON_PATIENCE_MS = 5000;
/** The longest time that a timer of the event loop can span; more is as good as for ever. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export class RequestLine {
  readonly #node: Node;
  readonly #puid: bigint;
  readonly #services: Channel;
  readonly #sender: SendHandle;
  readonly #channel: Channel;
  readonly #receiver: ReceiveHandle;
  readonly #replyTo: Uint8Array;
  #lastTag = 0;
  /** Requests that somebody awaits. */
  readonly #open = new Map<number, Open>();
  /** Those that nobody awaits, and who hears of the answer; it may have to be undone. */
  readonly #heard = new Map<number, (answer: Reply) => void>();
  #watch: AbortController | undefined;

  constructor(node: Node, pool: Pool, services: Channel, puid: bigint) {
    this.#node = node;
    this.#puid = puid;
    this.#services = services;
    this.#sender = services.openSender();
    this.#channel = Channel.create(pool, {
      capacity: REPLY_CAPACITY,
      blockBytes: REPLY_BLOCK_BYTES,
    });
    this.#receiver = this.#channel.openReceiver();
    this.#replyTo = this.#channel.serialize();
  }

  /** Asks and waits without blocking. An abort or time-out cancels the request. */
  async request<R extends Request>(
    body: Body<R>,
    options: RequestOptions = {},
  ): Promise<AnswerTo<R>> {
    const { signal, timeout } = options;
    signal?.throwIfAborted();
    const { tag, parts } = this.#compose(body);
    const deadlineMs = performance.now() + (timeout ?? Number.POSITIVE_INFINITY);
    try {
      // Most often there is room, and the request is on its way before this returns.
      if (!this.#sender.trySend(parts)) await this.#sender.send(parts, { signal, timeout });
    } catch (error) {
      throw this.#translate(error);
    }
    return (await this.#answer(tag, deadlineMs, options)) as AnswerTo<R>;
  }

  /** Asks and blocks the thread until the answer is there. */
  requestSync<R extends Request>(body: Body<R>, options: RequestOptions = {}): AnswerTo<R> {
    options.signal?.throwIfAborted();
    const { tag, parts } = this.#compose(body);
    const deadlineMs = performance.now() + (options.timeout ?? Number.POSITIVE_INFINITY);
    try {
      this.#sender.sendSync(parts, { timeout: deadlineMs - performance.now() });
    } catch (error) {
      throw this.#translate(error);
    }
    const answer = this.#receiveTagged(tag, deadlineMs);
    if (answer !== undefined) return answer as AnswerTo<R>;
    this.#cancel(tag);
    const late = options.settleAbandoned
      ? this.#receiveTagged(tag, performance.now() + ABANDON_PATIENCE_MS)
      : undefined;
    if (late !== undefined) options.abandoned?.(late);
    else if (options.abandoned !== undefined) this.#heard.set(tag, options.abandoned);
    throw new TimeoutError('a request to the services');
  }

  /**
   * Asks, and has `answered` called with what comes back: when this process next reads answers, as
   * `takeAnswers` does. `place` is where it is rung then.
   */
  ask<R extends Request>(body: Body<R>, answered: (answer: Reply) => void): Asked {
    const { tag, parts } = this.#compose(body);
    try {
      this.#sender.sendSync(parts);
    } catch (error) {
      throw this.#translate(error);
    }
    this.#heard.set(tag, answered);
    const end = (): void => {
      if (this.#heard.delete(tag)) this.#cancel(tag);
    };
    return { place: { object: this.#channel.native, lane: Lane.pollIn }, end };
  }

  /** Reads the answers that are there. */
  takeAnswers(): void {
    try {
      this.#drain();
    } catch (error) {
      throw this.#translate(error);
    }
  }

  /** Requests that are awaited now. */
  get open(): number {
    return this.#open.size;
  }

  /** Leaves the channels; requests that are open reject. */
  close(): void {
    this.#fail(new ClosedError('the runtime was left'));
    this.#watch?.abort();
    this.#receiver.close();
    this.#channel.close();
    this.#sender.close();
    this.#services.close();
  }

  #compose<R extends Request>(body: Body<R>): { tag: number; parts: Uint8Array[] } {
    do this.#lastTag = (this.#lastTag % (2 ** 32 - 1)) + 1;
    while (this.#open.has(this.#lastTag) || this.#heard.has(this.#lastTag));
    const tag = this.#lastTag;
    const header = { tag, puid: this.#puid, actor: this.#node.actorId, replyTo: this.#replyTo };
    return { tag, parts: encodeMessage({ ...body, ...header } as unknown as Message) };
  }

  /** The answer to a sent request, unless the caller gives up first. */
  #answer(tag: number, deadlineMs: number, options: RequestOptions): Promise<Reply> {
    const { signal, abandoned, settleAbandoned } = options;
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const stopWatching = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      const giveUp = (reason: unknown): void => {
        stopWatching();
        this.#cancel(tag);
        if (settleAbandoned) {
          const undo = (answer: Reply): void => {
            abandoned?.(answer);
            reject(reason);
          };
          this.#open.set(tag, { resolve: undo, reject });
          return;
        }
        if (abandoned !== undefined) this.#heard.set(tag, abandoned);
        this.#forget(tag);
        reject(reason);
      };
      const onAbort = (): void => giveUp(signal?.reason);
      const settleWith = <T>(settle: (value: T) => void) => {
        return (value: T): void => {
          stopWatching();
          settle(value);
        };
      };
      this.#open.set(tag, { resolve: settleWith(resolve), reject: settleWith(reject) });
      if (this.#watch === undefined) void this.#read();
      if (signal?.aborted) return onAbort();
      signal?.addEventListener('abort', onAbort, { once: true });
      const remainingMs = deadlineMs - performance.now();
      if (remainingMs > LONGEST_TIMER_MS) return;
      timer = setTimeout(
        () => giveUp(new TimeoutError('a request to the services')),
        Math.max(0, remainingMs),
      );
    });
  }

  #forget(tag: number): void {
    this.#open.delete(tag);
    if (this.#open.size === 0) this.#watch?.abort();
  }

  /** Reads answers until nobody awaits one. */
  async #read(): Promise<void> {
    while (this.#open.size > 0) {
      const watch = new AbortController();
      this.#watch = watch;
      try {
        this.#drain();
        if (this.#open.size > 0) await this.#channel.poll('in', { signal: watch.signal });
      } catch (error) {
        if (!watch.signal.aborted) this.#fail(error);
      }
    }
    this.#watch = undefined;
  }

  /** The reply channel is gone: nobody will be answered. */
  #fail(error: unknown): void {
    const waiting = [...this.#open.values()];
    this.#open.clear();
    for (const open of waiting) open.reject(this.#translate(error));
  }

  #drain(): void {
    for (;;) {
      const received = this.#receiver.tryReceive();
      if (received === undefined) return;
      const reply = readReply(received.bytes);
      if (reply !== undefined) this.#deliver(reply);
    }
  }

  /** Blocks until the answer to `tag` comes; answers to others are delivered. */
  #receiveTagged(tag: number, deadlineMs: number): Reply | undefined {
    for (;;) {
      const timeout = deadlineMs - performance.now();
      const arrived = this.#channel.pollSync('in', { timeout });
      const received = arrived ? this.#receiver.tryReceive() : undefined;
      if (received !== undefined) {
        const reply = readReply(received.bytes);
        if (reply?.ref === tag) return reply;
        if (reply !== undefined) this.#deliver(reply);
      } else if (timeout <= 0) {
        return undefined;
      }
    }
  }

  #deliver(reply: Reply): void {
    const open = this.#open.get(reply.ref);
    const hear = this.#heard.get(reply.ref);
    this.#heard.delete(reply.ref);
    this.#forget(reply.ref);
    if (open !== undefined) open.resolve(reply);
    else hear?.(reply);
  }

  /** Tells the services that nobody waits; at once, or as soon as there is room. */
  #cancel(cancelled: number): void {
    const puid = this.#puid;
    const actor = this.#node.actorId;
    const parts = encodeMessage({ type: 'GsCancel', puid, actor, cancelled });
    // If the services are gone, so is the request.
    this.#sender.send(parts).catch(() => undefined);
  }

  #translate(error: unknown): unknown {
    const gone = DragonError.is(error) && error.code === 'ERR_OBJECT_DESTROYED';
    return gone ? errorFromStatus(Status.RUNTIME_GONE, 'ask the services') : error;
  }
}

/** The reply in a frame; what is none can't be matched to anybody and is dropped. */
function readReply(bytes: Uint8Array): Reply | undefined {
  try {
    const message = decodeMessage(bytes);
    return isReply(message) ? message : undefined;
  } catch (error) {
    if (error instanceof InvalidMessage) return undefined;
    throw error;
  }
}
