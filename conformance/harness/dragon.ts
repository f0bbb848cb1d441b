/**
 * Runs the `dragon` command of the package under test as a user would, and collects what came.
 *
 * Goals: a run that hangs is killed and told apart from one that failed; nothing of the test
 * runner's own environment but its sandbox reaches the program.
 * Non-goals: judging the outcome. Tests do.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root of the tree that these tests belong to; examples and texts are taken from it. */
export const repository = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Root of the package under test. */
export const packageRoot = resolve(repository, process.env['DRAGON_PACKAGE'] ?? '.');

/** The command itself. */
export const dragonCommand = join(packageRoot, 'bin', 'dragon');

export interface RunOptions {
  readonly cwd?: string;
  /** Changes to the environment; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What standard input holds; it is empty by default. */
  readonly input?: string;
  /** After this time the launcher is killed and `hung` is true; default 20 s. */
  readonly timeoutMs?: number;
  /** User and group to run as. */
  readonly uid?: number;
  readonly gid?: number;
  /** Called with the launcher's process, to send it signals for example. */
  readonly onStart?: (child: ChildProcess) => void;
}

export interface RunResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly hung: boolean;
  readonly elapsedMs: number;
}

/**
 * Variables of vitest and of the test runner's Node that a program must not see, and the file of
 * certificates that every start of a Node 20 would read.
 */
const foreign =
  /^(VITEST|NODE_ENV|NODE_OPTIONS|NODE_PATH|NODE_EXTRA_CA_CERTS|TINYPOOL|TEST$|PROD$|DEV$|MODE$)/;

export function cleanEnvironment(
  changes: Readonly<Record<string, string | undefined>> = {},
): Record<string, string> {
  const own = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  const all = { ...Object.fromEntries(own), ...changes };
  return Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** Runs any command. Resolves when it has ended and its streams are closed. */
export function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const startMs = performance.now();
  return new Promise((resolveRun, rejectRun) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: cleanEnvironment(options.env),
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(options.uid === undefined ? {} : { uid: options.uid }),
      ...(options.gid === undefined ? {} : { gid: options.gid }),
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (piece: Buffer) => out.push(piece));
    child.stderr.on('data', (piece: Buffer) => err.push(piece));
    // A program that ends without reading its input is the program's affair.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
    let hung = false;
    const timer = setTimeout(() => {
      hung = true;
      child.kill('SIGKILL');
    }, options.timeoutMs ?? 20_000);
    child.on('error', rejectRun);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolveRun({
        code,
        signal,
        stdout: Buffer.concat(out).toString(),
        stderr: Buffer.concat(err).toString(),
        hung,
        elapsedMs: performance.now() - startMs,
      });
    });
    options.onStart?.(child);
  });
}

/** Runs `dragon ARGS`. */
export function runDragon(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return run(process.execPath, [dragonCommand, ...args], options);
}
