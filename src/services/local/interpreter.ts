/**
 * How an interpreter is started, so that it is there soon.
 *
 * Node 20 reads the file of NODE_EXTRA_CA_CERTS before anything else, which costs 35 ms of a start
 * of 60 and is not needed before a process uses TLS. `runtime/bootstrap/certificates.ts` reads it
 * then. Non-goals: interpreters other than this one, and any that runs with flags.
 */
import { loadAddon } from '../../core/native.ts';

interface Certificates {
  certificatesCanWait(): boolean;
}

/** Variables that change what an interpreter does at its start. */
const flagVariables = ['NODE_OPTIONS', 'NODE_PENDING_DEPRECATION', 'NODE_V8_COVERAGE'];

export interface InterpreterStart {
  readonly exe: string;
  /** Flags of the interpreter. */
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** The environment in which the interpreter is to be started; the process restores `env`. */
export function startEnvironment(start: InterpreterStart): Readonly<Record<string, string>> {
  const { NODE_EXTRA_CA_CERTS: file, ...others } = start.env;
  if (!file || !canWait(start)) return start.env;
  return { ...others, DRAGON_EXTRA_CA_CERTS: file };
}

function canWait({ exe, flags, env }: InterpreterStart): boolean {
  if (exe !== process.execPath || flags.length > 0) return false;
  if (flagVariables.some((name) => env[name])) return false;
  return loadAddon<Certificates>().certificatesCanWait();
}
