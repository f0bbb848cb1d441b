/** Ending this process on purpose. */
import { inspect } from 'node:util';

const EXIT_FAILED = 1;

/**
 * Ends this process: `true` and any other text or object mean failure (1), `false`, `null` and
 * nothing success (0), and a whole number is the exit code itself, modulo 256. What is neither is
 * printed on standard error first. Finalizers run and children are joined, as at every end.
 *
 * @example
 * import { defineTask, isRoot } from 'dragon-runtime';
 * import { exit, Process } from 'dragon-runtime/multiprocessing';
 * export const refuse = defineTask(import.meta.url, 'refuse', () => exit(3));
 * if (isRoot()) {
 *   const child = new Process({ target: refuse });
 *   await child.start();
 *   await child.join();
 *   console.log(child.exitCode); // 3
 * }
 */
export function exit(reason?: unknown): never {
  process.exit(codeOf(reason));
}

function codeOf(reason: unknown): number {
  if (reason === undefined || reason === null) return 0;
  if (typeof reason === 'boolean') return Number(reason);
  if (Number.isSafeInteger(reason)) return (reason as number) & 0xff;
  if (typeof reason === 'bigint') return Number(BigInt.asUintN(8, reason));
  process.stderr.write(`${typeof reason === 'string' ? reason : inspect(reason)}\n`);
  return EXIT_FAILED;
}
