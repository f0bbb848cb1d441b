/**
 * The logger of multiprocessing, and the root logger from which it takes its level.
 *
 * Goals: a process logs as its creator did when it was started; a record that nobody takes costs a
 * comparison. Non-goals: files, rotation, formats; a handler can do all of that.
 */
import { format } from 'node:util';
import { identity, inherited } from '../runtime/client/index.ts';

/** Levels by name, as numbers; every other number from 0 on is a level, too. */
export const LogLevel = {
  notSet: 0,
  debug: 10,
  info: 20,
  warning: 30,
  error: 40,
  critical: 50,
} as const;

export type LogLevelName = keyof typeof LogLevel;

/** What a handler gets. */
export interface LogRecord {
  readonly logger: string;
  readonly level: number;
  readonly message: string;
  readonly timeMs: number;
  readonly processName: string;
  readonly pid: number;
  /** The file that logged, as a path or an address; empty if that is not known. */
  readonly file: string;
  readonly line: number;
}

export type LogHandler = (record: LogRecord) => void;

const names = new Map<number, string>(
  Object.entries(LogLevel).map(([name, level]) => [level, name.toUpperCase()]),
);

/** A named source of records. `getLogger` gives the one of each name. */
export class Logger {
  readonly name: string;
  /** Where the level comes from while this logger has none. */
  readonly parent: Logger | undefined;
  readonly #handlers = new Set<LogHandler>();

  /** @internal Use `getLogger`. */
  constructor(name: string, parent?: Logger) {
    this.name = name;
    this.parent = parent;
  }

  /** The own level; 0 means none. Children that are started later begin with it. */
  get level(): number {
    return inherited().levels[this.name] ?? (this.parent === undefined ? LogLevel.warning : 0);
  }

  set level(level: number | LogLevelName) {
    const settings = inherited();
    settings.levels = { ...settings.levels, [this.name]: levelNumber(level) };
  }

  /** The level that decides: the own one, or else the parent's. */
  get effectiveLevel(): number {
    return this.level || (this.parent?.effectiveLevel ?? LogLevel.notSet);
  }

  isEnabledFor(level: number | LogLevelName): boolean {
    return levelNumber(level) >= this.effectiveLevel;
  }

  /** Has every record of this logger given to `handler`. */
  addHandler(handler: LogHandler): void {
    this.#handlers.add(handler);
  }

  removeHandler(handler: LogHandler): void {
    this.#handlers.delete(handler);
  }

  /** Logs what `util.format` makes of the arguments. */
  log(level: number | LogLevelName, ...what: unknown[]): void {
    this.#emit(levelNumber(level), what, this.log);
  }

  debug(...what: unknown[]): void {
    this.#emit(LogLevel.debug, what, this.debug);
  }

  info(...what: unknown[]): void {
    this.#emit(LogLevel.info, what, this.info);
  }

  warning(...what: unknown[]): void {
    this.#emit(LogLevel.warning, what, this.warning);
  }

  error(...what: unknown[]): void {
    this.#emit(LogLevel.error, what, this.error);
  }

  critical(...what: unknown[]): void {
    this.#emit(LogLevel.critical, what, this.critical);
  }

  #emit(level: number, what: readonly unknown[], caller: (...args: never[]) => void): void {
    if (level < this.effectiveLevel) return;
    const toStderr = this.parent !== undefined && inherited().logToStderr;
    if (!toStderr && this.#handlers.size === 0) return;
    const processName = identity().label;
    const message = format(...what);
    if (toStderr) {
      const shown = names.get(level) ?? `Level ${level}`;
      process.stderr.write(`[${shown}/${processName}] ${message}\n`);
    }
    if (this.#handlers.size === 0) return;
    const about = { logger: this.name, level, message, timeMs: Date.now(), processName };
    const record = { ...about, pid: process.pid, ...placeOf(caller) };
    for (const handler of this.#handlers) handler(record);
  }
}

const root = new Logger('root');
const own = new Logger('multiprocessing', root);

/**
 * The logger of multiprocessing, or with `'root'` the one that gives it a level while it has none.
 *
 * @example
 * import { getLogger } from 'dragon-runtime/multiprocessing';
 * const logger = getLogger();
 * logger.level = 'info';
 * logger.debug('%d items are left', 3);
 * console.log(logger.level); // 20
 */
export function getLogger(name: 'multiprocessing' | 'root' = 'multiprocessing'): Logger {
  return name === 'root' ? root : own;
}

/** Has the logger write on standard error, here and in children that are started later. */
export function logToStderr(level?: number | LogLevelName): Logger {
  if (level !== undefined) own.level = level;
  inherited().logToStderr = true;
  return own;
}

function levelNumber(level: number | LogLevelName): number {
  const number = typeof level === 'string' ? LogLevel[level] : level;
  if (Number.isInteger(number) && number >= 0) return number;
  throw new TypeError(`a level is one of ${Object.keys(LogLevel).join(', ')} or a whole number`);
}

/** Where the call of `caller` stands. */
function placeOf(caller: (...args: never[]) => void): Pick<LogRecord, 'file' | 'line'> {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, caller);
  const place = /at (?:.*\()?(.+?):(\d+):\d+\)?$/m.exec(holder.stack ?? '');
  return { file: place?.[1] ?? '', line: Number(place?.[2] ?? 0) };
}
