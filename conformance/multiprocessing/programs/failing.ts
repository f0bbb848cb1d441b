/**
 * Fails in the way that its first argument names; with a second one it catches the error and
 * prints its class and code.
 */
import { DragonError } from 'dragon-runtime';
import { Process, Queue } from 'dragon-runtime/multiprocessing';

const failures: Record<string, () => Promise<void>> = {
  'full pool': async () => {
    const queue = new Queue<Uint8Array>();
    for (;;) await queue.put(new Uint8Array(1_000_000), { timeout: 100 });
  },
  'too large': async () => {
    await new Queue<Uint8Array>().put(new Uint8Array(100_000_000));
  },
  'unserialisable item': async () => {
    await new Queue<unknown>().put({ callback: () => 1 });
  },
  'missing target': async () => {
    const module = new URL('./no-such-module.ts', import.meta.url);
    await new Process({ target: { module, export: 'work' } }).start();
  },
};

const [, , kind = '', caught] = process.argv;
try {
  await failures[kind]?.();
} catch (error) {
  if (caught === undefined || !DragonError.is(error)) throw error;
  console.log(error.name, error.code);
}
