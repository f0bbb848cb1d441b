/**
 * Where the words of a command go, and the progress line, which only people get.
 */
import type { Output } from './session.ts';

/** A stream as far as it is written to. */
export interface Screen {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface Screens {
  readonly stdout: Screen;
  readonly stderr: Screen;
}

/** Progress is shown on standard error if that is a terminal; each text replaces the last. */
export function outputOf({ stdout, stderr }: Screens): Output {
  const words: Output = {
    write: (text) => void stdout.write(text),
    warn: (text) => void stderr.write(text),
  };
  if (stderr.isTTY !== true) return words;
  const clear = '\r\u001b[K';
  return {
    ...words,
    progress: (text) => {
      stderr.write(clear + text.slice(0, (stderr.columns ?? 80) - 1));
    },
  };
}
