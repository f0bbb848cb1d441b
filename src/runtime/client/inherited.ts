/**
 * Settings that a process takes over from its creator, and hands on as they are then.
 *
 * Non-goals: what they mean; `multiprocessing` gives them their meaning.
 */
import { closeSync, openSync, readSync } from 'node:fs';

export interface Inherited {
  /** In base64. */
  readonly authkey: string;
  /** Levels of loggers by name; one without a level has none here. */
  readonly levels: Readonly<Record<string, number>>;
  readonly logToStderr: boolean;
  /** What runs targets, if not the interpreter of the run. */
  readonly interpreter?: string;
}

type Settings = { -readonly [K in keyof Inherited]: Inherited[K] };

const AUTHKEY_BYTES = 32;

let settings: Settings | undefined;

/** Called once in a started process, before its target is loaded. */
export function inherit(given: Inherited): void {
  settings = { ...given };
}

/** The settings of this process; the head's are the defaults. */
export function inherited(): Settings {
  settings ??= { authkey: newAuthkey(), levels: {}, logToStderr: false };
  return settings;
}

/** From the system itself: loading Node's cryptography takes longer than all the rest here. */
function newAuthkey(): string {
  const bytes = Buffer.alloc(AUTHKEY_BYTES);
  const source = openSync('/dev/urandom', 'r');
  readSync(source, bytes);
  closeSync(source);
  return bytes.toString('base64');
}
