/**
 * Entry of both commands; `bench/main.mjs` bundles this file and calls `main`.
 */
import { benchCommand } from './bench-command.ts';
import { UsageError } from './goals.ts';
import { goalsCommand } from './goals-command.ts';
import type { Output } from './session.ts';

const COMMANDS = { bench: benchCommand, goals: goalsCommand };

/** Runs `bench` or `goals` and answers the exit code. */
export async function main(root: string, args: readonly string[]): Promise<number> {
  const [name = '', ...rest] = args;
  const command = COMMANDS[name as keyof typeof COMMANDS];
  try {
    if (command === undefined) throw new UsageError(`no command is called '${name}'`);
    return await command(root, rest, terminal());
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${name}: ${error.message}\n`);
    return 2;
  }
}

function terminal(): Output {
  const words: Output = {
    write: (text) => void process.stdout.write(text),
    warn: (text) => void process.stderr.write(text),
  };
  if (!process.stderr.isTTY) return words;
  const clear = '\r\u001b[K';
  return {
    ...words,
    progress: (text) => {
      process.stderr.write(clear + text.slice(0, (process.stderr.columns ?? 80) - 1));
    },
  };
}
