/** The core of dragon: nodes, pools, channels and locks over shared memory. */
export { Allocation } from './allocation.ts';
export {
  Channel,
  type ChannelOptions,
  type Lent,
  type PollEvent,
  type RoleName,
} from './channel.ts';
export type { EndOptions, WaitMode } from './channel-end.ts';
export * from './events.ts';
export { type LockOptions, RobustLock } from './lock.ts';
export { Message } from './message.ts';
export type { ActorInfo, ChannelInfo, PoolStats, ReclaimReport, WaitInfo } from './native.ts';
export { type ActorEvent, Node, type NodeCreateOptions, WellKnown } from './node.ts';
export {
  type AllocationInfo,
  type AllocationType,
  Pool,
  type PoolOptions,
  type PoolPlacement,
} from './pool.ts';
export { type Received, ReceiveHandle, type ReceiverOptions } from './receive-handle.ts';
export {
  type Payload,
  type ReturnMode,
  type SenderOptions,
  SendHandle,
  type SendOptions,
  snapshot,
} from './send-handle.ts';
export { Lane, NOT_YET, type WaitOptions } from './wait.ts';
export { type WaitPlace, waitAny, waitAnySync } from './wait-any.ts';
