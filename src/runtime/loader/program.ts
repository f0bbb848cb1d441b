// The way into the loader: a program, or the module of a target, becomes something that a plain
// process can import. From the cache that takes a few `stat` calls; whatever is wrong with the cache
// only costs time.
// Non-goals: running it.
import { extname } from 'node:path';
import { ProgramError } from '../errors/index.ts';
import { type CacheOptions, defaultCacheDir, temporaryCacheDir } from './cache.ts';
import { addressIn, findRecord, keepRecord } from './index-record.ts';
import { installation, ResolutionError, type Resolved, Resolver } from './resolve.ts';

export type PreparedProgram = {
  /** What to import. The same as `source` if Node runs the file as it is. */
  readonly url: string;
  /** The address of the source, symbolic links followed. */
  readonly source: string;
  /** The cache that holds the modules; processes of the run look there, too. */
  readonly cacheDir: string;
};

/** Prepares the program at a path. Throws a ProgramError that shows what is wrong with it. */
export async function prepareProgram(
  path: string,
  options: CacheOptions = {},
): Promise<PreparedProgram> {
  return prepare(resolveSource(path), options);
}

/** Prepares the module with this address. */
export async function prepareModule(
  source: string,
  options: CacheOptions = {},
): Promise<PreparedProgram> {
  const at = resolveSource(source);
  return prepare(at, options);
}

function resolveSource(pathOrUrl: string): Resolved {
  try {
    const isUrl = pathOrUrl.startsWith('file:');
    const resolver = new Resolver();
    return isUrl ? resolver.resolve(pathOrUrl, pathOrUrl) : resolver.source(pathOrUrl);
  } catch (cause) {
    if (!(cause instanceof ResolutionError)) throw cause;
    throw new ProgramError(cause.message, { cause, details: { path: pathOrUrl } });
  }
}

async function prepare(entry: Resolved, options: CacheOptions): Promise<PreparedProgram> {
  const source = entry.url;
  const cacheDir = options.cacheDir || defaultCacheDir();
  const { fallbackDir } = options;
  const folders = fallbackDir === undefined ? [cacheDir] : [cacheDir, fallbackDir];
  const ending = extname(new URL(source).pathname);
  if (entry.kind === 'other' && ending !== '.cts') return { url: source, source, cacheDir };
  for (const folder of folders) {
    const known = findRecord(folder, source, installation());
    if (known === undefined) continue;
    const { state, record } = known;
    if (state === 'unsure' && !(await import('./transpile.ts')).confirm(record, folder)) continue;
    keepRecord(record, folder);
    return { url: addressIn(record, folder, source), source, cacheDir: folder };
  }
  return transpileInto(folders, entry);
}

async function transpileInto(
  folders: readonly string[],
  entry: Resolved,
): Promise<PreparedProgram> {
  const { transpile, store } = await import('./transpile.ts');
  const transpiled = await transpile(entry);
  const source = entry.url;
  const tried = folders.find((folder) => {
    try {
      store(transpiled, folder);
      return true;
    } catch {
      // Full, read-only, or not ours: the next one will do.
      return false;
    }
  });
  const cacheDir = tried ?? temporaryCacheDir();
  if (tried === undefined) store(transpiled, cacheDir);
  return { url: addressIn(transpiled.record, cacheDir, source), source, cacheDir };
}
