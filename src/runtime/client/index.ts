/**
 * The client of the services: how a process of a run reaches its runtime.
 *
 * A program that never asks for the runtime never attaches to it.
 */
import { Channel, Node, Pool, WellKnown } from '../../core/index.ts';
import { environment } from '../bootstrap/environment.ts';
import { Status } from '../errors/codes.ts';
import { errorFromStatus } from '../errors/index.ts';
import { Runtime } from './runtime.ts';

export type { NodeInfo, ProcessExit, ProcessInfo } from '../../services/messages/index.ts';
export type { Child } from './children.ts';
export type { Executable, ProcessOptions, TargetCall } from './creation.ts';
export { whenEnding } from './ending.ts';
export {
  identity,
  isLoadingTarget,
  isRoot,
  type ParentIdentity,
  type ProcessIdentity,
  setLoadingTarget,
} from './identity.ts';
export { type Inherited, inherit, inherited } from './inherited.ts';
export type {
  JoinOptions,
  JoinResult,
  LookupOptions,
  NamedObject,
  RegisterResult,
  Runtime,
  StartedProcess,
} from './runtime.ts';

/** How long the services may take to come up after the head has been started. */
const SERVICES_PATIENCE_MS = 5000;
const LOOK_AGAIN_MS = 1;

let runtime: Runtime | undefined;

/** The runtime of this process, or of this worker thread. Throws ERR_NO_RUNTIME outside one. */
export function getRuntime(): Runtime {
  runtime ??= attach();
  return runtime;
}

/** Whether this process has attached to its runtime, which `getRuntime` does. */
export function hasAttached(): boolean {
  return runtime !== undefined;
}

function attach(): Runtime {
  const { runtimeDir, puid } = environment();
  if (runtimeDir === undefined) throw errorFromStatus(Status.NO_RUNTIME, 'use the runtime');
  return attachRuntime(runtimeDir, puid);
}

/** Attaches to the run in a directory; for tools that look at it from outside. */
export function attachRuntime(runtimeDir: string, puid = 0n): Runtime {
  const node = Node.attach(runtimeDir);
  const services = wellKnown(node, WellKnown.globalServices);
  const replies = Pool.attach(node, wellKnown(node, WellKnown.infrastructurePool));
  return new Runtime(node, replies, Channel.attach(node, services), puid);
}

/** The head may be faster than the services; it waits for them. */
function wellKnown(node: Node, index: number): Uint8Array {
  const deadlineMs = performance.now() + SERVICES_PATIENCE_MS;
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    const handle = node.wellKnown(index);
    if (handle !== undefined) return handle;
    if (performance.now() > deadlineMs) {
      throw errorFromStatus(Status.RUNTIME_GONE, 'use the runtime', 'its services are not up');
    }
    Atomics.wait(pause, 0, 0, LOOK_AGAIN_MS);
  }
}
