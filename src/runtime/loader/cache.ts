// The folders of transpiled modules: which one is used, and how files get into it. A file is
// written under another name and then given its own, so that nobody reads half of one; two that
// write the same at once write the same content. A folder that others may write to is not trusted.
// Non-goals: what the files say.
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { GENERATION } from './generation.ts';

const GROUP_AND_OTHERS_WRITE = 0o022;
const DAY_MS = 86_400_000;
const KEPT_MS = 30 * DAY_MS;
const UNFINISHED_KEPT_MS = 3_600_000;
const STAMP = 'pruned';

export type CacheOptions = {
  /** The user's cache; from the environment's variables and the home folder unless given. */
  readonly cacheDir?: string;
  /** Used when nothing can be written to the cache; the caller removes it. */
  readonly fallbackDir?: string;
};

export function defaultCacheDir(env: NodeJS.ProcessEnv = process.env): string {
  const { DRAGON_CACHE_DIR: own, XDG_CACHE_HOME: common } = env;
  if (own !== undefined && own !== '') return own;
  if (common?.startsWith('/')) return join(common, 'dragon');
  return join(homedir(), '.cache', 'dragon');
}

/** The folder of modules in a cache; the index is below it. */
export function moduleFolder(cacheDir: string): string {
  return join(cacheDir, GENERATION);
}

export function indexFolder(cacheDir: string): string {
  return join(cacheDir, GENERATION, 'index');
}

/** Whether only this user can have put files there. */
export function isTrusted(cacheDir: string): boolean {
  try {
    const { uid, mode } = statSync(moduleFolder(cacheDir));
    return uid === process.getuid?.() && (mode & GROUP_AND_OTHERS_WRITE) === 0;
  } catch {
    return false;
  }
}

/** Step by step, since Node's recursive way never ends where folders can't be made (`/proc`). */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    const above = dirname(path);
    if (code !== 'ENOENT' || above === path || existsSync(above)) throw error;
    makeFolder(above);
    makeFolder(path);
  }
}

/** Makes the folders. Throws if that fails or if they can't be trusted. */
export function openCache(cacheDir: string): void {
  makeFolder(indexFolder(cacheDir));
  if (!isTrusted(cacheDir)) throw new Error(`${cacheDir} is writable by others`);
}

let sequence = 0;

/** Writes a file whose name follows from its content; a damaged one is replaced. */
export function writeOnce(folder: string, name: string, text: string): void {
  const path = join(folder, name);
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return;
  const unfinished = write(folder, name, text);
  try {
    linkSync(unfinished, path);
  } catch {
    // It was there and differs, or this file system has no links.
    renameSync(unfinished, path);
  } finally {
    rmSync(unfinished, { force: true });
  }
}

export function replace(folder: string, name: string, text: string): void {
  renameSync(write(folder, name, text), join(folder, name));
}

function write(folder: string, name: string, text: string): string {
  const path = join(folder, `${name}.${process.pid}-${sequence++}.unfinished`);
  try {
    writeFileSync(path, text, { mode: 0o600 });
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
  return path;
}

let lastResort: string | undefined;

/** A folder that lives as long as this process. */
export function temporaryCacheDir(): string {
  if (lastResort === undefined) {
    const folder = mkdtempSync(join(tmpdir(), 'dragon-cache-'));
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    lastResort = folder;
  }
  return lastResort;
}

/** Once a day, takes away what was not used for a month, and what a crash left unfinished. */
export function prune(cacheDir: string, nowMs = Date.now()): void {
  const folder = moduleFolder(cacheDir);
  const stamp = join(folder, STAMP);
  const last = statSync(stamp, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (nowMs - last < DAY_MS) return;
  writeFileSync(stamp, '');
  for (const name of readdirSync(cacheDir)) {
    if (/^v\d+-/.test(name) && name !== GENERATION) removeOld(join(cacheDir, name), nowMs);
  }
  for (const at of [folder, indexFolder(cacheDir)]) {
    for (const name of readdirSync(at)) {
      if (name !== 'index' && name !== STAMP) removeOld(join(at, name), nowMs);
    }
  }
}

function removeOld(path: string, nowMs: number): void {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return;
  const kept = path.endsWith('.unfinished') ? UNFINISHED_KEPT_MS : KEPT_MS;
  if (nowMs - stats.mtimeMs > kept) rmSync(path, { recursive: true, force: true });
}

/** Tells `prune` that files are in use, at most once a day. */
export function markUsed(paths: readonly string[], nowMs = Date.now()): void {
  const now = new Date(nowMs);
  for (const path of paths) {
    try {
      if (nowMs - statSync(path).mtimeMs > DAY_MS) utimesSync(path, now, now);
    } catch {
      // A cache that can't be written to is used as it is.
    }
  }
}
