/** A module that is not loaded for a minute. */
import { setTimeout as sleep } from 'node:timers/promises';

await sleep(60_000);

export function never(): void {
  throw new Error('this is called by nobody');
}
