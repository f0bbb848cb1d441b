/**
 * `dragon ps`: this user's runs and their processes.
 *
 * Goals: a run that does not answer is listed all the same, with what /proc says.
 * Non-goals: runs of other users, other nodes.
 */
import { say, usageError } from '../launcher/failure.ts';
import { commandHelp } from '../launcher/help.ts';
import { listRuns, type Run } from '../launcher/leftovers.ts';
import { type OptionRow, parseOptions } from '../launcher/options.ts';
import { runtimeBase } from '../launcher/runtime-base.ts';
import { columns } from './view/columns.ts';
import { type RunProcess, RunView, runProcesses, type Waits } from './view/run-processes.ts';
import { waitsText } from './view/waits-text.ts';

const options: readonly OptionRow[] = [
  { names: ['-h', '--help'], help: 'print this text' },
  { names: ['--blocked'], help: 'list who waits on what, deadlocks first, then the longest wait' },
  { names: ['--json'], help: 'print JSON' },
];

const about =
  'Lists runs with their processes: process id, number in the run, name, state, command.';

/** How long a run may take to tell the names of its processes. */
const NAMES_PATIENCE_MS = 1000;

interface Listed {
  readonly run: Run;
  readonly processes: readonly RunProcess[];
  readonly waits: Waits | undefined;
}

export async function main(words: readonly string[]): Promise<number> {
  const { values, rest } = parseOptions(words, options, 'dragon ps');
  if (values.has('--help')) {
    process.stdout.write(commandHelp('ps', about, options));
    return 0;
  }
  if (rest.length > 0) throw usageError(`'${rest[0]}' is not expected`, 'dragon ps');
  const base = runtimeBase(process.env, process.getuid?.() ?? 0);
  const listed: Listed[] = [];
  for (const run of listRuns(base)) listed.push(await look(run, values.has('--blocked')));
  process.stdout.write(values.has('--json') ? json(listed) : text(listed));
  return 0;
}

async function look(run: Run, blocked: boolean): Promise<Listed> {
  let names: ReadonlyMap<string, string> = new Map();
  let waits: Waits | undefined;
  if (run.state === 'live') {
    try {
      const view = new RunView(run);
      // The waits first: asking for the names is a wait itself.
      if (blocked) waits = view.waits();
      names = await Promise.race([view.names(), nothingAfter(NAMES_PATIENCE_MS)]);
      view.close();
    } catch (error) {
      say(`run ${run.runId} does not answer: ${(error as Error).message}`);
    }
  }
  return { run, processes: runProcesses(run, names), waits };
}

function nothingAfter(delayMs: number): Promise<ReadonlyMap<string, string>> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(new Map()), delayMs).unref();
  });
}

function json(listed: readonly Listed[]): string {
  const runs = listed.map(({ run, processes, waits }) => ({
    runId: run.runId,
    state: run.state,
    release: run.owner?.release,
    program: run.owner?.program,
    launcher: run.owner?.launcher.pid,
    warden: run.owner?.warden.pid,
    processes,
    ...waits,
  }));
  return `${JSON.stringify({ runs }, null, 2)}\n`;
}

function text(listed: readonly Listed[]): string {
  if (listed.length === 0) return 'no runs\n';
  return listed.map(runText).join('\n');
}

function runText({ run, processes, waits }: Listed): string {
  const { owner } = run;
  const launcher = owner === undefined ? '-' : String(owner.launcher.pid);
  const head = `run ${run.runId} ${run.state}, launcher ${launcher}, ${owner?.program ?? '-'}\n`;
  const rows = processes.map(({ pid, puid, name, state, command }) => [
    String(pid),
    puid ?? '-',
    name ?? '-',
    state,
    command,
  ]);
  const table = columns([['PID', 'PUID', 'NAME', 'STATE', 'COMMAND'], ...rows]);
  return head + table + (waits === undefined ? '' : waitsText(waits));
}
