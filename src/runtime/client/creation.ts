/**
 * The request that starts a process, and what its refusal is thrown as.
 *
 * A target's arguments travel inside the request when they are few; larger ones are put in
 * the default pool, where the new process reads them, so that the services carry handles
 * only. Non-goals: encoding arguments; they come as the codec's bytes.
 */
import { decodeError } from '../../codec/index.ts';
import type { Allocation, WaitOptions } from '../../core/index.ts';
import { encodeMessage, type GsProcessCreate, type Reply } from '../../services/messages/index.ts';
import { childEnvironment } from '../bootstrap/environment.ts';
import { Status } from '../errors/codes.ts';
import { ProcessError } from '../errors/index.ts';
import { identity } from './identity.ts';
import { type Inherited, inherited } from './inherited.ts';
import { ownDirectory } from './own-directory.ts';
import { refusal } from './refusal.ts';
import type { Body } from './requests.ts';
import type { Runtime } from './runtime.ts';

/** A function to be called in the new process. */
export interface TargetCall {
  /** What the loader's `importTarget` takes; plain data. */
  readonly reference: unknown;
  /** The arguments as the codec has encoded a list of them. */
  readonly args: readonly Uint8Array[];
  /** Flags of the interpreter. */
  readonly execArgv?: readonly string[];
  /** The interpreter, if not that of the run. */
  readonly interpreter?: string | undefined;
  /** What the new process takes over; this process's settings by default. */
  readonly inherited?: Inherited;
}

/** An executable to be run; it is ready as soon as it has been started. */
export interface Executable {
  readonly exe: string;
  readonly argv?: readonly string[];
}

export interface ProcessOptions {
  readonly run: TargetCall | Executable;
  /** Unique among the living processes of the run. */
  readonly name?: string | undefined;
  /** For people; need not be unique. */
  readonly label: string;
  readonly daemon?: boolean;
  /** Changes to this process's environment; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly cwd?: string | undefined;
  /** As in the request; inherited from the launcher by default. */
  readonly stdio?: readonly string[] | undefined;
  readonly nodeId?: number | undefined;
}

export interface Creation {
  readonly body: Body<GsProcessCreate>;
  /** Gives back what the request needed until it was answered. */
  release(): void;
  failure(answer: Reply): Error;
}

/** Arguments up to this many bytes travel inside the request. */
export const INLINE_ARGS_BYTES = 64 * 1024;

/** Ready at once unless the arguments need memory outside the request. */
export function prepareCreation(
  runtime: Runtime,
  options: ProcessOptions,
  wait: WaitOptions,
): Creation | Promise<Creation> {
  const bytes = outsideBytes(options);
  if (bytes === 0) return compose(options, undefined);
  return runtime.pool.allocate(bytes, wait).then((outside) => compose(options, outside));
}

export function prepareCreationSync(
  runtime: Runtime,
  options: ProcessOptions,
  wait: WaitOptions,
): Creation {
  const bytes = outsideBytes(options);
  return compose(options, bytes > 0 ? runtime.pool.allocateSync(bytes, wait) : undefined);
}

/** How many bytes of arguments have to be put in the pool. */
function outsideBytes({ run }: ProcessOptions): number {
  if ('exe' in run) return 0;
  const bytes = run.args.reduce((sum, part) => sum + part.byteLength, 0);
  return bytes > INLINE_ARGS_BYTES ? bytes : 0;
}

function compose(options: ProcessOptions, outside: Allocation | undefined): Creation {
  const { run, name, label, daemon = false, env, cwd = ownDirectory(), nodeId } = options;
  const { stdio = ['inherit', 'inherit', 'inherit'] } = options;
  const common = { name, label, daemon, nodeId, env: childEnvironment(env), cwd, stdio };
  const failure = (answer: Reply): Error => failureOf(options, answer);
  if ('exe' in run) {
    const argv = run.argv ?? [];
    const body = { type: 'GsProcessCreate', ...common, exe: run.exe, argv } as const;
    return { body, release: () => undefined, failure };
  }
  const start = startTarget(options, run, outside);
  const argv = run.execArgv ?? [];
  const { interpreter } = run;
  const body = { type: 'GsProcessCreate', ...common, argv, interpreter, start } as const;
  return { body, release: () => outside?.free(), failure };
}

function startTarget(
  { label, daemon = false }: ProcessOptions,
  run: TargetCall,
  outside: Allocation | undefined,
): Uint8Array {
  let offset = 0;
  for (const part of run.args) {
    outside?.write(part, offset);
    offset += part.byteLength;
  }
  const self = identity();
  const parts = encodeMessage({
    type: 'StartTarget',
    target: run.reference,
    inherited: run.inherited ?? inherited(),
    args: outside === undefined ? Buffer.concat(run.args) : new Uint8Array(),
    argsHandle: outside?.serialize(),
    label,
    daemon,
    parent: self.puid,
    parentPid: process.pid,
    parentLabel: self.label,
  });
  return Buffer.concat(parts);
}

function failureOf({ label }: ProcessOptions, answer: Reply): Error {
  const what = `start process ${label}`;
  if (answer.type === 'GsProcessCreateReply' && answer.error !== undefined) {
    const cause = decodeError(answer.error, { origin: `process ${label}` });
    if (cause instanceof ProcessError) return cause;
    return new ProcessError(`${what}: its target could not be loaded`, { cause });
  }
  if (answer.err !== Status.PROCESS) return refusal(answer, what);
  return new ProcessError(`${what}: ${answer.info ?? 'it could not be started'}`);
}
