/**
 * Where `dragon` begins: chooses the command.
 *
 * Goals: a run loads what it needs and nothing else; every failure that a person can mend is
 * one line. Non-goals: the commands themselves.
 */
import { ExitCode, Failure, say, usageError } from './failure.ts';
import { concernsNodes, parseOptions, runOptions } from './options.ts';
import { processBinding } from './process-binding.ts';
import { runProgram } from './run.ts';

/** Commands other than a program; each is a module of `src/tools` with a `main`. */
const commands: readonly string[] = ['ps', 'cleanup', 'network-config'];

interface Tool {
  main(words: readonly string[]): Promise<number>;
}

async function dispatch(words: readonly string[]): Promise<number> {
  const [first = '', ...others] = words;
  if (commands.includes(first)) {
    const url = new URL(`../tools/${first}.js`, import.meta.url);
    const tool = (await import(url.href)) as Tool;
    return tool.main(others);
  }
  const parsed = parseOptions(words, runOptions);
  if (parsed.values.has('--help')) {
    process.stdout.write((await import('./help.ts')).helpText());
    return ExitCode.success;
  }
  if (parsed.values.has('--version')) {
    process.stdout.write(`${(await import('./release.ts')).release()}\n`);
    return ExitCode.success;
  }
  if (parsed.rest.length === 0) throw usageError('name a program to run: dragon PROG [ARGS...]');
  if (concernsNodes(parsed)) {
    const { nodePlan, refuseUnbuilt } = await import('./node-options.ts');
    refuseUnbuilt(nodePlan(parsed));
  }
  leaveRun(await runProgram(parsed));
}

/**
 * Ends the launcher after a run. What a run has open would keep the event loop going, and
 * taking Node's environment apart costs 4 ms that nobody needs; only coverage is written there.
 */
function leaveRun(exitCode: number): never {
  if (process.env['NODE_V8_COVERAGE'] === undefined) processBinding().endProcess(exitCode);
  process.exit(exitCode);
}

/** `bin/dragon` keeps the variable from this interpreter; processes of the run are to have it. */
function restoreEnvironment(): void {
  const { DRAGON_EXTRA_CA_CERTS } = process.env;
  if (DRAGON_EXTRA_CA_CERTS === undefined) return;
  delete process.env['DRAGON_EXTRA_CA_CERTS'];
  process.env['NODE_EXTRA_CA_CERTS'] = DRAGON_EXTRA_CA_CERTS;
}

async function main(): Promise<void> {
  restoreEnvironment();
  try {
    process.exit(await dispatch(process.argv.slice(2)));
  } catch (error) {
    if (!Failure.is(error) && !isKnown(error)) throw error;
    say((error as Error).message);
    process.exit(Failure.is(error) ? error.exitCode : ExitCode.failure);
  }
}

/** Errors of the runtime name cause and fix themselves. */
function isKnown(error: unknown): boolean {
  return error instanceof Error && String((error as { code?: unknown }).code).startsWith('ERR_');
}

main().catch((error: unknown) => {
  // A defect of the launcher: Node's own report, with the stack.
  process.nextTick(() => {
    throw error;
  });
});
