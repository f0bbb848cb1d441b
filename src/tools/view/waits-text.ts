/**
 * What `dragon ps --blocked` says to people: deadlocks first, then all waits.
 */
import { columns } from './columns.ts';
import type { DeadlockedWaits, Wait, Waits } from './run-processes.ts';

export function waitsText({ waits, deadlocks }: Waits): string {
  if (waits.length === 0) return '  nobody waits\n';
  const rows = waits.map((wait) => [
    String(wait.pid),
    wait.blocked ? 'thread' : 'promise',
    seconds(wait),
    what(wait),
    whom(wait),
  ]);
  const table = columns([['PID', 'WAITS AS', 'FOR', 'ON', 'WAITS FOR'], ...rows]);
  return deadlocks.map(deadlockText).join('') + table;
}

/** One line for each of those that wait for each other, and one for those behind them. */
function deadlockText({ certain, cycle, behind }: DeadlockedWaits): string {
  const size = cycle.length === 1 ? 'a process waits' : `${cycle.length} processes wait`;
  const head = certain
    ? `  DEADLOCK: ${size} for each other\n`
    : `  perhaps a deadlock: ${size} for each other, by promises; a timer or a socket may end it\n`;
  const lines = cycle.map((wait) => {
    const as = wait.blocked ? '' : ' (promise)';
    return `    ${wait.pid}${as}: ${what(wait)}, for ${seconds(wait)}; waits for ${whom(wait)}\n`;
  });
  const stuck = [...new Set(behind.map(({ pid }) => pid))].join(' ');
  return head + lines.join('') + (stuck === '' ? '' : `    stuck behind them: ${stuck}\n`);
}

function what({ operation, object, objectId }: Wait): string {
  return `${operation} ${object} ${objectId}`;
}

function whom({ wakers, others }: Wait): string {
  const named = wakers.slice(0, 8).map(String);
  const more = wakers.length > named.length ? [`${wakers.length - named.length} more`] : [];
  return [...named, ...more, ...(others ? ['others'] : [])].join(' ') || 'nobody';
}

function seconds({ sinceMs }: Wait): string {
  return `${(sinceMs / 1000).toFixed(1)} s`;
}
