// One class for each condition that a program tells apart, with the code that it carries.
// Non-goals: conditions that nobody catches one by one; they are plain `DragonError`s with a code.
import { brand, DragonError, type DragonErrorOptions } from './dragon-error.ts';

/** A queue had nothing to give within the time allowed. */
export class QueueEmpty extends DragonError {
  static override readonly defaultCode: string = 'ERR_QUEUE_EMPTY';
}

/** A queue had no room within the time allowed. */
export class QueueFull extends DragonError {
  static override readonly defaultCode: string = 'ERR_QUEUE_FULL';
}

/** The object was used after it had been closed in this process. */
export class ClosedError extends DragonError {
  static override readonly defaultCode: string = 'ERR_CLOSED';
}

/** A deadline passed first. */
export class TimeoutError extends DragonError {
  static override readonly defaultCode: string = 'ERR_TIMEOUT';
}

/** The barrier was broken by a time-out, an abort or a reset. */
export class BrokenBarrierError extends DragonError {
  static override readonly defaultCode: string = 'ERR_BARRIER_BROKEN';
}

/** Every writer has closed and nothing is left to read. */
export class EOFError extends DragonError {
  static override readonly defaultCode: string = 'ERR_EOF';
}

/** Every reader has closed: what is written would never be read. */
export class BrokenPipeError extends DragonError {
  static override readonly defaultCode: string = 'ERR_BROKEN_PIPE';
}

/** The received message did not fit the caller's buffer; it is kept in `bytes`. */
export class BufferTooShort extends DragonError {
  static override readonly defaultCode: string = 'ERR_BUFFER_TOO_SHORT';
  declare readonly bytes: Uint8Array;

  constructor(message: string, bytes: Uint8Array, options: DragonErrorOptions = {}) {
    super(message, options);
    Object.defineProperty(this, 'bytes', { value: bytes, enumerable: true });
  }
}

/** The other side could not prove that it knows the key. */
export class AuthenticationError extends DragonError {
  static override readonly defaultCode: string = 'ERR_AUTH';
}

/** An error of a class that is unknown here was thrown elsewhere; `name` is the one it had. */
export class RemoteError extends DragonError {
  static override readonly defaultCode: string = 'ERR_REMOTE';
}

/** The last cause of an error thrown in another process: the stack it had there. */
export class RemoteTraceback extends DragonError {
  static override readonly defaultCode: string = 'ERR_REMOTE';

  constructor(traceback: string, options: DragonErrorOptions = {}) {
    super(traceback, options);
    // The text is a stack of its own; this process's frames below it would only mislead.
    Object.defineProperty(this, 'stack', {
      value: `RemoteTraceback: ${traceback}`,
      writable: true,
      configurable: true,
    });
  }
}

/** A value can't be carried to another process; the message names the place inside it. */
export class SerializeError extends DragonError {
  static override readonly defaultCode: string = 'ERR_ENCODE';
}

/** The result of a task could not be carried back. */
export class ResultEncodingError extends SerializeError {}

/** The bytes are not a value that the codec wrote. */
export class DecodeError extends DragonError {
  static override readonly defaultCode: string = 'ERR_DECODE';
}

/** The caller does not hold what it tries to give back or use. */
export class NotOwnerError extends DragonError {
  static override readonly defaultCode: string = 'ERR_NOT_OWNER';
}

/** Nobody holds the lock that the call needs held. */
export class NotLockedError extends NotOwnerError {}

/** The holder of a lock died; what the lock protects may be inconsistent. */
export class OwnerDiedError extends DragonError {
  static override readonly defaultCode: string = 'ERR_OWNER_DIED';
}

/** No object of this name or id. */
export class NotFoundError extends DragonError {
  static override readonly defaultCode: string = 'ENOENT';
}

/** An object of this name exists. */
export class ExistsError extends DragonError {
  static override readonly defaultCode: string = 'EEXIST';
}

/** The object behind the handle is gone for everybody. */
export class ObjectDestroyedError extends DragonError {
  static override readonly defaultCode: string = 'ERR_OBJECT_DESTROYED';
}

/** The pool can't hold the allocation now, or (`ERR_TOO_LARGE`) ever. */
export class OutOfMemoryError extends DragonError {
  static override readonly defaultCode: string = 'ERR_OUT_OF_MEMORY';
}

export type ProcessErrorOptions = DragonErrorOptions & {
  exitCode?: number | null;
  signal?: string | null;
  puid?: bigint;
};

/** A process could not be started, or ended in a way that the caller asked to be told. */
export class ProcessError extends DragonError {
  static override readonly defaultCode: string = 'ERR_PROCESS';
  declare readonly exitCode?: number | null;
  declare readonly signal?: string | null;
  declare readonly puid?: bigint;

  constructor(message: string, options: ProcessErrorOptions = {}) {
    super(message, options);
    const { exitCode, signal, puid } = options;
    const given = Object.entries({ exitCode, signal, puid });
    Object.assign(this, Object.fromEntries(given.filter(([, value]) => value !== undefined)));
  }
}

/** A pool worker died while it ran the task. */
export class WorkerDied extends ProcessError {
  static override readonly defaultCode: string = 'ERR_WORKER_DIED';
}

/** The module of a target, or the export in it, is missing. */
export class TaskNotFoundError extends ProcessError {
  static override readonly defaultCode: string = 'ERR_TARGET_NOT_FOUND';
}

/** The program can't be loaded: missing file, syntax error, import that leads nowhere. */
export class ProgramError extends ProcessError {
  static override readonly defaultCode: string = 'ERR_PROGRAM';
}

/** The container changed while it was iterated. */
export class ConcurrentModificationError extends DragonError {
  static override readonly defaultCode: string = 'ERR_MODIFIED';
}

/** The operation exists elsewhere, but not here. */
export class NotSupportedError extends DragonError {
  static override readonly defaultCode: string = 'ERR_NOT_SUPPORTED';
}

/** Every class of the family but the base, by its name. */
export const errorClasses = {
  QueueEmpty,
  QueueFull,
  ClosedError,
  TimeoutError,
  BrokenBarrierError,
  EOFError,
  BrokenPipeError,
  BufferTooShort,
  AuthenticationError,
  RemoteError,
  RemoteTraceback,
  SerializeError,
  ResultEncodingError,
  DecodeError,
  NotOwnerError,
  NotLockedError,
  OwnerDiedError,
  NotFoundError,
  ExistsError,
  ObjectDestroyedError,
  OutOfMemoryError,
  ProcessError,
  WorkerDied,
  TaskNotFoundError,
  ProgramError,
  ConcurrentModificationError,
  NotSupportedError,
} as const;

for (const [name, errorClass] of Object.entries(errorClasses)) {
  brand(errorClass as unknown as typeof DragonError, name);
}
