// Runs the program in the head process, so that it can't tell the difference from a plain Node: its
// arguments, what it prints when it fails, and its exit codes.
// Non-goals: transpiling (the launcher has done it), joining children (the runtime's client).
import { runMain } from 'node:module';
import { fileURLToPath } from 'node:url';
import { loadPackage } from './package.ts';

/** Node's exit code for a top-level await that nothing will settle. */
const EXIT_UNSETTLED = 13;

export function runHead(): void {
  const { DRAGON_SOURCE: source, DRAGON_PROGRAM: prepared } = process.env;
  if (source === undefined) {
    process.stderr.write('dragon: this file is started by dragon; run: dragon prog.ts\n');
    process.exitCode = 2;
    return;
  }
  // It is about this process only.
  delete process.env['DRAGON_PROGRAM'];
  const path = fileURLToPath(source);
  process.argv[1] = path;
  if (prepared === undefined) void prepareAndRun(source, path);
  else run(prepared, prepared === source, path);
}

/** Without the launcher's answer, or if the program needs the resolver, the cache is asked here. */
async function prepareAndRun(source: string, path: string): Promise<void> {
  try {
    const { url, source: real } = await loadPackage().prepareHere(source);
    run(url, url === real, path);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    process.stderr.write(`dragon: ${text}\n`);
    process.exitCode = 1;
  }
}

function run(address: string, asItIs: boolean, path: string): void {
  if (asItIs) runMain();
  else watch(import(address), path);
}

/** Gives the end of the program the meaning that it has under plain Node. */
function watch(program: Promise<unknown>, path: string): void {
  let loopEnded = false;
  const onBeforeExit = () => {
    loopEnded = true;
  };
  const onExit = () => {
    if (!loopEnded || process.exitCode !== undefined) return;
    process.exitCode = EXIT_UNSETTLED;
    process.stderr.write(`Warning: ${path}: the top-level await never settled\n`);
  };
  process.on('beforeExit', onBeforeExit);
  process.on('exit', onExit);
  const settle = () => {
    process.off('beforeExit', onBeforeExit);
    process.off('exit', onExit);
  };
  program.then(settle, (error: unknown) => {
    settle();
    // As a rejection nobody handles, Node reports it with the place in the source. A handler of the
    // program's own is for its promises and must not swallow what ends the program.
    if (process.listenerCount('unhandledRejection') === 0) throw error;
    setImmediate(() => {
      throw error;
    });
  });
}
