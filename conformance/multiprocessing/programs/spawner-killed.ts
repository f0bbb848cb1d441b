/** Kills what starts processes, and tries to start one. The run ends, whatever comes first. */
import { isRoot } from 'dragon-runtime';
import { Process } from 'dragon-runtime/multiprocessing';
import { nothing } from '../../tasks/process-ports.ts';

async function main(): Promise<void> {
  await new Process({ target: nothing }).start();
  process.kill(process.ppid, 'SIGKILL');
  await new Process({ target: nothing }).start();
}

if (isRoot()) await main();
