/** Directory trees for `wordcount`: ordinary ones of a given size, and one full of traps. */
import { execFileSync } from 'node:child_process';
import { chmodSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';

const WORDS = ['the', 'Quick', 'brown', 'FOX', 'jumps', 'over', 'a', 'lazy', 'dog', 'x', 'dragon'];
const GAPS = [' ', ' ', ' ', '\n', ', ', '. ', '-', '1', 'é', '_', "'"];

/** A small generator of numbers below 2^31, the same for the same seed. */
function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state >>> 8;
  };
}

/** About `bytes` bytes of words, known and invented, with all that can stand between words. */
function text(bytes: number, next: () => number): string {
  const parts: string[] = [];
  let length = 0;
  while (length < bytes) {
    const known = WORDS[next() % WORDS.length] as string;
    const word = next() % 4 === 0 ? (next() % 46_656).toString(36) : known;
    const piece = word + GAPS[next() % GAPS.length];
    parts.push(piece);
    length += piece.length;
  }
  return parts.join('');
}

/** Fills `root` with `files` text files of `bytes` bytes in all. */
export function plantTree(root: string, files: number, bytes: number, seed: number): void {
  const next = numbers(seed);
  const block = Buffer.from(text(4 * Math.ceil(bytes / files) + 65_536, next), 'latin1');
  for (let i = 0; i < files; i++) {
    const folder = join(root, `d${i % 17}`, `e${i % 5}`);
    if (i < 17 * 5) mkdirSync(folder, { recursive: true });
    const length = Math.min(block.length, Math.floor(((next() % 2000) / 1000) * (bytes / files)));
    const start = next() % (block.length - length + 1);
    writeFileSync(join(folder, `f${i}.txt`), block.subarray(start, start + length));
  }
}

export interface Traps {
  /** Text files that are counted. */
  readonly texts: string[];
  /** Names that are reported without failing. */
  readonly skipped: string[];
  /** Names that can't be read. */
  readonly unreadable: string[];
  close(): Promise<void>;
}

/** A tree with everything that is no text file, and text files that look like something else. */
export async function plantTraps(root: string): Promise<Traps> {
  const at = (name: string): string => join(root, name);
  const texts: string[] = [];
  const plant = (name: string | Buffer, content: string | Buffer): void => {
    const path =
      typeof name === 'string' ? at(name) : Buffer.concat([Buffer.from(`${root}/`), name]);
    writeFileSync(path, content);
    if (typeof name === 'string') texts.push(at(name));
  };
  mkdirSync(at('sub/deep/deeper'), { recursive: true });
  plant('plain.txt', 'one Two three\nTWO');
  plant('empty.txt', '');
  plant('sub/deep/deeper/no newline', 'last');
  plant('new\nline in name', 'odd names count');
  plant('-n', 'a name like an option');
  plant('late nul', Buffer.concat([Buffer.alloc(8192, 'word '), Buffer.from('\0after')]));
  plant('long word', 'abcdefgh'.repeat(100_000));
  plant('high bytes', Buffer.from([0x61, 0xff, 0x62, 0xe9, 0x63]));
  linkSync(at('plain.txt'), at('sub/hard link'));
  texts.push(at('sub/hard link'));
  symlinkSync('plain.txt', at('link to file'));
  symlinkSync('..', at('sub/link to parent'));
  symlinkSync('nowhere', at('dangling link'));

  writeFileSync(at('binary'), Buffer.from('text\0text'));
  writeFileSync(at('binary at the end of the probe'), `${'x '.repeat(4095)}x\0`);
  execFileSync('mkfifo', [at('fifo')]);
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(at('socket'), resolve));

  writeFileSync(at('unreadable'), 'secret words');
  chmodSync(at('unreadable'), 0);
  mkdirSync(at('locked'));
  writeFileSync(at('locked/inside'), 'more secrets');
  chmodSync(at('locked'), 0);
  return {
    texts,
    skipped: ['binary', 'binary at the end of the probe', 'fifo', 'socket'],
    unreadable: ['unreadable', 'locked'],
    close: async () => {
      chmodSync(at('locked'), 0o700);
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
