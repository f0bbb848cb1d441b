/**
 * The files of a directory tree, and how one of them is read.
 *
 * Regular files only; symbolic links are not followed. Paths are bytes, since a file's name
 * need not be valid text. Nothing here can hang: what is not a regular file is never opened
 * in a way that waits for somebody.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  type Stats,
  statSync,
} from 'node:fs';

/** Something about a file that the user should know. */
export interface Problem {
  readonly path: Uint8Array;
  readonly text: string;
  /** True when the file should have been counted and was not. */
  readonly failed: boolean;
}

/** Files that are counted together. */
export interface Batch {
  readonly paths: Uint8Array[];
  readonly bytes: number;
}

/** A batch is complete with so many bytes or files. */
const BATCH_BYTES = 4 * 1024 * 1024;
const BATCH_FILES = 500;

/** A NUL among this many first bytes means that a file is not text. */
const BINARY_PROBE_BYTES = 8 * 1024;

const READ_BYTES = 256 * 1024;

/** Opening a FIFO or a device must not wait, and a link must not be followed. */
const OPEN_FLAGS =
  constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW | constants.O_NOCTTY;

const SLASH = Buffer.from('/');

const reasons: Record<string, string> = {
  ENOENT: 'vanished while the tree was read',
  ELOOP: 'became a symbolic link',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
};

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return reasons[code ?? ''] ?? message;
}

/** What a directory entry that is not counted is called. */
function kindOf(entry: {
  isFIFO(): boolean;
  isSocket(): boolean;
  isBlockDevice(): boolean;
}): string {
  if (entry.isFIFO()) return 'a FIFO';
  if (entry.isSocket()) return 'a socket';
  return entry.isBlockDevice() ? 'a block device' : 'a character device';
}

/** Batches of the regular files at and below `root`; problems are reported as they are met. */
export function* batches(root: string, report: (problem: Problem) => void): Generator<Batch> {
  let paths: Uint8Array[] = [];
  let bytes = 0;
  for (const file of filesBelow(Buffer.from(root), report)) {
    paths.push(file.path);
    bytes += file.bytes;
    if (bytes < BATCH_BYTES && paths.length < BATCH_FILES) continue;
    yield { paths, bytes };
    paths = [];
    bytes = 0;
  }
  if (paths.length > 0) yield { paths, bytes };
}

interface File {
  readonly path: Buffer;
  readonly bytes: number;
}

function* filesBelow(root: Buffer, report: (problem: Problem) => void): Generator<File> {
  // What the user named may be a link; links inside are not followed.
  const pending: { path: Buffer; stat: (path: Buffer) => Stats }[] = [
    { path: root, stat: (path) => statSync(path) },
  ];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { path } = next;
    try {
      const stat = next.stat(path);
      if (stat.isFile()) {
        yield { path, bytes: stat.size };
      } else if (stat.isDirectory()) {
        const children = childrenOf(path).map((child) => ({ path: child, stat: lstatSync }));
        for (const child of children.reverse()) pending.push(child);
      } else if (!stat.isSymbolicLink()) {
        report({ path, text: `skipped: ${kindOf(stat)}`, failed: false });
      }
    } catch (error) {
      report({ path, text: reasonOf(error), failed: true });
    }
  }
}

function childrenOf(directory: Buffer): Buffer[] {
  const prefix = directory.at(-1) === SLASH[0] ? directory : Buffer.concat([directory, SLASH]);
  const names = readdirSync(directory, { encoding: 'buffer' });
  return names.sort(Buffer.compare).map((name) => Buffer.concat([prefix, name]));
}

let buffer: Buffer | undefined;

/**
 * Reads a text file piece by piece; `take` may not keep the piece. Returns what is wrong with
 * the file, or undefined when all of it was read. A file that fails later than at its first
 * piece has been taken in part.
 */
export function readText(path: Uint8Array, take: (piece: Uint8Array) => void): Problem | undefined {
  buffer ??= Buffer.allocUnsafe(READ_BYTES);
  let descriptor: number | undefined;
  try {
    descriptor = openSync(Buffer.from(path), OPEN_FLAGS);
    if (!fstatSync(descriptor).isFile()) {
      return { path, text: 'skipped: no longer a regular file', failed: false };
    }
    let length = readSync(descriptor, buffer, 0, READ_BYTES, null);
    if (buffer.subarray(0, Math.min(length, BINARY_PROBE_BYTES)).includes(0)) {
      return { path, text: 'skipped: a binary file', failed: false };
    }
    while (length > 0) {
      take(buffer.subarray(0, length));
      length = readSync(descriptor, buffer, 0, READ_BYTES, null);
    }
    return undefined;
  } catch (error) {
    return { path, text: reasonOf(error), failed: true };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
