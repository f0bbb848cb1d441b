/** Words counted by the shell's tools, which have nothing in common with the example. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** `sed` ends every file with a newline, so that words of two files never touch. */
const PIPELINE = `
  xargs -0 sed -s '$a\\' -- |
  tr -cs A-Za-z '\\n' | tr A-Z a-z | sed '/^$/d' | sort | uniq -c |
  sort -k1,1nr -k2,2 | sed 's/^ *//'`;

function shell(script: string, folder: string): string {
  return execFileSync('sh', ['-c', script], {
    cwd: folder,
    env: { ...process.env, LC_ALL: 'C', TMPDIR: folder },
    encoding: 'latin1',
    maxBuffer: 2 ** 30,
  });
}

/** `COUNT WORD` lines for all regular files of a tree of text files. */
export function countTree(root: string, folder: string): string {
  return shell(`find "${root}" -type f -print0 | ${PIPELINE}`, folder);
}

/** `COUNT WORD` lines for these files. */
export function countFiles(paths: readonly string[], folder: string): string {
  const list = join(folder, 'list');
  writeFileSync(list, paths.map((path) => `${path}\0`).join(''));
  return shell(`cat "${list}" | ${PIPELINE}`, folder);
}
