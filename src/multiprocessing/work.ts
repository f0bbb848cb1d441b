/**
 * What a new process does, as the services are asked for it: a target, a subclass's `run`, or an
 * executable.
 */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encode } from '../codec/index.ts';
import {
  type ProcessOptions as CreateOptions,
  inherited,
  type TargetCall,
} from '../runtime/client/index.ts';
import { DragonError } from '../runtime/errors/index.ts';
import { executablePath } from './executable.ts';
import type {
  NativeOptions,
  PlaceOptions,
  ProcessOptions,
  ScriptOptions,
  Stdio,
} from './process-options.ts';
import { resolveTarget, type Target, type TargetReference } from './targets.ts';

/** The part of a request that is about the place and not about the work. */
export type Place = Omit<CreateOptions, 'run'>;

/** Composes the request of one start; `undo` takes back what was lent for it. */
export type Work = (place: Place) => { options: CreateOptions; undo(): void };

/** Encodes the arguments when the process is started. */
export function targetWork(options: ProcessOptions): Work {
  const reference = resolveTarget(options.target as Target);
  return scriptWork(reference, options, () => options.args ?? []);
}

/** Runs the target of `reference` with what `args` gives at the start. */
export function scriptWork(
  reference: TargetReference,
  { execArgv = process.execArgv, execPath, authkey }: ScriptOptions,
  args: () => readonly unknown[],
): Work {
  const ownPath = execPath === undefined ? undefined : executablePath(execPath);
  if (!isStrings(execArgv)) throw badFlags();
  const ownKey = authkey === undefined ? undefined : Buffer.from(authkey).toString('base64');
  return (place) => {
    const settings = { ...inherited() };
    const interpreter = ownPath ?? settings.interpreter;
    if (ownKey !== undefined) settings.authkey = ownKey;
    const { parts, lent } = encode(args());
    const run: TargetCall = { reference, args: parts, execArgv, interpreter, inherited: settings };
    const undo = (): void => {
      for (const each of lent) each.cancel();
    };
    return { options: { ...place, run }, undo };
  };
}

function isStrings(flags: unknown): boolean {
  return Array.isArray(flags) && flags.every((flag) => typeof flag === 'string');
}

function badFlags(): DragonError {
  return new DragonError('execArgv must be a list of strings', { code: 'ERR_INVALID_ARGUMENT' });
}

export function nativeWork({ exe, argv = [] }: NativeOptions): Work {
  const run = { exe, argv };
  return (place) => ({ options: { ...place, run }, undo: () => undefined });
}

/** The three standard streams as the services take them. */
export function streams({ stdin, stdout, stderr }: PlaceOptions): readonly string[] {
  return [stream(stdin, 'r'), stream(stdout, 'w'), stream(stderr, 'w')];
}

function stream(given: Stdio | undefined, mode: 'r' | 'w'): string {
  if (given === undefined || given === 'inherit') return 'inherit';
  if (given === 'ignore') return 'null';
  if (typeof given !== 'object' || (given.append && mode === 'r')) {
    throw new TypeError("a stream is 'inherit', 'ignore' or { file }");
  }
  const path = given.file instanceof URL ? fileURLToPath(given.file) : resolve(given.file);
  return `${given.append ? 'a' : mode}:${path}`;
}
