/**
 * Start methods: what a process is, and the objects that go with it.
 *
 * Goals: programs that choose one by name find out at once whether there is such a one.
 */
import { DragonError, NotSupportedError } from '../runtime/errors/index.ts';
import { activeChildren, cpuCount, currentProcess, parentProcess } from './current.ts';
import { setExecutable } from './executable.ts';
import { getLogger, logToStderr } from './logger.ts';
import { Process } from './process.ts';

/** `dragon`: processes of the run. */
export type StartMethod = 'dragon';

/** What belongs to one start method. */
export interface Context {
  readonly startMethod: StartMethod;
  readonly Process: typeof Process;
  readonly activeChildren: typeof activeChildren;
  readonly cpuCount: typeof cpuCount;
  readonly currentProcess: typeof currentProcess;
  readonly getLogger: typeof getLogger;
  readonly logToStderr: typeof logToStderr;
  readonly parentProcess: typeof parentProcess;
  readonly setExecutable: typeof setExecutable;
}

const relatives = { activeChildren, cpuCount, currentProcess, parentProcess };
const settings = { getLogger, logToStderr, setExecutable };
const dragon: Context = Object.freeze({
  startMethod: 'dragon',
  Process,
  ...relatives,
  ...settings,
});

let chosen: StartMethod | undefined;

/** The objects of a start method, or of the chosen one. */
export function getContext(method?: StartMethod): Context {
  check(method ?? 'dragon');
  return dragon;
}

/** The chosen start method; the default is chosen by asking. */
export function getStartMethod(): StartMethod {
  chosen ??= 'dragon';
  return chosen;
}

/** Chooses the start method, once; with `force` anew. */
export function setStartMethod(method: StartMethod, { force = false } = {}): void {
  check(method);
  if (chosen !== undefined && !force) {
    const text = `setStartMethod: it is ${chosen} already; pass { force: true } to change it`;
    throw new DragonError(text, { code: 'ERR_STATE' });
  }
  chosen = method;
}

/** Those that there are; the first is the default. */
export function getAllStartMethods(): StartMethod[] {
  return ['dragon'];
}

function check(method: string): void {
  if (method === 'dragon') return;
  throw new NotSupportedError(`the start method ${method} does not exist; there is dragon`);
}
