/** Multiprocessing: processes, pipes, queues, locks and pools of workers. */
export {
  Connection,
  type ConnectionReader,
  type ConnectionWriter,
  type TryRecvResult,
} from './connection.ts';
export {
  activeChildren,
  activeChildrenSync,
  type CurrentProcess,
  cpuCount,
  currentProcess,
  type ParentProcess,
  parentProcess,
} from './current.ts';
export { Lock, LockGuard, type LockOptions } from './lock.ts';
export { type PipeOptions, pipe } from './pipe.ts';
export type { Input } from './pool/chunks.ts';
export type { PoolIterator } from './pool/iterators.ts';
export {
  type CallOptions,
  type IterateOptions,
  type MapOptions,
  Pool,
  type PoolOptions,
} from './pool/pool.ts';
export {
  type JoinOptions,
  type NativeOptions,
  type PlaceOptions,
  Process,
  type ProcessOptions,
  type Stdio,
} from './process.ts';
export { Queue, type QueueOptions, type TryGetResult } from './queue.ts';
export type { ExplicitTarget, Target } from './targets.ts';
