/**
 * What the locks of all kinds have in common: what becomes of them when their holder dies.
 *
 * Non-goals: no waiting; the core's robust lock does that.
 */
import { RobustLock } from '../core/index.ts';
import { getRuntime } from '../runtime/client/index.ts';
import { OwnerDiedError } from '../runtime/errors/index.ts';

export interface LockOptions {
  /** False gives Python's behaviour: a lock whose holder died stays taken. Default true. */
  readonly robust?: boolean;
  /**
   * What taking the lock from a dead holder does. `report` only sets `ownerDied`; `throw`
   * also releases the lock and throws OwnerDiedError, once. By default `run` throws and the
   * other calls report.
   */
  readonly onOwnerDied?: 'report' | 'throw';
}

export type OnOwnerDied = LockOptions['onOwnerDied'];

/** How a lock's options travel in its descriptor: one byte in front of the handle. */
const ROBUST = 1;
const REPORT = 2;
const THROW = 4;

/** What makes a lock from its descriptor instead of a new one. */
export class RevivedLock {
  readonly core: RobustLock;
  readonly options: LockOptions;

  constructor(core: RobustLock, options: LockOptions) {
    this.core = core;
    this.options = options;
  }
}

/** What a lock is made of: a new one in the node's default pool, or one that arrived. */
export function partsOf(given: LockOptions | RevivedLock): Pick<RevivedLock, 'core' | 'options'> {
  if (given instanceof RevivedLock) return given;
  const robust = given.robust ?? true;
  return { core: RobustLock.create(getRuntime().pool, { robust }), options: given };
}

/** The core's descriptor with the options in front of it. */
export function withOptions(descriptor: Uint8Array, options: LockOptions): Uint8Array {
  const bytes = new Uint8Array(1 + descriptor.byteLength);
  const choice = { report: REPORT, throw: THROW, none: 0 }[options.onOwnerDied ?? 'none'];
  bytes[0] = ((options.robust ?? true) ? ROBUST : 0) | choice;
  bytes.set(descriptor, 1);
  return bytes;
}

/** The options that stand in front of a descriptor. */
export function optionsIn(bytes: Uint8Array): LockOptions {
  const flags = bytes[0] ?? 0;
  const onOwnerDied = flags & THROW ? 'throw' : flags & REPORT ? 'report' : undefined;
  const robust = (flags & ROBUST) !== 0;
  return onOwnerDied === undefined ? { robust } : { robust, onOwnerDied };
}

export const ownerDiedError = (): OwnerDiedError =>
  new OwnerDiedError('the last holder of the lock died while it held it');

/** Called with the lock just taken: true, or throws and frees it when its last holder died. */
export function inherit(
  lock: RobustLock,
  choice: OnOwnerDied,
  byDefault: 'report' | 'throw',
): true {
  if (!lock.ownerDied || (choice ?? byDefault) === 'report') return true;
  lock.release();
  throw ownerDiedError();
}
