// What is wrong with a program, as a person wants to read it: place, reason, the line itself.
// Non-goals: finding problems.
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ProgramError } from '../errors/index.ts';
import type { Position } from './source-map.ts';

const LINE_COLUMNS_MAX = 120;

function shownPath(url: string): string {
  const path = fileURLToPath(url);
  const near = relative(process.cwd(), path);
  return near === '' || near.startsWith('..') ? path : near;
}

/** The line with a mark below, tabs kept so that the mark stands where it should. */
function frame(source: string, { line, column }: Position, length: number): string {
  const text = source.split('\n')[line]?.replace(/\r$/, '') ?? '';
  const gutter = `${line + 1} | `;
  const start = Math.max(0, column - LINE_COLUMNS_MAX + 20);
  const shown = text.slice(start, start + LINE_COLUMNS_MAX);
  const before = text.slice(start, column).replace(/[^\t]/g, ' ');
  const mark = '^'.repeat(Math.max(1, Math.min(length, shown.length - before.length)));
  return `  ${gutter}${shown}\n  ${' '.repeat(gutter.length - 2)}| ${before}${mark}`;
}

/** An error at a place of a source; lines and columns count from 0 here and from 1 in the text. */
export function problemAt(
  url: string,
  source: string,
  position: Position,
  reason: string,
  options: { length?: number; cause?: unknown } = {},
): ProgramError {
  const { line, column } = position;
  const place = `${shownPath(url)}:${line + 1}:${column + 1}`;
  const message = `${place}: ${reason}\n${frame(source, position, options.length ?? 1)}`;
  return new ProgramError(message, {
    ...('cause' in options ? { cause: options.cause } : {}),
    details: { url, line: line + 1, column: column + 1, reason },
  });
}

/** An error about a whole file. */
export function problemWith(path: string, reason: string, cause?: unknown): ProgramError {
  return new ProgramError(`${path}: ${reason}`, {
    ...(cause === undefined ? {} : { cause }),
    details: { reason },
  });
}
