/** Processes that end on purpose, with finalizers and loggers; subclasses of Process. */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineTask } from 'dragon-runtime';
import {
  addFinalizer,
  type Connection,
  currentProcess,
  exit,
  getLogger,
  type LogRecord,
  nativeThreadId,
  Process,
  type Queue,
} from 'dragon-runtime/multiprocessing';

/** Ends through `exit`, or by setting `process.exitCode`. */
export const exitWith = defineTask(
  import.meta.url,
  'exitWith',
  (reason: unknown, set = false): void => {
    if (set) process.exitCode = reason as number;
    else exit(reason);
  },
);

export interface Plan {
  readonly name: string;
  readonly priority: number | null;
  readonly fails?: boolean;
  /** What happens to it before the end. */
  readonly before?: 'run' | 'dispose' | 'cancel' | undefined;
}

export type End = 'return' | 'exit' | 'process.exit' | 'throw' | 'throw later';

/** Makes finalizers that leave their names in a file, and ends. */
export const finalize = defineTask(
  import.meta.url,
  'finalize',
  (file: string, plans: readonly Plan[], end: End): void => {
    const made = plans.map(({ name, priority, fails }) =>
      addFinalizer(
        () => {
          appendFileSync(file, `${name}\n`);
          if (fails) throw new Error(`finalizer ${name}`);
        },
        { priority },
      ),
    );
    for (const [i, { before, fails }] of plans.entries()) {
      if (before === 'cancel') made[i]?.cancel();
      if (before === 'dispose' && !fails) made[i]?.[Symbol.dispose]();
      if (before === 'run' && !fails) made[i]?.run();
    }
    if (end === 'exit') exit(4);
    if (end === 'process.exit') process.exit(4);
    if (end === 'throw') throw new Error('the end');
    if (end === 'throw later') {
      setTimeout(() => {
        throw new Error('the end');
      }, 1);
    }
  },
);

/** Writes a line when the queue gives something, which a finalizer of its parent puts there. */
export const writeWhenTold = defineTask(
  import.meta.url,
  'writeWhenTold',
  async (file: string, queue: Queue<string>): Promise<void> => {
    appendFileSync(file, `${await queue.get({ timeout: 8000 })}\n`);
  },
);

/** Leaves a child alone that only a finalizer of its parent can end. */
export const leaveChild = defineTask(
  import.meta.url,
  'leaveChild',
  async (file: string, queue: Queue<string>, end: End): Promise<void> => {
    const child = new Process({ target: writeWhenTold, args: [file, queue] });
    await child.start();
    addFinalizer(() => queue.putSync('told'));
    addFinalizer(() => appendFileSync(file, 'last\n'), { priority: -1 });
    if (end === 'process.exit') process.exit(4);
  },
);

export type Logged = Omit<LogRecord, 'timeMs'> & { readonly levels: readonly number[] };

/** Logs something, and tells the record and the levels that it began with. */
export const logOnce = defineTask(
  import.meta.url,
  'logOnce',
  async (queue: Queue<Logged>): Promise<void> => {
    const logger = getLogger();
    const levels = [logger.level, logger.effectiveLevel, getLogger('root').level];
    const records: LogRecord[] = [];
    logger.addHandler((record) => records.push(record));
    logger.critical('%d of %s', 2, 'many');
    const [{ timeMs: _, ...record } = {} as LogRecord] = records;
    await queue.put({ ...record, levels });
  },
);

/** Tells what identifies it and what it has inherited. */
export const tellSettings = defineTask(
  import.meta.url,
  'tellSettings',
  async (queue: Queue<unknown>, deeper: boolean): Promise<void> => {
    const { authkey, exitCode } = currentProcess();
    await queue.put([authkey, exitCode, currentProcess().isAlive(), nativeThreadId()]);
    await queue.put([process.execPath, process.env['WRAPPED']]);
    if (!deeper) return;
    const child = new Process({ target: tellSettings, args: [queue, false] });
    await child.start();
    await child.join();
  },
);

/** Reads standard input to its end and writes it to both streams. */
export const copyStreams = defineTask(import.meta.url, 'copyStreams', async (): Promise<void> => {
  process.stdin.setEncoding('utf8');
  for await (const text of process.stdin) {
    process.stdout.write(`out ${text}`);
    process.stderr.write(`err ${text}`);
  }
});

/** Answers requests with their double until it gets null. */
export class Doubler extends Process {
  readonly reader: Connection<never, number | null>;
  readonly writer: Connection<unknown, never>;
  constructed = 0;

  constructor(
    reader: Connection<never, number | null>,
    writer: Connection<unknown, never>,
    name?: string,
  ) {
    super(name === undefined ? {} : { name });
    this.reader = reader;
    this.writer = writer;
    this.constructed += 1;
  }

  override async run(): Promise<void> {
    const { name, pid, daemon, constructed } = this;
    const own = this instanceof Doubler && this.isAlive();
    await this.writer.send([name, pid === process.pid, daemon, constructed, own, codes(this)]);
    for await (const number of this.reader) {
      if (number === null) break;
      await this.writer.send(number * 2);
    }
  }
}

/** How the calls fail that make no sense on the process itself. */
function codes(self: Process): unknown[] {
  return [() => self.startSync(), () => self.joinSync(), () => self.killSync()].map((call) => {
    try {
      return call();
    } catch (error) {
      return (error as { code: unknown }).code;
    }
  });
}

/** Named by its module, which no loaded module has to export again. */
export class Named extends Process {
  static override readonly module = import.meta.url;
  readonly text: string;

  constructor(text: string) {
    super();
    this.text = text;
  }

  override run(): void {
    exit(this.text.length);
  }
}

/** Its module has no such export. */
export function unknownSubclass(): typeof Process {
  return class Missing extends Process {
    static override readonly module = import.meta.url;
    override run(): void {}
  } as unknown as typeof Process;
}

/** Nobody exports it, and it names no module. */
export function hiddenSubclass(): typeof Process {
  return class Hidden extends Process {
    override run(): void {}
  } as unknown as typeof Process;
}

/** Its promise never settles although timers run for a while. */
export const neverSettle = defineTask(import.meta.url, 'neverSettle', async (): Promise<void> => {
  await sleep(1);
  await new Promise(() => undefined);
});
