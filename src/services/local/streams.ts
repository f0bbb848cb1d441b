/**
 * The files that a new process gets as standard streams.
 *
 * Non-goals: streams of other kinds pass through as they are.
 */
import { closeSync, openSync } from 'node:fs';

export interface Streams {
  readonly stdio: readonly ('inherit' | 'null' | number)[];
  /** The new process has its own copies, or there is none. */
  close(): void;
}

/** Opens what has the form `MODE:PATH`. Throws if that fails, and then leaves nothing open. */
export function openStreams(names: readonly string[]): Streams {
  const opened: number[] = [];
  const close = (): void => {
    for (const descriptor of opened) closeSync(descriptor);
  };
  try {
    const stdio = names.map((name) => {
      if (name === 'inherit' || name === 'null') return name;
      const descriptor = openSync(name.slice(2), name.slice(0, 1));
      opened.push(descriptor);
      return descriptor;
    });
    return { stdio, close };
  } catch (error) {
    close();
    throw error;
  }
}
