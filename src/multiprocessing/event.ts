/**
 * Events: a flag that processes set, clear and wait for.
 *
 * Goals: a set releases everybody who waits then, also if it is cleared at once. Nobody holds an
 * event, so the death of a process leaves it as it is.
 */
import { inspect } from 'node:util';
import { registerHandle } from '../codec/index.ts';
import { Event as CoreEvent, type WaitOptions } from '../core/index.ts';
import { getRuntime } from '../runtime/client/index.ts';
import { takeOver } from './lent.ts';
import { SharedObject } from './shared-object.ts';
import { type Watch, waitable } from './waitable.ts';

/**
 * An event that processes share. Pass it in `args`, through a queue or a connection.
 *
 * @example
 * import { Event } from 'dragon-runtime/multiprocessing';
 * const event = new Event();
 * console.log(await event.wait({ timeout: 1 })); // false
 * event.set();
 * console.log(await event.wait(), event); // true Event { set }
 */
export class Event extends SharedObject<CoreEvent> {
  #signal: AbortSignal | undefined;

  /** Makes an event, not set, in the node's default pool. Throws ERR_NO_RUNTIME outside one. */
  constructor();
  /** @internal */
  constructor(made?: CoreEvent);
  constructor(made?: CoreEvent) {
    super(made ?? CoreEvent.create(getRuntime().pool), 'event');
  }

  /** Sets the flag and releases everybody who waits, also if it is cleared at once. */
  set(): void {
    this.core.set();
  }

  clear(): void {
    this.core.clear();
  }

  isSet(): boolean {
    return this.core.isSet;
  }

  /**
   * True once the event is or has been set, or false after `timeout` ms. Rejects with the signal's
   * reason.
   */
  async wait(options?: WaitOptions): Promise<boolean> {
    return await this.core.wait(options);
  }

  /** As `wait`; blocks the thread. */
  waitSync(options?: WaitOptions): boolean {
    return this.core.waitSync(options);
  }

  /**
   * A signal that aborts when the event is set, with an AbortError; it is aborted already while
   * the event is set. It keeps no process alive, and never aborts once the event is closed here.
   */
  toAbortSignal(): AbortSignal {
    if (this.core.isSet) return AbortSignal.abort();
    if (this.#signal === undefined || this.#signal.aborted) {
      const controller = new AbortController();
      this.#signal = controller.signal;
      const set = this.core.wait({ ref: false });
      // It ends otherwise when the event is closed or destroyed, after which nobody can set it.
      set.then(
        () => controller.abort(),
        () => undefined,
      );
    }
    return this.#signal;
  }

  /** For `wait`: it is ready while it is set. */
  [waitable](): Watch {
    return { isReady: () => this.isSet(), places: [{ object: this.core.native, lane: 0 }] };
  }

  [inspect.custom](): string {
    return `Event { ${this.closed ? 'closed' : this.isSet() ? 'set' : 'unset'} }`;
  }

  /** @internal What passing an event to another process sends. */
  static lend(event: Event): { descriptor: Uint8Array; cancel(): void } {
    return event.core.lend();
  }

  /** @internal */
  static revive(bytes: Uint8Array): Event {
    const { node } = getRuntime();
    return new Event(takeOver((how) => CoreEvent.attach(node, bytes, how)).object);
  }
}

registerHandle(Event, { kind: 'event', lend: Event.lend, revive: Event.revive });
