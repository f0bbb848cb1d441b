/** Queues and connections as web streams: nothing is taken before somebody reads. */
import { ReadableStream, WritableStream } from 'node:stream/web';
import type { WaitOptions } from '../core/index.ts';

/**
 * A stream of what `receive` gives. It ends where `receive` rejects with an error of the end;
 * cancelling it ends a call that waits, which has taken nothing then.
 */
export function readableOf<T>(
  receive: (options: WaitOptions) => Promise<T>,
  isEnd: (error: unknown) => boolean,
): ReadableStream<T> {
  const cancelled = new AbortController();
  const { signal } = cancelled;
  return new ReadableStream<T>(
    {
      async pull(controller) {
        try {
          controller.enqueue(await receive({ signal }));
        } catch (error) {
          if (signal.aborted) return;
          if (!isEnd(error)) throw error;
          controller.close();
        }
      },
      cancel: (reason) => cancelled.abort(reason),
    },
    { highWaterMark: 0 },
  );
}

/** A stream that sends what is written to it; aborting it ends a call that waits. */
export function writableOf<T>(
  send: (chunk: T, options: WaitOptions) => Promise<void>,
): WritableStream<T> {
  return new WritableStream<T>({
    write: (chunk, controller) => {
      // Node's types lack it.
      const { signal } = controller as unknown as { readonly signal: AbortSignal };
      return send(chunk, { signal });
    },
  });
}
