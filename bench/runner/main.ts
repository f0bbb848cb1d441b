/**
 * Entry of both commands; `bench/main.mjs` bundles this file and calls `main`.
 */
import { CASES } from '../cases/index.ts';
import { benchCommand } from './bench-command.ts';
import { UsageError } from './goals.ts';
import { goalsCommand } from './goals-command.ts';
import { outputOf, type Screens } from './terminal.ts';

const COMMANDS = { bench: benchCommand, goals: goalsCommand };

/** Runs `bench` or `goals` and answers the exit code; `build` makes the native programs. */
export async function main(
  root: string,
  args: readonly string[],
  build: () => Promise<boolean>,
  screens: Screens = process,
): Promise<number> {
  const [name = '', ...rest] = args;
  const command = Object.hasOwn(COMMANDS, name)
    ? COMMANDS[name as keyof typeof COMMANDS]
    : undefined;
  try {
    if (command === undefined) throw new UsageError(`no command is called '${name}'`);
    return await command({ root, cases: CASES, out: outputOf(screens), build }, rest);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    screens.stderr.write(`${name}: ${error.message}\n`);
    return 2;
  }
}
