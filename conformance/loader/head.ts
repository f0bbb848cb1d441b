// Writes a program to a folder of its own and runs it in the head's role.
// Non-goals: the launcher and the runtime; nothing here attaches to anything.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { onTestFinished } from 'vitest';

const repository = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** The package under test. */
export const packageRoot = resolve(repository, process.env['DRAGON_PACKAGE'] ?? '.');

const bootstrap = 'dist/runtime/bootstrap/main.cjs';

/** Path to content; a content that starts with `->` makes a symbolic link. */
export type Files = Readonly<Record<string, string>>;

export type Outcome = {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
};

export type RunOptions = {
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cacheDir?: string;
  readonly killAfterMs?: number;
  /** Another one than the package under test. */
  readonly installation?: string;
};

/** Lives as long as the test that makes it. */
export class ProgramFolder {
  readonly root: string;
  private readonly cacheDir: string;

  constructor(files: Files = {}) {
    this.root = realpathSync(mkdtempSync(join(tmpdir(), 'prog')));
    this.cacheDir = join(this.root, '.cache');
    onTestFinished(() => rmSync(this.root, { recursive: true, force: true }));
    this.write(files);
  }

  path(name: string): string {
    return join(this.root, name);
  }

  url(name: string): string {
    return pathToFileURL(this.path(name)).href;
  }

  write(files: Files): void {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(this.path(name)), { recursive: true });
      if (content.startsWith('->')) symlinkSync(content.slice(2), this.path(name));
      else writeFileSync(this.path(name), content);
    }
  }

  run(entry: string, options: RunOptions = {}): Promise<Outcome> {
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      DRAGON_ROLE: 'head',
      DRAGON_SOURCE: this.url(entry),
      DRAGON_CACHE_DIR: options.cacheDir ?? this.cacheDir,
      ...options.env,
    };
    const main = join(options.installation ?? packageRoot, bootstrap);
    const child = spawn(process.execPath, [main, ...(options.args ?? [])], {
      env,
      cwd: this.root,
      killSignal: 'SIGKILL',
      ...(options.killAfterMs === undefined ? {} : { timeout: options.killAfterMs }),
    });
    return outcomeOf(child);
  }
}

/** A program of one file that prints the JSON of what it computes. */
export async function evaluate(files: Files, entry = 'prog.ts'): Promise<unknown> {
  const folder = new ProgramFolder(files);
  const { stdout, stderr, code } = await folder.run(entry);
  if (code !== 0) throw new Error(`exit ${code}: ${stderr}`);
  return JSON.parse(stdout);
}

async function outcomeOf(child: ReturnType<typeof spawn>): Promise<Outcome> {
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text;
    });
  }
  return new Promise((finish, fail) => {
    child.on('error', fail);
    child.on('close', (code, signal) => finish({ ...texts, code, signal }));
  });
}
