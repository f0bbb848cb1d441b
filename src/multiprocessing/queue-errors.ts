/** What a queue says when its channel says no. */
import { ClosedError, DragonError, QueueEmpty, QueueFull } from '../runtime/errors/index.ts';

export const emptyError = (): Error => new QueueEmpty('get: the queue stayed empty');
export const fullError = (): Error => new QueueFull('put: the queue stayed full');

/** The queue's own error for a channel's time-out or end. */
export function queueError(error: unknown, onTimeout?: () => Error): unknown {
  if (!DragonError.is(error)) return error;
  if (error.code === 'ERR_TIMEOUT' && onTimeout !== undefined) return onTimeout();
  if (error.code === 'ERR_OBJECT_DESTROYED') {
    return new ClosedError('the queue was destroyed', { cause: error });
  }
  return error;
}

/** Notes in an error how much of a batch was done before it; it may tell itself of a part. */
export function withDone(error: unknown, before: number): unknown {
  const told = queueError(error, fullError);
  if (!DragonError.is(error) || !DragonError.is(told)) return told;
  const more = error.details?.['done'];
  const done = before + (typeof more === 'number' ? more : 0);
  return Object.assign(told, { details: { ...told.details, done } });
}
