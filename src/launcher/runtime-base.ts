/**
 * Where runs have their directories, and what a run's directory says about its owners.
 *
 * Goals: nobody but this user can enter or forge a run's directory; `owner.json` is there whole or
 * not at all; an owner is named by process id and start time, so that a reused id misleads
 * nobody. Non-goals: deciding what is a leftover (`leftovers.ts`).
 */
import { randomBytes } from 'node:crypto';
import {
  accessSync,
  constants,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { Failure } from './failure.ts';
import type { ProcessStat } from './process-binding.ts';
import type { Environment } from './settings.ts';

export interface RuntimeBase {
  readonly path: string;
  /** False: the runtime made it, and removes it when it is empty. */
  readonly keep: boolean;
}

/** A socket's address holds 107 bytes; the longest name below the base takes this many. */
const NAME_BYTES_MAX = '/r4194304-00000000/bell.16383'.length;
const ADDRESS_BYTES_MAX = 107;

/** The base by the environment; nothing is made or checked. */
export function runtimeBase(env: Environment, uid: number): RuntimeBase {
  const chosen = env['DRAGON_RUNTIME_BASE'];
  if (chosen !== undefined && chosen !== '') {
    if (!isAbsolute(chosen)) throw new Failure('DRAGON_RUNTIME_BASE must be an absolute path');
    return { path: chosen, keep: true };
  }
  const session = env['XDG_RUNTIME_DIR'];
  if (session !== undefined && isAbsolute(session) && isWritable(session)) {
    return { path: join(session, 'dragon'), keep: false };
  }
  return { path: join('/tmp', `dragon-${uid}`), keep: false };
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Makes the base if need be; throws a Failure unless only this user can change it. */
export function openBase({ path }: RuntimeBase, uid: number): void {
  if (Buffer.byteLength(path) + NAME_BYTES_MAX > ADDRESS_BYTES_MAX) {
    const limit = ADDRESS_BYTES_MAX - NAME_BYTES_MAX;
    throw unusable(path, `its path is longer than ${limit} bytes`);
  }
  try {
    mkdirSync(path, { mode: 0o700, recursive: false });
    return;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST') throw unusable(path, reason(error));
  }
  const info = lstatSync(path, { throwIfNoEntry: false });
  // A run that has just ended may have removed it; making the run's directory tries again.
  if (info === undefined) return;
  if (!info.isDirectory()) throw unusable(path, 'it is not a directory');
  if (info.uid !== uid) throw unusable(path, `it belongs to user ${info.uid}`);
  if ((info.mode & 0o022) !== 0) throw unusable(path, `others may write it (chmod 700 ${path})`);
  if (!isWritable(path)) throw unusable(path, 'it may not be written');
}

function unusable(path: string, cause: string): Failure {
  return new Failure(
    `can't use ${path} for runtime directories: ${cause}; ` +
      'set DRAGON_RUNTIME_BASE to a directory of your own',
  );
}

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const texts: Record<string, string> = {
    EACCES: 'permission denied',
    EPERM: 'not permitted',
    EROFS: 'the file system is read-only',
    ENOENT: 'the directory above it does not exist',
    ENOTDIR: 'the path above it is not a directory',
    ENOSPC: 'no space is left',
  };
  return texts[code ?? ''] ?? message;
}

export interface Owner {
  readonly pid: number;
  readonly startTime: number;
}

/** What `owner.json` holds. */
export interface OwnerRecord {
  readonly schema: 1;
  readonly runId: string;
  readonly release: string;
  readonly program: string;
  readonly launcher: Owner;
  readonly warden: Owner;
  /** The boot and the process namespace in which the process ids mean something. */
  readonly boot: string;
  readonly namespace: string;
}

const ownerFile = 'owner.json';

/** Run ids are names of directories, markers in environments, and what people see. */
export function newRunId(): string {
  return `r${process.pid}-${randomBytes(4).toString('hex')}`;
}

export const runIdPattern = /^r([0-9]+)-[0-9a-f]{8}$/;

/** Makes the run's directory with its record; the base must be open. */
export function makeRunDirectory(base: RuntimeBase, uid: number, record: OwnerRecord): string {
  const directory = join(base.path, record.runId);
  for (let attempt = 0; ; attempt += 1) {
    try {
      mkdirSync(directory, { mode: 0o700 });
      break;
    } catch (error) {
      // A run that has just ended may have removed the empty base.
      const isGone = (error as NodeJS.ErrnoException).code === 'ENOENT';
      if (!isGone || attempt === 100) throw unusable(base.path, reason(error));
      openBase(base, uid);
    }
  }
  try {
    const temporary = join(directory, `.${ownerFile}`);
    writeFileSync(temporary, `${JSON.stringify(record)}\n`, { mode: 0o600 });
    renameSync(temporary, join(directory, ownerFile));
  } catch (error) {
    throw unusable(base.path, reason(error));
  }
  return directory;
}

/** Undefined when there is no record, or none that can be understood. */
export function readOwner(directory: string): OwnerRecord | undefined {
  try {
    const record: unknown = JSON.parse(readFileSync(join(directory, ownerFile), 'utf8'));
    return isOwnerRecord(record) ? record : undefined;
  } catch {
    return undefined;
  }
}

function isOwnerRecord(value: unknown): value is OwnerRecord {
  if (typeof value !== 'object' || value === null) return false;
  const record = value as Record<string, unknown>;
  const texts = ['runId', 'release', 'program', 'boot', 'namespace'];
  return (
    record['schema'] === 1 &&
    texts.every((key) => typeof record[key] === 'string') &&
    isOwner(record['launcher']) &&
    isOwner(record['warden'])
  );
}

function isOwner(value: unknown): value is Owner {
  if (typeof value !== 'object' || value === null) return false;
  const { pid, startTime } = value as Record<string, unknown>;
  return Number.isSafeInteger(pid) && Number(pid) > 0 && Number.isSafeInteger(startTime);
}

export interface Place {
  readonly boot: string;
  readonly namespace: string;
}

/** Where process ids of this process mean something. */
export function thisPlace(): Place {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return { boot, namespace: readlinkSync('/proc/self/ns/pid') };
}

/** Whether an owner of this boot and namespace is still there; a zombie is not. */
export function isAlive(owner: Owner, stat: (pid: number) => ProcessStat | undefined): boolean {
  const found = stat(owner.pid);
  return found !== undefined && found.startTime === owner.startTime && found.state !== 'Z';
}
