/** Which interpreter runs the targets of new processes. */
import { fileURLToPath } from 'node:url';
import { inherited } from '../runtime/client/index.ts';

/**
 * Sets the interpreter of the processes that this one starts from now on, and of those that they
 * start: a path, or a name to be found in PATH. `undefined` means that of the run again.
 */
export function setExecutable(path: string | URL | Uint8Array | undefined): void {
  const settings = inherited();
  if (path === undefined) delete settings.interpreter;
  else settings.interpreter = executablePath(path);
}

/** The interpreter that `setExecutable` has set; undefined is that of the run. */
export function getExecutable(): string | undefined {
  return inherited().interpreter;
}

/** A path as text, however it was given. */
export function executablePath(path: string | URL | Uint8Array): string {
  const text = path instanceof URL ? fileURLToPath(path) : textOf(path);
  if (text === '' || text.includes('\0')) throw new TypeError('an executable has a path');
  return text;
}

function textOf(path: unknown): string {
  if (typeof path === 'string') return path;
  if (path instanceof Uint8Array) return new TextDecoder('utf-8', { fatal: true }).decode(path);
  throw new TypeError('an executable is a path as text, bytes or URL');
}
