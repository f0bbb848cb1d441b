/**
 * What runs in a process that was started to call a target function.
 *
 * It receives the target and its arguments, loads them, tells local services that it has
 * started, calls the target and lives on as any Node.js program does, until its event loop
 * has nothing to do. Non-goals: the head, which is a program of its own.
 */
import { inspect } from 'node:util';
import { decode, encodeError } from '../../codec/index.ts';
import { Allocation, Channel, WellKnown } from '../../core/index.ts';
import {
  decodeMessage,
  type Event,
  encodeMessage,
  type StartTarget,
} from '../../services/messages/index.ts';
import { setIdentity, setLoadingTarget } from '../client/identity.ts';
import { getRuntime, type Inherited, inherit, type Runtime } from '../client/index.ts';
import { Status } from '../errors/codes.ts';
import { DragonError, errorFromStatus, ProcessError } from '../errors/index.ts';
import { importTarget, type TargetReference } from '../loader/index.ts';
import { environment } from './environment.ts';

type Call = () => unknown;

/** What is already in the start channel when the process is started needs no patience. */
const START_PATIENCE_MS = 5000;
const EXIT_FAILED = 1;
/** The exit code of Node.js for a promise that nothing will settle. */
const EXIT_UNSETTLED = 13;

/** Runs the target that this process was started for. */
export async function runStartedProcess(): Promise<void> {
  const runtime = attached();
  const { puid } = runtime;
  const report = reporter(runtime);
  let call: Call;
  try {
    call = await loadCall(runtime);
  } catch (error) {
    report({ type: 'ProcessStartFailed', puid, error: encodeError(error) });
    process.exit(EXIT_FAILED);
  }
  process.on('uncaughtExceptionMonitor', (error) => {
    // A program that handles such errors itself goes on.
    if (process.listenerCount('uncaughtException') > 0) return;
    report({ type: 'ProcessFailed', puid, error: encodeError(error) });
  });
  report({ type: 'ProcessStarted', puid });
  await runCall(call, (error) => {
    report({ type: 'ProcessFailed', puid, error: encodeError(error) });
  });
}

/** The runtime; without one nobody can be told, but the user. */
function attached(): Runtime {
  try {
    return getRuntime();
  } catch (error) {
    process.stderr.write(`this process could not be started: ${textOf(error)}\n`);
    process.exit(EXIT_FAILED);
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function runCall(call: Call, reportFailure: (error: unknown) => void): Promise<void> {
  let settled = false;
  const onBeforeExit = (): void => {
    if (settled) return;
    settled = true;
    const error = new ProcessError(
      'the promise of the target is pending and nothing is left to do',
      {
        code: 'ERR_UNSETTLED',
      },
    );
    reportFailure(error);
    process.stderr.write(`Warning: ${error.message}\n`);
    process.exitCode = EXIT_UNSETTLED;
  };
  process.on('beforeExit', onBeforeExit);
  try {
    await call();
    settled = true;
  } catch (error) {
    settled = true;
    reportFailure(error);
    process.stderr.write(`${describe(error)}\n`);
    process.exit(EXIT_FAILED);
  } finally {
    process.off('beforeExit', onBeforeExit);
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? inspect(error) : `Uncaught ${inspect(error)}`;
}

/** Tells local services something; they may be gone, and then nobody wants to know. */
function reporter(runtime: Runtime): (event: Event) => void {
  const handle = runtime.node.wellKnown(WellKnown.localServices);
  if (handle === undefined) throw errorFromStatus(Status.RUNTIME_GONE, 'start a process');
  const sender = Channel.attach(runtime.node, handle).openSender();
  return (event) => {
    try {
      sender.sendSync(encodeMessage(event));
    } catch (error) {
      if (!DragonError.is(error)) throw error;
      process.stderr.write(`a message to the services was lost: ${error.message}\n`);
    }
  };
}

/** The call that the start channel asks for, with its arguments. */
async function loadCall(runtime: Runtime): Promise<Call> {
  const start = receiveStart(runtime);
  const { parent, parentPid, parentLabel, label, daemon } = start;
  const { puid } = runtime;
  setIdentity({
    puid,
    label,
    daemon,
    parent: { puid: parent, pid: parentPid, label: parentLabel },
  });
  inherit(start.inherited as Inherited);
  setLoadingTarget(true);
  const target = await importTarget(start.target as TargetReference);
  setLoadingTarget(false);
  const args = decode(argumentBytes(runtime, start));
  if (!Array.isArray(args)) throw errorFromStatus(Status.DECODE, 'decode the arguments');
  return () => (target as (...args: unknown[]) => unknown)(...args);
}

function receiveStart(runtime: Runtime): StartTarget {
  const { start } = environment();
  if (start === undefined) throw errorFromStatus(Status.NO_RUNTIME, 'start a process');
  const channel = Channel.attach(runtime.node, start);
  const receiver = channel.openReceiver();
  const message = decodeMessage(receiver.receiveSync({ timeout: START_PATIENCE_MS }).bytes);
  receiver.close();
  channel.close();
  if (message.type === 'StartTarget') return message;
  throw errorFromStatus(Status.INVALID_MESSAGE, 'start a process', `found ${message.type}`);
}

/** The arguments' bytes; many are read from memory that the parent keeps until the start. */
function argumentBytes({ node }: Runtime, { args, argsHandle }: StartTarget): Uint8Array {
  return argsHandle === undefined ? args : Allocation.attach(node, argsHandle).read();
}
