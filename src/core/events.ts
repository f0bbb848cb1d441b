/** The objects that processes meet at. */
export { Barrier, type BarrierOptions, type BarrierWaitOptions } from './barrier.ts';
export { type BlockedWait, blockedWaits } from './blocked.ts';
export { Broadcast, type BroadcastOptions, type Round } from './broadcast.ts';
export { ChannelSet, type Ready, type SetEvent, type WatchEvent } from './channel-set.ts';
export { Condition, type ConditionOptions } from './condition.ts';
export { Event } from './event.ts';
export type { AttachOptions } from './managed.ts';
export { Region } from './region.ts';
export { RwGuard, RwLock, type RwLockOptions } from './rw-lock.ts';
export { type AcquireOptions, Semaphore, type SemaphoreOptions } from './semaphore.ts';
export { TaskBoard, type TaskBoardOptions } from './task-board.ts';
