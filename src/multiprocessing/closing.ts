/**
 * What ends waiting calls when their handle is closed here.
 *
 * A pending call of a closed handle must not stay pending. Every handle that waits has one
 * Closing; a call waits on a signal that fires for its own AbortSignal or for the closing,
 * whichever comes first.
 */

/** A signal for one call; `unlink` when the call has settled. */
export interface CallSignal {
  readonly signal: AbortSignal;
  unlink(): void;
}

export class Closing {
  readonly #controller = new AbortController();

  /** Ends all waiting calls with `reason`, and refuses later ones with it. */
  close(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** Throws at once when the handle is closed or `own` is aborted. */
  link(own: AbortSignal | undefined): CallSignal {
    const closing = this.#controller.signal;
    closing.throwIfAborted();
    if (own === undefined) return { signal: closing, unlink: () => undefined };
    own.throwIfAborted();
    const linked = new AbortController();
    const unwatch = [own, closing].map((source) => {
      const listener = (): void => linked.abort(source.reason);
      source.addEventListener('abort', listener, { once: true });
      return () => source.removeEventListener('abort', listener);
    });
    return {
      signal: linked.signal,
      unlink: () => {
        for (const end of unwatch) end();
      },
    };
  }
}
