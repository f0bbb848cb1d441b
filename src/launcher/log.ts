/**
 * Where the lines go that services log.
 *
 * Goals: nothing is opened before there is a line for it; a log that can't be written never
 * ends a run. Non-goals: the output of programs.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { LogLevel } from '../services/global/state.ts';
import { say } from './failure.ts';
import {
  type LogDevice,
  type LogSettings,
  type LogThreshold,
  logDevices,
  logLevels,
} from './settings.ts';

export class Log {
  readonly #settings: LogSettings;
  readonly #directory: string;
  readonly #runId: string;
  readonly #files = new Map<string, number>();

  constructor(settings: LogSettings, directory: string, runId: string) {
    this.#settings = settings;
    this.#directory = directory;
    this.#runId = runId;
  }

  /** `service` is a word for the file name, as in `local-services`. */
  write(service: string, level: LogLevel, text: string): void {
    const line = `${new Date().toISOString()} ${level.toUpperCase()} ${service}: ${text}`;
    for (const device of logDevices) {
      if (!this.#isWanted(device, level)) continue;
      if (device === 'stderr') say(line);
      else this.#append(device === 'dragon_file' ? 'dragon' : service, line);
    }
  }

  close(): void {
    for (const fd of this.#files.values()) if (fd >= 0) closeSync(fd);
    this.#files.clear();
  }

  #isWanted(device: LogDevice, level: LogLevel): boolean {
    const threshold = logLevels.indexOf(this.#settings[device]);
    const rank = logLevels.indexOf(level.toUpperCase() as LogThreshold);
    return threshold > 0 && rank >= threshold;
  }

  #append(name: string, line: string): void {
    try {
      writeSync(this.#file(name), `${line}\n`);
    } catch (error) {
      if (this.#files.get(name) === -1) return;
      this.#files.set(name, -1);
      say(`can't log to ${this.#path(name)}: ${(error as Error).message}`);
    }
  }

  #file(name: string): number {
    const known = this.#files.get(name);
    if (known !== undefined) return known;
    const fd = openSync(this.#path(name), 'a', 0o600);
    this.#files.set(name, fd);
    return fd;
  }

  #path(name: string): string {
    return join(this.#directory, `${name}_${this.#runId}.log`);
  }
}
