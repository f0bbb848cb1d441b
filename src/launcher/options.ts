/**
 * The command line of `dragon`.
 *
 * Goals: a table of options that help and parser share; nothing is loaded that a good command
 * line does not need. Non-goals: the environment (`settings.ts`), checks of files.
 */
import { Failure, usageError } from './failure.ts';

export interface OptionRow {
  readonly names: readonly string[];
  /** The name of its value in help; absent for a switch. */
  readonly value?: string;
  readonly help?: string;
}

/** Options of `dragon PROG`, in the order of the help text. */
export const runOptions: readonly OptionRow[] = [
  { names: ['-h', '--help'], help: 'print this text' },
  { names: ['--version'], help: 'print the release' },
  { names: ['-l', '--log-level'], value: '[DEVICE=]LEVEL', help: 'what services log, and where' },
  { names: ['-s', '--single-node-override'], help: 'run on this node alone (the default)' },
  { names: ['-N', '--nodes'], value: 'COUNT', help: 'how many nodes; this release runs on 1' },
  { names: ['-m', '--multi-node-override'] },
  { names: ['-w', '--wlm'], value: 'NAME' },
  { names: ['--hostlist'], value: 'HOST,...' },
  { names: ['--hostfile'], value: 'FILE' },
  { names: ['--network-prefix'], value: 'REGEX' },
  { names: ['--network-config'], value: 'FILE' },
  { names: ['-p', '--port'], value: 'PORT' },
  { names: ['--overlay-port'], value: 'PORT' },
  { names: ['--frontend-port'], value: 'PORT' },
  { names: ['-t', '--transport'], value: 'NAME' },
  { names: ['-o', '--overlay-transport'], value: 'NAME' },
  { names: ['-r', '--resilient'] },
  { names: ['-i', '--idle'], value: 'COUNT' },
  { names: ['-e', '--exhaust-resources'] },
  { names: ['-T', '--telemetry-level'], value: 'LEVEL' },
  { names: ['--node'], value: 'PATH', help: 'the interpreter of scripts (DRAGON_NODE)' },
  { names: ['--debug'], help: 'log everything to files (DRAGON_DEBUG)' },
  { names: ['--seg-size'], value: 'SIZE', help: 'limit of the pool (DRAGON_DEFAULT_SEG_SZ)' },
  { names: ['--base-dir'], value: 'DIR', help: 'where log files go (DRAGON_BASE_DIR)' },
  { names: ['--no-label'], help: 'output as it is, without labels (the default)' },
  { names: ['--basic-label'] },
  { names: ['--verbose-label'] },
  { names: ['--ssh-config-path'], value: 'FILE' },
  { names: ['--private-key'], value: 'FILE' },
  { names: ['--passphrase'], value: 'TEXT' },
];

/** What a run on this node alone has a use for; any other option is for several nodes. */
const oneNodeOptions: ReadonlySet<string> = new Set([
  ...['--help', '--version', '--log-level', '--single-node-override', '--nodes', '--node'],
  ...['--debug', '--seg-size', '--base-dir', '--no-label'],
]);

/** Whether a command line says anything about several nodes; what it says may be wrong. */
export function concernsNodes({ values }: Parsed): boolean {
  const counts = values.get('--nodes') ?? [];
  if (counts.some((count) => count !== '0' && count !== '1')) return true;
  return [...values.keys()].some(isForNodes);
}

export function isForNodes(name: string): boolean {
  return !oneNodeOptions.has(name);
}

export interface Parsed {
  /** Values by the option's longest name, in order. A switch has the value ''. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly rest: readonly string[];
}

/** Reads options up to the first word that is none. */
export function parseOptions(
  words: readonly string[],
  table: readonly OptionRow[],
  command = 'dragon',
): Parsed {
  const values = new Map<string, string[]>();
  let at = 0;
  for (; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (word === '--') {
      at += 1;
      break;
    }
    if (!word.startsWith('-') || word === '-') break;
    const { name, attached } = split(word);
    const row = table.find((entry) => entry.names.includes(name));
    if (row === undefined) throw unknownOption(name, table, command);
    let value = attached;
    if (row.value === undefined) {
      if (value !== undefined) throw usageError(`option ${name} takes no value`, command);
    } else if (value === undefined) {
      at += 1;
      value = words[at];
      if (value === undefined) throw usageError(`option ${name} needs ${row.value}`, command);
    }
    const key = row.names.at(-1) ?? name;
    values.set(key, [...(values.get(key) ?? []), value ?? '']);
  }
  return { values, rest: words.slice(at) };
}

/** `--name=value`, `-Nvalue`, or the word alone. */
function split(word: string): { name: string; attached: string | undefined } {
  if (!word.startsWith('--')) {
    return { name: word.slice(0, 2), attached: word.length > 2 ? word.slice(2) : undefined };
  }
  const equals = word.indexOf('=');
  if (equals < 0) return { name: word, attached: undefined };
  return { name: word.slice(0, equals), attached: word.slice(equals + 1) };
}

function unknownOption(name: string, table: readonly OptionRow[], command: string): Failure {
  const names = table.flatMap((row) => row.names);
  const best = names
    .map((known) => ({ known, distance: editDistance(name, known) }))
    .sort((a, b) => a.distance - b.distance)[0];
  const isClose = best !== undefined && name.length > 2 && best.distance <= 3;
  const hint = isClose ? `did you mean ${best.known}? ` : '';
  return new Failure(`unknown option ${name}: ${hint}see ${command} --help`, 2);
}

/** How many letters must be changed, added or left out to get from one word to the other. */
export function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
