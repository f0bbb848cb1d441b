/** What single processes do in the tests of the process object. */
import { existsSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { currentProcess, defineTask, inline } from 'dragon-runtime';
import {
  activeChildren,
  type Connection,
  Process,
  parentProcess,
  type Queue,
} from 'dragon-runtime/multiprocessing';

/** What is open here, but for the doorbells of others: whose it had to ring is chance. */
function descriptors(): string[] {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return !/\/bell\.\d+$/.test(readlinkSync(`/proc/self/fd/${fd}`));
    } catch {
      return false; // the descriptor of the listing itself
    }
  });
}

export const doNothing = defineTask(import.meta.url, 'doNothing', (): void => undefined);

/** Sends its arguments back. */
export const giveBack = defineTask(
  import.meta.url,
  'giveBack',
  async (queue: Queue<unknown>, ...args: unknown[]): Promise<void> => {
    await queue.put(args);
  },
);

/** Waits until it is killed. */
export const waitForEver = defineTask(import.meta.url, 'waitForEver', async (): Promise<void> => {
  for (;;) await sleep(10_000);
});

/** Ignores SIGTERM, says so, and waits. */
export const ignoreSigterm = defineTask(
  import.meta.url,
  'ignoreSigterm',
  async (queue: Queue<string>): Promise<void> => {
    process.on('SIGTERM', () => undefined);
    await queue.put('ignoring');
    for (;;) await sleep(10_000);
  },
);

export type Ending =
  | { readonly kind: 'return' }
  | { readonly kind: 'exit' | 'exitCode'; readonly code: number }
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals }
  | { readonly kind: 'throw' | 'reject' | 'throw later' | 'unsettled' };

/** Ends in the way that it is told. */
export const end = defineTask(import.meta.url, 'end', (ending: Ending): unknown => {
  switch (ending.kind) {
    case 'return':
      return 'a result that nobody takes';
    case 'exit':
      return process.exit(ending.code);
    case 'exitCode':
      process.exitCode = ending.code;
      return undefined;
    case 'signal':
      process.kill(process.pid, ending.signal);
      return sleep(10_000);
    case 'throw':
      throw Object.assign(new RangeError('thrown'), { code: 'E_THROWN', extra: [1, 2] });
    case 'reject':
      return Promise.reject(new TypeError('rejected'));
    case 'throw later':
      setTimeout(() => {
        throw new SyntaxError('later');
      }, 1);
      return undefined;
    case 'unsettled':
      return new Promise(() => undefined);
  }
});

/** What a process knows of itself and of its parent. */
export interface Self {
  readonly name: string;
  readonly pid: number;
  readonly puid: bigint;
  readonly daemon: boolean;
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly execArgv: readonly string[];
  readonly parent: { readonly name: string; readonly pid: number; readonly alive: boolean };
  readonly children: number;
  readonly descriptors: number;
}

/** Tells about itself and some variables of its environment. */
export const describeSelf = defineTask(
  import.meta.url,
  'describeSelf',
  async (queue: Queue<Self>, variables: readonly string[] = []): Promise<void> => {
    const parent = parentProcess();
    await queue.put({
      ...currentProcess(),
      cwd: process.cwd(),
      environment: Object.fromEntries(variables.map((name) => [name, process.env[name]])),
      execArgv: process.execArgv,
      parent: {
        name: parent?.name ?? '',
        pid: parent?.pid ?? 0,
        alive: parent?.isAlive() ?? false,
      },
      children: (await activeChildren()).length,
      descriptors: descriptors().length,
    });
  },
);

/** Starts a child that watches this process, and waits. */
export const startWatcher = defineTask(
  import.meta.url,
  'startWatcher',
  async (queue: Queue<unknown>): Promise<void> => {
    const watcher = new Process({ target: watchParent, args: [queue], daemon: false });
    await watcher.start();
    await sleep(60_000);
  },
);

/** Tells whether its parent lives, before and after joining it. */
export const watchParent = defineTask(
  import.meta.url,
  'watchParent',
  async (queue: Queue<unknown>): Promise<void> => {
    const parent = parentProcess();
    await queue.put(['before', parent?.isAlive(), await parent?.join({ timeout: 0 })]);
    await queue.put(['after', await parent?.join({ timeout: 10_000 }), parent?.isAlive()]);
  },
);

/** A tree of processes: each reports its path before its children do. */
export const recurse = defineTask(
  import.meta.url,
  'recurse',
  async (line: Connection<number[], never>, path: number[], depth: number): Promise<void> => {
    await line.send(path);
    if (path.length >= depth) return;
    for (const branch of [0, 1]) {
      const child = new Process({ target: recurse, args: [line, [...path, branch], depth] });
      await child.start();
      await child.join();
    }
  },
);

/** Writes a file after a while, unless it is ended before. */
export const writeLater = defineTask(
  import.meta.url,
  'writeLater',
  async (path: string, delayMs: number): Promise<void> => {
    await sleep(delayMs);
    writeFileSync(path, 'written');
  },
);

/** Starts a process as a daemon or not, and ends without waiting for it. */
export const startAndLeave = defineTask(
  import.meta.url,
  'startAndLeave',
  async (path: string, daemon: boolean): Promise<void> => {
    const child = new Process({ target: writeLater, args: [path, 300], daemon });
    await child.start();
  },
);

/** Tries to start a process that is no daemon; tells how that failed. */
export const startFromDaemon = defineTask(
  import.meta.url,
  'startFromDaemon',
  async (queue: Queue<unknown>): Promise<void> => {
    const inherited = new Process({ target: doNothing });
    let code: unknown;
    try {
      new Process({ target: doNothing, daemon: false });
    } catch (error) {
      ({ code } = error as { code: unknown });
    }
    await inherited.start();
    await inherited.join();
    await queue.put([inherited.daemon, inherited.exitCode, code]);
  },
);

/** Starts a process whose text is sent. */
export const nestInline = defineTask(
  import.meta.url,
  'nestInline',
  async (path: string): Promise<boolean> => {
    const code = inline(
      async (file: string) => {
        const { writeFileSync: write } = await import('node:fs');
        write(file, text);
      },
      { text: 'from inline' },
    );
    const child = new Process({ target: code, args: [path] });
    await child.start();
    await child.join({ throw: true });
    return existsSync(path);
  },
);

declare const text: string;

/** A function that is exported but is no task. */
export function plainFunction(queue: Queue<unknown>, value: unknown): void {
  queue.putSync(['plain', value]);
}

/** Not exported: it can't be a target. */
export function hiddenFunction(): () => void {
  return function secret() {};
}
