/** The core of dragon: nodes, pools, channels and locks over shared memory. */
export {
  Channel,
  type ChannelOptions,
  type Lent,
  type Message,
  type PollEvent,
  ReceiveHandle,
  type RoleName,
  SendHandle,
  type SendOptions,
} from './channel.ts';
export { type LockOptions, RobustLock } from './lock.ts';
export type { ActorInfo, PoolStats, ReclaimReport, WaitInfo } from './native.ts';
export { type ActorEvent, Node, type NodeCreateOptions, WellKnown } from './node.ts';
export { Allocation, Pool, type PoolOptions } from './pool.ts';
export type { WaitOptions } from './wait.ts';
