/** child_process.fork of an empty program until it has exited. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { count, report } from '../../programs/measure.ts';

if (process.send === undefined) {
  const samples: number[] = [];
  for (let i = 0; i < count('rounds', 5); i += 1) {
    const begin = process.hrtime.bigint();
    await once(fork(fileURLToPath(import.meta.url)), 'exit');
    samples.push(Number(process.hrtime.bigint() - begin));
  }
  report('ns', samples);
}
