/** Children of the ported tests of processes. */
import { appendFileSync, closeSync, readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { currentProcess, defineTask } from 'dragon-runtime';
import {
  addFinalizer,
  type Connection,
  nativeThreadId,
  Process,
  parentProcess,
  type Queue,
} from 'dragon-runtime/multiprocessing';

/** Takes what it is given, and does nothing with it. */
export const nothing = defineTask(
  import.meta.url,
  'nothing',
  (..._given: readonly unknown[]): void => undefined,
);

export const sleepFor = defineTask(
  import.meta.url,
  'sleepFor',
  async (ms: number): Promise<void> => {
    await sleep(ms);
  },
);

/** Tells all that it was given and what it is. */
export const tellAll = defineTask(
  import.meta.url,
  'tellAll',
  async (queue: Queue<unknown>, ...rest: unknown[]): Promise<void> => {
    const { name, pid, authkey, daemon } = currentProcess();
    await queue.put([rest, name, pid, authkey, daemon, nativeThreadId()]);
  },
);

/** Numbers of open descriptors but for doorbells of others, once all have begun. */
export const countDescriptors = defineTask(
  import.meta.url,
  'countDescriptors',
  async (begun: Queue<number>, go: Queue<number>, counts: Queue<number>): Promise<void> => {
    await begun.put(1);
    await go.get({ timeout: 8000 });
    const open = readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return !/\/bell\.\d+$/.test(readlinkSync(`/proc/self/fd/${fd}`));
      } catch {
        return false;
      }
    });
    await counts.put(open.length);
  },
);

/** Leaves a timer and a thread that keep it alive, and such that do not. */
export const leaveThreads = defineTask(import.meta.url, 'leaveThreads', (file: string): void => {
  const late = 100;
  setTimeout(() => appendFileSync(file, 'timer\n'), late);
  setTimeout(() => appendFileSync(file, 'idle timer\n'), 60_000).unref();
  const write = `require('fs').appendFileSync(${JSON.stringify(file)}, 'thread\\n')`;
  new Worker(`setTimeout(() => ${write}, ${late})`, { eval: true });
  new Worker('setInterval(() => 0, 1000)', { eval: true }).unref();
});

export type Break = 'destroy' | 'close' | 'both';

/** Breaks its standard streams, writes to them, and ends as if nothing were. */
export const breakStreams = defineTask(
  import.meta.url,
  'breakStreams',
  async (how: Break, file: string): Promise<void> => {
    if (how !== 'close') for (const stream of [process.stdout, process.stderr]) stream.destroy();
    if (how !== 'destroy') for (const descriptor of [1, 2]) closeSync(descriptor);
    for (const stream of [process.stdout, process.stderr]) {
      stream.on('error', () => undefined);
      stream.write('nobody reads this\n');
    }
    const child = new Process({ target: append, args: [file, 'child'] });
    await child.start();
    await child.join({ throw: true });
    appendFileSync(file, 'parent\n');
  },
);

export const append = defineTask(import.meta.url, 'append', (file: string, text: string): void =>
  appendFileSync(file, `${text}\n`),
);

/** Writes at its end by a finalizer and by a listener of Node's own. */
export const writeAtExit = defineTask(import.meta.url, 'writeAtExit', (file: string): void => {
  process.on('exit', () => appendFileSync(file, 'listener\n'));
  addFinalizer(() => appendFileSync(file, 'finalizer\n'));
});

/** Fails deep in a stack. */
export const failDeeply = defineTask(import.meta.url, 'failDeeply', (): number => outer(0));

function outer(number: number): number {
  return inner(number) + 1;
}

function inner(number: number): number {
  if (number === 0) throw new RangeError('no number but zero');
  return number;
}

/** Counts signals while it waits for messages and sends them back; both flavours. */
export const echoUnderSignals = defineTask(
  import.meta.url,
  'echoUnderSignals',
  async (line: Connection<unknown>, sync: boolean): Promise<void> => {
    let signals = 0;
    process.on('SIGUSR2', () => {
      signals += 1;
    });
    await line.send('ready');
    for (;;) {
      const message = sync ? line.recvSync() : await line.recv();
      if (message === null) break;
      if (sync) line.sendSync(message);
      else await line.send(message);
    }
    // Handlers of signals that came while the thread was blocked run when the event loop turns.
    await sleep(5);
    await line.send(signals);
  },
);

/** Sends a process signals until it is told to stop by its own end. */
export const signalOften = defineTask(
  import.meta.url,
  'signalOften',
  async (pid: number, times: number, everyMs: number): Promise<void> => {
    for (let i = 0; i < times; i++) {
      process.kill(pid, 'SIGUSR2');
      await sleep(everyMs);
    }
  },
);

/** What became of a node of a tree: one line each in a file. */
export interface TreeLine {
  readonly event: 'born' | 'done';
  readonly node: number;
  readonly pid: number;
  readonly parentPid: number | undefined;
  readonly daemon: boolean;
}

/** Node i of a tree hangs below `parents[i]`; node 0 is the root. */
export interface Tree {
  readonly parents: readonly number[];
  readonly daemons: readonly boolean[];
}

/** Starts the nodes below it and ends without joining them; a daemon waits to be ended. */
export const growTree = defineTask(
  import.meta.url,
  'growTree',
  async (file: string, tree: Tree, node: number): Promise<void> => {
    const { pid, daemon } = currentProcess();
    const tell = (event: TreeLine['event']): void => {
      const line: TreeLine = { event, node, pid, parentPid: parentProcess()?.pid, daemon };
      appendFileSync(file, `${JSON.stringify(line)}\n`);
    };
    tell('born');
    const below = tree.parents.flatMap((parent, at) => (at > 0 && parent === node ? [at] : []));
    const children = below.map((at) => {
      const isDaemon = daemon || tree.daemons[at] === true;
      return new Process({ target: growTree, args: [file, tree, at], daemon: isDaemon });
    });
    await Promise.all(children.map((child) => child.start()));
    while (daemon) await sleep(10_000);
    tell('done');
  },
);

/** Sends a process signals of several kinds at chosen distances. */
export const storm = defineTask(
  import.meta.url,
  'storm',
  async (pid: number, pausesMs: readonly number[]): Promise<void> => {
    for (const [i, pauseMs] of pausesMs.entries()) {
      process.kill(pid, i % 2 === 0 ? 'SIGUSR2' : 'SIGALRM');
      await sleep(pauseMs);
    }
  },
);

/** Gives back what it was given and where it is; standard input goes to standard output. */
export const giveBackAll = defineTask(
  import.meta.url,
  'giveBackAll',
  async (queue: Queue<unknown>, variable: string, ...args: unknown[]): Promise<void> => {
    await queue.put([args, process.env[variable], process.cwd(), process.argv.length]);
    for await (const bytes of process.stdin) process.stdout.write(bytes);
  },
);
