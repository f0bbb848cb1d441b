/** The core of dragon: nodes, pools, channels and locks over shared memory. */
export { Allocation } from './allocation.ts';
export {
  Channel,
  type ChannelOptions,
  type Lent,
  type PollEvent,
  type RoleName,
} from './channel.ts';
export * from './events.ts';
export { type LockOptions, RobustLock } from './lock.ts';
export { Message } from './message.ts';
export type { ActorInfo, PoolStats, ReclaimReport, WaitInfo } from './native.ts';
export { type ActorEvent, Node, type NodeCreateOptions, WellKnown } from './node.ts';
export {
  type AllocationInfo,
  type AllocationType,
  Pool,
  type PoolOptions,
  type PoolPlacement,
} from './pool.ts';
export { ReceiveHandle } from './receive-handle.ts';
export { type Payload, SendHandle, type SendOptions } from './send-handle.ts';
export type { WaitOptions } from './wait.ts';
