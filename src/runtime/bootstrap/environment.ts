/**
 * What a process of a run finds in its environment, read once.
 *
 * Goals: the only file below the launcher that reads `process.env`. The launcher and local
 * services set these variables; a program that was started by nobody has none of them.
 * Non-goals: no defaults for what the launcher decides, and nothing is attached here.
 */
import { DragonError } from '../errors/index.ts';

/** The variables by name; the launcher and local services write them. */
export const Variable = {
  runtimeDir: 'DRAGON_RUNTIME_DIR',
  runId: 'DRAGON_RUN_ID',
  puid: 'DRAGON_PUID',
  start: 'DRAGON_START',
  role: 'DRAGON_ROLE',
  source: 'DRAGON_SOURCE',
  cacheDir: 'DRAGON_CACHE_DIR',
  debug: 'DRAGON_DEBUG',
  logLevel: 'DRAGON_LOG_LEVEL',
} as const;

/** What describes one process only, and so is not handed on to its children. */
const ownVariables: readonly string[] = [
  Variable.puid,
  Variable.start,
  Variable.role,
  Variable.source,
];

export interface RuntimeEnvironment {
  /** Where the node's sockets are; absent outside a runtime. */
  readonly runtimeDir: string | undefined;
  readonly puid: bigint | undefined;
  readonly role: 'head' | 'process' | undefined;
  /** The serialized handle of the start channel; absent for the head and for executables. */
  readonly start: Uint8Array | undefined;
  /** The address of the head's source. */
  readonly source: string | undefined;
  readonly cacheDir: string | undefined;
  readonly debug: boolean;
}

function parse(env: NodeJS.ProcessEnv): RuntimeEnvironment {
  const puid = env[Variable.puid];
  const start = env[Variable.start];
  const role = env[Variable.role];
  if (puid !== undefined && !/^[0-9]{1,20}$/.test(puid)) throw damaged(Variable.puid, puid);
  if (role !== undefined && role !== 'head' && role !== 'process') {
    throw damaged(Variable.role, role);
  }
  return {
    runtimeDir: env[Variable.runtimeDir],
    puid: puid === undefined ? undefined : BigInt(puid),
    role,
    start: start === undefined ? undefined : new Uint8Array(Buffer.from(start, 'base64')),
    source: env[Variable.source],
    cacheDir: env[Variable.cacheDir],
    debug: !['', '0', undefined].includes(env[Variable.debug]),
  };
}

function damaged(name: string, value: string): DragonError {
  const message = `${name} is ${JSON.stringify(value)}: only the runtime may set it; unset it`;
  return new DragonError(message, { code: 'ERR_INVALID_ARGUMENT' });
}

let parsed: RuntimeEnvironment | undefined;

/** The runtime's part of this process's environment. */
export function environment(): RuntimeEnvironment {
  parsed ??= parse(process.env);
  return parsed;
}

/**
 * The environment of a child as NAME=value: this process's as it is now, changed by
 * `changes`, in which `undefined` takes a variable away.
 */
export function childEnvironment(
  changes: Readonly<Record<string, string | undefined>> = {},
): string[] {
  const all: Record<string, string | undefined> = { ...process.env, ...changes };
  for (const name of ownVariables) delete all[name];
  return Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
}
