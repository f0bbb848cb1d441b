/**
 * Failures that the launcher tells in one line.
 *
 * Goals: a cause and a fix for the person at the terminal, never a stack trace.
 * Non-goals: errors that programs catch; those are DragonErrors.
 */
import { writeSync } from 'node:fs';
import { getSystemErrorMap } from 'node:util';

export const ExitCode = { success: 0, failure: 1, usage: 2, interrupted: 130 } as const;

const brand = Symbol.for('dragon.launcher.failure');

export class Failure extends Error {
  readonly exitCode: number;
  readonly [brand] = true;

  constructor(message: string, exitCode: number = ExitCode.failure) {
    super(message);
    this.exitCode = exitCode;
  }

  /** Also true for a failure from another bundle: commands are modules of their own. */
  static is(error: unknown): error is Failure {
    return error instanceof Error && brand in error;
  }
}

export function usageError(message: string, command = 'dragon'): Failure {
  return new Failure(`${message} (see ${command} --help)`, ExitCode.usage);
}

/** The system's words for an errno. */
export function errnoText(errno: number): string {
  return getSystemErrorMap().get(-errno)?.[1] ?? `error ${errno}`;
}

/**
 * A message on standard error: one line, unless it shows a piece of source. It is written at
 * once and past Node's stream, whose opening would change the mode of a descriptor that the head
 * shares.
 */
export function say(text: string): void {
  const line = Buffer.from(`dragon: ${text}\n`);
  let at = 0;
  try {
    while (at < line.length) at += writeSync(2, line, at);
  } catch {
    // Nobody reads standard error; there is no better place to say so.
  }
}
