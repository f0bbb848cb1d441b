/**
 * What a run is to be like: command line first, then the environment, then defaults.
 *
 * Goals: every value is validated here, once, with the name by which it was given.
 * Non-goals: looking at files, except that paths are made absolute.
 */
import { resolve } from 'node:path';
import { type Failure, usageError } from './failure.ts';
import type { Parsed } from './options.ts';

export const logLevels = ['NONE', 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'] as const;
export type LogThreshold = (typeof logLevels)[number];
export const logDevices = ['stderr', 'dragon_file', 'actor_file'] as const;
export type LogDevice = (typeof logDevices)[number];
export type LogSettings = Readonly<Record<LogDevice, LogThreshold>>;

export interface Settings {
  readonly log: LogSettings;
  readonly debug: boolean;
  /** The interpreter as it was named; undefined is the launcher's own. */
  readonly interpreter: string | undefined;
  /** The limit of the default pool; undefined is the runtime's default. */
  readonly segmentBytes: number | undefined;
  /** Where log files go. */
  readonly logDirectory: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

export function settingsOf({ values }: Parsed, env: Environment, cwd: string): Settings {
  const chosen = (option: string, variable: string): Named | undefined => {
    const given = values.get(option)?.at(-1);
    if (given !== undefined) return { name: option, value: given };
    const value = env[variable];
    return value === undefined || value === '' ? undefined : { name: variable, value };
  };
  const debug = values.has('--debug') || isOn(env['DRAGON_DEBUG']);
  const size = chosen('--seg-size', 'DRAGON_DEFAULT_SEG_SZ');
  return {
    log: logSettings(values.get('--log-level') ?? [], debug),
    debug,
    interpreter: chosen('--node', 'DRAGON_NODE')?.value,
    segmentBytes: size === undefined ? undefined : bytes(size),
    logDirectory: resolve(cwd, chosen('--base-dir', 'DRAGON_BASE_DIR')?.value ?? '.'),
  };
}

interface Named {
  readonly name: string;
  readonly value: string;
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0';
}

const UNITS = ['K', 'M', 'G', 'T'];
const SIZE_BYTES_MIN = 2 ** 20;

/** `64M`, `4GiB`, `1048576`. */
function bytes({ name, value }: Named): number {
  const parts = /^([0-9]+(?:\.[0-9]+)?)\s*(?:([KMGT])(?:i?B)?|B)?$/i.exec(value.trim());
  if (parts === null) throw bad(name, value, 'a size as in 512M or 4G');
  const exponent = 1 + UNITS.indexOf((parts[2] ?? '').toUpperCase());
  const size = Math.round(Number(parts[1]) * 1024 ** (parts[2] === undefined ? 0 : exponent));
  if (size < SIZE_BYTES_MIN || !Number.isSafeInteger(size)) {
    throw bad(name, value, 'a size of at least 1M');
  }
  return size;
}

function bad(name: string, value: string, expected: string): Failure {
  return usageError(`${name} takes ${expected}, not '${value}'`);
}

/** Later words win; a level without a device is for all devices. */
function logSettings(words: readonly string[], debug: boolean): LogSettings {
  const log: Record<LogDevice, LogThreshold> = {
    stderr: 'NONE',
    dragon_file: debug ? 'DEBUG' : 'NONE',
    actor_file: debug ? 'DEBUG' : 'NONE',
  };
  for (const word of words) {
    const equals = word.indexOf('=');
    const level = logLevels.find((name) => name === word.slice(equals + 1).toUpperCase());
    if (level === undefined) throw bad('--log-level', word, `a level (${logLevels.join(', ')})`);
    const device = logDevices.find((name) => name === word.slice(0, Math.max(0, equals)));
    if (equals >= 0 && device === undefined) {
      throw bad('--log-level', word, `a device (${logDevices.join(', ')})`);
    }
    for (const each of device === undefined ? logDevices : [device]) log[each] = level;
  }
  return log;
}
