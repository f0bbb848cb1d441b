/**
 * What ends waiting calls when their handle is closed here.
 *
 * A pending call of a closed handle must not stay pending. Every handle that waits has one
 * Closing; a call waits on a signal that fires for its own AbortSignal or for the closing,
 * whichever comes first.
 */
import { setMaxListeners } from 'node:events';

export class Closing {
  readonly #controller = new AbortController();

  constructor() {
    // Any number of calls may wait on one handle.
    setMaxListeners(0, this.#controller.signal);
  }

  /** Fires when the handle is closed. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Ends all waiting calls with `reason`, and refuses later ones with it. */
  close(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** The signal of one call. Throws at once when the handle is closed or `own` is aborted. */
  link(own: AbortSignal | undefined): AbortSignal {
    const { signal } = this.#controller;
    signal.throwIfAborted();
    own?.throwIfAborted();
    return own === undefined ? signal : AbortSignal.any([own, signal]);
  }
}
