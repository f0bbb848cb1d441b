/**
 * Starts commands for the build and test scripts.
 *
 * Goals: one way to start a command with a time limit, either showing its output or keeping
 * it for the caller, and no child left behind when the limit strikes.
 * Non-goals: pipelines, shells, and talking with the child while it runs.
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, constants } from 'node:os';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's root: every path in the scripts is relative to it. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** How many commands may use a core at once. */
export const parallelism = Math.max(1, availableParallelism());

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd] working directory, default the package's root
 * @property {NodeJS.ProcessEnv} [env] the whole environment, default this process's
 * @property {number} [timeoutMs] kills the command and its descendants when it strikes
 * @property {boolean} [quiet] keeps the output for the caller only
 * @property {(pid: number) => void} [onStart]
 *
 * @typedef {object} RunResult
 * @property {number} code exit code; 128 + n after a signal, 124 after the time limit
 * @property {string} output standard output and standard error, as they came
 * @property {string} stdout standard output alone
 * @property {number} elapsedMs
 */

/**
 * Runs one command to its end. It never rejects: a command that cannot start has code 127.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<RunResult>}
 */
export function run(command, args, options = {}) {
  const startedAt = performance.now();
  return new Promise((settle) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? root,
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const group = ownGroup(child);
    if (child.pid !== undefined) {
      if (schedulingPolicyOf('self') === idlePolicy) takeWhatIsLeft(child.pid);
      options.onStart?.(child.pid);
    }
    /** @type {Buffer[]} */
    const chunks = [];
    /** @type {Buffer[]} */
    const stdoutChunks = [];
    let timedOut = false;
    const timer =
      options.timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            group.kill();
          }, options.timeoutMs);
    /** @param {number} code */
    const finish = (code) => {
      clearTimeout(timer);
      group.release();
      const output = Buffer.concat(chunks).toString();
      const stdout = Buffer.concat(stdoutChunks).toString();
      settle({ code, output, stdout, elapsedMs: performance.now() - startedAt });
    };
    for (const [stream, sink] of /** @type {const} */ ([
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ])) {
      stream.on('data', (chunk) => {
        chunks.push(chunk);
        if (stream === child.stdout) stdoutChunks.push(chunk);
        if (!options.quiet) sink.write(chunk);
      });
    }
    child.on('error', (error) => {
      chunks.push(Buffer.from(`${command}: ${error.message}\n`));
      finish(127);
    });
    child.on('close', (code, signal) => {
      finish(timedOut ? 124 : (code ?? 128 + signalNumber(signal)));
    });
  });
}

/**
 * A detached child leads its own process group, so that a time limit or Ctrl-C reaches what
 * it started too; in exchange the terminal's signals have to be passed on by hand. Children
 * may have made groups of their own, so all descendants are looked up.
 * @param {import('node:child_process').ChildProcess} child
 */
function ownGroup(child) {
  const kill = () => {
    if (child.pid === undefined) return;
    for (const pid of [-child.pid, ...descendantsOf(child.pid)]) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended already.
      }
    }
  };
  /** @param {NodeJS.Signals} signal */
  const passOn = (signal) => {
    kill();
    process.exit(128 + signalNumber(signal));
  };
  process.on('SIGINT', passOn).on('SIGTERM', passOn).on('SIGHUP', passOn);
  const release = () => {
    process.off('SIGINT', passOn).off('SIGTERM', passOn).off('SIGHUP', passOn);
  };
  return { kill, release };
}

/**
 * @param {number} ancestor
 * @returns {number[]}
 */
function descendantsOf(ancestor) {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const parents = new Map(all.map((name) => [Number(name), parentOf(Number(name))]));
  /** @param {number} pid @returns {number[]} */
  const below = (pid) =>
    [...parents].filter(([, parent]) => parent === pid).flatMap(([own]) => [own, ...below(own)]);
  return below(ancestor);
}

/**
 * What Linux says about a process, its state first; nothing when there is no such process.
 * @param {number | 'self'} pid
 * @returns {string[]}
 */
function statusFields(pid) {
  try {
    // The name in field 2 may hold spaces and brackets: fields are counted behind it.
    return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? [];
  } catch {
    return [];
  }
}

/**
 * The parent of a process, 0 when there is no such process.
 * @param {number} pid
 */
export function parentOf(pid) {
  return Number(statusFields(pid)[1] ?? 0);
}

/** SCHED_IDLE. */
const idlePolicy = 5;

/**
 * @param {number | 'self'} pid
 */
function schedulingPolicyOf(pid) {
  return Number(statusFields(pid)[38] ?? 0);
}

/**
 * Where Linux groups processes by session, what a process gives way to others counts in its own
 * group only, and a detached child begins a new one: so its group gives way too.
 * @param {number} pid
 */
function takeWhatIsLeft(pid) {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, '19');
  } catch {
    // No such groups here, or the child has ended.
  }
}

/** Linux tells times in these, on every processor. */
const ticksPerSecond = 100;

/**
 * The processor time that a process has used, 0 when there is no such process.
 * @param {number} pid
 */
export function cpuSecondsOf(pid) {
  const fields = statusFields(pid);
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / ticksPerSecond;
}

/** The processor time of all processes below this one that have ended. */
export function cpuSecondsOfChildren() {
  const fields = statusFields('self');
  return (Number(fields[13] ?? 0) + Number(fields[14] ?? 0)) / ticksPerSecond;
}

/** @param {NodeJS.Signals | null} signal */
function signalNumber(signal) {
  if (signal === null) return 0;
  return constants.signals[signal];
}

/**
 * Applies `work` to every item, `limit` at a time, and keeps the order of the results.
 * @template T, R
 * @param {readonly T[]} items
 * @param {number} limit
 * @param {(item: T) => Promise<R>} work
 * @returns {Promise<R[]>}
 */
export async function mapLimited(items, limit, work) {
  /** @type {R[]} */
  const results = new Array(items.length);
  let next = 0;
  const lane = async () => {
    for (let index = next++; index < items.length; index = next++) {
      results[index] = await work(/** @type {T} */ (items[index]));
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
  return results;
}
