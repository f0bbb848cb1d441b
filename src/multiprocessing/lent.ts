/**
 * Receiving a reference that another process has lent.
 *
 * The reference was the sender's until now, and is lost if the sender has ended meanwhile.
 * The object may live on, since others hold it: then it is attached to like by its name.
 */
import { DragonError } from '../runtime/errors/index.ts';

export interface Taken<T> {
  readonly object: T;
  /** True when the lent reference was taken over; false when the object was attached anew. */
  readonly adopted: boolean;
}

/** Throws ERR_OBJECT_DESTROYED when neither the reference nor the object is left. */
export function takeOver<T>(attach: (options: { readonly adopt: boolean }) => T): Taken<T> {
  try {
    return { object: attach({ adopt: true }), adopted: true };
  } catch (error) {
    if (!DragonError.is(error) || error.code !== 'ERR_OBJECT_DESTROYED') throw error;
    return { object: attach({ adopt: false }), adopted: false };
  }
}
