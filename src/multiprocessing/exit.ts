/** Ending this process on purpose. */
import { inspect } from 'node:util';

const EXIT_FAILED = 1;

/**
 * Ends this process: `true` and any other text or object mean failure (1), `false`, `null` and
 * nothing success (0), and a whole number is the exit code itself, modulo 256. What is neither is
 * printed on standard error first. Finalizers run and children are joined, as at every end.
 *
 * @example
 * if (input.length === 0) exit('there is no input');
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
