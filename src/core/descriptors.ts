/**
 * Descriptors of open files on their way from one process of a node to another.
 *
 * The node's broker keeps a duplicate from `offerDescriptor` until one process has taken it, or
 * 30 s after the process that offered it has ended.
 */
import { Status } from '../runtime/errors/codes.ts';
import {
  DragonError,
  errorFromStatus,
  NotFoundError,
  NotSupportedError,
  type StatusContext,
} from '../runtime/errors/index.ts';
import { loadAddon } from './native.ts';
import type { Node } from './node.ts';

/** What else there is to say about a failure that the system is the reason of. */
function systemText(status: number): StatusContext {
  if (status !== Status.SYSTEM) return {};
  const why = loadAddon().lastErrorText();
  return { why, fix: 'close descriptors that are not needed, or raise the limit (ulimit -n)' };
}

/** The error for what is no open descriptor. */
export function notOpen(fd: unknown): DragonError {
  return new DragonError(`${String(fd)} is not the number of an open descriptor`, {
    code: 'ERR_INVALID_ARGUMENT',
  });
}

/**
 * A handle to a duplicate of `fd`. Throws ERR_INVALID_ARGUMENT unless that is open,
 * ERR_TOO_MANY_DESCRIPTORS when 64 of this process wait to be taken.
 */
export function offerDescriptor(node: Node, fd: number): Uint8Array {
  const handle = node.native.offerDescriptor(fd);
  if (typeof handle !== 'number') return handle;
  if (handle === Status.INVALID_ARGUMENT) throw notOpen(fd);
  throw errorFromStatus(handle, `send descriptor ${fd}`, systemText(handle));
}

/**
 * The number of what was offered; it is the caller's, and nobody gets it again. Throws
 * NotFoundError if there is nothing (any more), ERR_SYSTEM if this process has no number left.
 */
export function takeDescriptor(node: Node, handle: Uint8Array): number {
  const fd = node.native.takeDescriptor(handle);
  if (fd >= 0) return fd;
  const status = -fd;
  const what = 'take a descriptor';
  if (status === Status.NOT_FOUND) {
    throw new NotFoundError(
      `${what}: it is not there (any more): it was taken, or who sent it ended over 30 s ago`,
    );
  }
  if (status === Status.WRONG_NODE) {
    throw new NotSupportedError(`${what}: it is of another node; descriptors stay on theirs`);
  }
  throw errorFromStatus(status, what, systemText(status));
}

/** Closes what was offered, unless it was taken. */
export function withdrawDescriptor(node: Node, handle: Uint8Array): void {
  node.native.withdrawDescriptor(handle);
}
