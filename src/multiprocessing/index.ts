/** Multiprocessing: processes, pipes, queues, locks and pools of workers. */
export { Barrier, type BarrierOptions } from './barrier.ts';
export { Condition, type ConditionOptions } from './condition.ts';
export {
  Connection,
  type ConnectionReader,
  type ConnectionWriter,
  type TryRecvResult,
} from './connection.ts';
export {
  type Context,
  getAllStartMethods,
  getContext,
  getStartMethod,
  type StartMethod,
  setStartMethod,
} from './context.ts';
export {
  activeChildren,
  activeChildrenSync,
  type CurrentProcess,
  cpuCount,
  currentProcess,
  nativeThreadId,
  type ParentProcess,
  parentProcess,
} from './current.ts';
export { Event } from './event.ts';
export { getExecutable, setExecutable } from './executable.ts';
export { exit } from './exit.ts';
export { addFinalizer, type Finalizer, type FinalizerOptions } from './finalizer.ts';
export { JoinableQueue, type JoinableQueueOptions } from './joinable-queue.ts';
export { Lock, LockGuard, type LockOptions, type RunResult } from './lock.ts';
export {
  getLogger,
  type Logger,
  type LogHandler,
  LogLevel,
  type LogLevelName,
  type LogRecord,
  logToStderr,
} from './logger.ts';
export { type PipeOptions, pipe } from './pipe.ts';
export { AsyncResult } from './pool/async-result.ts';
export type { Input } from './pool/chunks.ts';
export type { PoolIterator } from './pool/iterators.ts';
export type {
  ApplyAsyncOptions,
  CallOptions,
  IterateOptions,
  MapAsyncOptions,
  MapOptions,
  PoolOptions,
} from './pool/options.ts';
export { Pool } from './pool/pool.ts';
export { type ExitListener, Process } from './process.ts';
export type {
  JoinOptions,
  NativeOptions,
  PlaceOptions,
  ProcessOptions,
  ScriptOptions,
  Stdio,
  StreamFile,
} from './process-options.ts';
export { Queue, type QueueOptions, type TryGetResult } from './queue.ts';
export { type Borrowed, borrow, release } from './release.ts';
export { RLock, RLockGuard } from './rlock.ts';
export {
  type AcquireOptions,
  BoundedSemaphore,
  Semaphore,
  SemaphoreGuard,
} from './semaphore.ts';
export { Sentinel } from './sentinel.ts';
export { array, RawArray, rawArray, SharedArray as Array } from './shared/array.ts';
export type { ElementOf, InputOf, TypeCode, ViewOf } from './shared/codes.ts';
export type { ListItem } from './shared/list-slots.ts';
export { ShareableList, type ShareableListOptions } from './shared/shareable-list.ts';
export { SharedMemory, type SharedMemoryOptions } from './shared/shared-memory.ts';
export { RawStruct, rawStruct, SharedStruct, struct } from './shared/struct.ts';
export type {
  FieldLayout,
  FieldsOf,
  FieldType,
  StructInput,
  StructLayout,
  StructSchema,
} from './shared/struct-layout.ts';
export { RawValue, rawValue, Value, value } from './shared/value.ts';
export { SharedDescriptor } from './shared-descriptor.ts';
export { SimpleQueue } from './simple-queue.ts';
export type { ExplicitTarget, Target } from './targets.ts';
export { wait, waitSync } from './wait.ts';
export { type Waitable, type Watch, waitable } from './waitable.ts';
export { type WaitableSocket, waitableSocket } from './waitable-socket.ts';
