/**
 * `dragon cleanup`: removes what runs left behind whose launcher and warden are both dead.
 *
 * Goals: ends only processes that carry the marker of such a run, removes only such a run's
 * directory, and says what it did. Non-goals: live runs, other users, other hosts.
 */
import { usageError } from '../launcher/failure.ts';
import { commandHelp } from '../launcher/help.ts';
import { listRuns, type Removal, type Run, removeRun } from '../launcher/leftovers.ts';
import { type OptionRow, parseOptions } from '../launcher/options.ts';
import { processBinding } from '../launcher/process-binding.ts';
import { runtimeBase } from '../launcher/runtime-base.ts';

const options: readonly OptionRow[] = [
  { names: ['-h', '--help'], help: 'print this text' },
  { names: ['--dry-run'], help: 'only say what would be done' },
  { names: ['--json'], help: 'print JSON' },
];

const about =
  'Ends the processes and removes the directories of runs whose launcher and warden are dead.';

export async function main(words: readonly string[]): Promise<number> {
  const { values, rest } = parseOptions(words, options, 'dragon cleanup');
  if (values.has('--help')) {
    process.stdout.write(commandHelp('cleanup', about, options));
    return 0;
  }
  if (rest.length > 0) throw usageError(`'${rest[0]}' is not expected`, 'dragon cleanup');
  const isDryRun = values.has('--dry-run');
  const base = runtimeBase(process.env, process.getuid?.() ?? 0);
  const dead = listRuns(base).filter(({ state }) => state === 'dead');
  const removals = dead.map((run) => (isDryRun ? preview(run) : removeRun(base, run)));
  process.stdout.write(
    values.has('--json')
      ? `${JSON.stringify({ dryRun: isDryRun, runs: removals }, null, 2)}\n`
      : text(removals, isDryRun),
  );
  return removals.every(({ problem }) => problem === '') ? 0 : 1;
}

function preview({ runId }: Run): Removal {
  const pids = processBinding()
    .markedProcesses(runId)
    .map(({ pid }) => pid);
  return { runId, pids, problem: '' };
}

function text(removals: readonly Removal[], isDryRun: boolean): string {
  if (removals.length === 0) return 'nothing is left behind\n';
  return removals
    .map(({ runId, pids, problem }) => {
      const processes = pids.length === 0 ? 'no processes' : `processes ${pids.join(' ')}`;
      if (problem !== '') return `run ${runId}: ${problem} (${processes})\n`;
      return `run ${runId}: ${isDryRun ? 'would remove' : 'removed'} directory and ${processes}\n`;
    })
    .join('');
}
