/** The help text of `dragon` and the form of those of its commands. */
import { type OptionRow, runOptions } from './options.ts';

export const commandNames = ['ps', 'cleanup', 'network-config'] as const;
export type CommandName = (typeof commandNames)[number];

const summaries: Readonly<Record<CommandName, string>> = {
  ps: 'list runs and their processes',
  cleanup: 'remove what runs left behind whose owners are dead',
  'network-config': 'print the network configuration of this host',
};

export function optionLines(table: readonly OptionRow[]): string {
  return table
    .filter((row) => row.help !== undefined)
    .map(({ names, value, help }) => {
      const left = `  ${names.join(', ')}${value === undefined ? '' : ` ${value}`}`;
      return `${left.padEnd(34)} ${help}`;
    })
    .join('\n');
}

export function helpText(): string {
  const commands = commandNames.map((name) => `  dragon ${name.padEnd(25)} ${summaries[name]}`);
  return `usage: dragon [options] PROG [ARGS...]

Brings up the runtime, runs PROG as the head process and exits with its exit code, or 128 plus
the number of the signal that ended it. PROG is a script (.ts, .mts, .js, .mjs, .cjs) or an
executable.

options:
${optionLines(runOptions)}

commands (each with --help):
${commands.join('\n')}
`;
}

export function commandHelp(
  name: CommandName,
  about: string,
  table: readonly OptionRow[],
  usage = '[options]',
): string {
  return `usage: dragon ${name} ${usage}

${about}

options:
${optionLines(table)}
`;
}
