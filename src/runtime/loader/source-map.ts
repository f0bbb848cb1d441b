// Source maps of transpiled modules: reading a position, and keeping positions right when text is
// replaced. Only the columns of changed lines move, so only the first field of their segments does.
// Non-goals: making maps, which the transpiler does.

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Text that takes the place of `length` characters of one line at `offset`. */
export type Edit = { readonly offset: number; readonly length: number; readonly text: string };

export type Position = { readonly line: number; readonly column: number };

/** Reads one number; gives it and where the next begins. */
function readNumber(text: string, from: number): [value: number, next: number] {
  let result = 0;
  let shift = 0;
  let at = from;
  for (;;) {
    const digit = DIGITS.indexOf(text[at] ?? '');
    at++;
    result |= (digit & 31) << shift;
    if (digit < 32) break;
    shift += 5;
  }
  return [result & 1 ? -(result >> 1) : result >> 1, at];
}

function writeNumber(value: number): string {
  let rest = value < 0 ? (-value << 1) | 1 : value << 1;
  let text = '';
  do {
    const digit = rest & 31;
    rest >>>= 5;
    text += DIGITS[rest > 0 ? digit | 32 : digit];
  } while (rest > 0);
  return text;
}

/** Zero-based line and column of an offset. */
export function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length - 1, column: offset - lineStart };
}

export function applyEdits(text: string, edits: readonly Edit[]): string {
  let result = '';
  let from = 0;
  for (const { offset, length, text: inserted } of edits) {
    result += text.slice(from, offset) + inserted;
    from = offset + length;
  }
  return result + text.slice(from);
}

/** The mappings of a text after its edits, which are in order of their offsets. */
export function shiftMappings(mappings: string, text: string, edits: readonly Edit[]): string {
  const lines = mappings.split(';');
  const byLine = new Map<number, Edit[]>();
  for (const edit of edits) {
    const { line, column } = positionAt(text, edit.offset);
    byLine.set(line, [...(byLine.get(line) ?? []), { ...edit, offset: column }]);
  }
  for (const [line, own] of byLine) lines[line] = shiftLine(lines[line] ?? '', own);
  return lines.join(';');
}

function shiftLine(line: string, edits: readonly Edit[]): string {
  if (line === '') return line;
  let column = 0;
  let written = 0;
  const segments = line.split(',').map((segment) => {
    const [delta, rest] = readNumber(segment, 0);
    column += delta;
    const moved = edits.reduce((sum, { offset, length, text }) => {
      return column >= offset + length ? sum + text.length - length : sum;
    }, column);
    const changed = writeNumber(moved - written) + segment.slice(rest);
    written = moved;
    return changed;
  });
  return segments.join(',');
}

/** Where the text at a position came from: the segment that covers it or the last before it. */
export function originalPosition(mappings: string, { line, column }: Position): Position {
  let original: Position = { line: 0, column: 0 };
  let found = original;
  let sourceLine = 0;
  let sourceColumn = 0;
  const lines = mappings.split(';').slice(0, line + 1);
  lines.forEach((segments, at) => {
    let generated = 0;
    for (const segment of segments === '' ? [] : segments.split(',')) {
      const [delta, second] = readNumber(segment, 0);
      generated += delta;
      if (second === segment.length) continue;
      const [, third] = readNumber(segment, second);
      const [lineDelta, fourth] = readNumber(segment, third);
      const [columnDelta] = readNumber(segment, fourth);
      sourceLine += lineDelta;
      sourceColumn += columnDelta;
      original = { line: sourceLine, column: sourceColumn };
      if (at < line || generated <= column) found = original;
    }
  });
  return found;
}
