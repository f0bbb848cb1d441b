// The way into the loader: a program, or the module of a target, becomes something that a plain
// process can import. From the cache that takes a few `stat` calls; whatever is wrong with the
// cache only costs time.
// Non-goals: running it. Every start loads this file, so what only a changed program needs is not
// imported here.
import { realpathSync } from 'node:fs';
import { resolve as resolvePath } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type CacheOptions, defaultCacheDir, temporaryCacheDir } from './cache.ts';
import { addressIn, findRecord, type IndexRecord, keepRecord } from './index-record.ts';
import { installation } from './installation.ts';

export type PreparedProgram = {
  /** What to import. The same as `source` if Node runs the file as it is. */
  readonly url: string;
  /** The address of the source, symbolic links followed. */
  readonly source: string;
  /** The cache that holds the modules; processes of the run look there, too. */
  readonly cacheDir: string;
  /** Whether the program may ask for `import.meta.resolve`; see `on-demand.ts`. */
  readonly usesResolve: boolean;
};

/**
 * Prepares the program, or the module, at a path or a file's address. Throws a ProgramError that
 * shows what is wrong with it.
 */
export async function prepareProgram(
  pathOrUrl: string,
  options: CacheOptions = {},
): Promise<PreparedProgram> {
  const cacheDir = resolvePath(options.cacheDir || defaultCacheDir());
  const { fallbackDir } = options;
  const folders = fallbackDir === undefined ? [cacheDir] : [cacheDir, fallbackDir];
  const source = realAddress(pathOrUrl);
  for (const folder of source === undefined ? [] : folders) {
    const known = source === undefined ? undefined : findRecord(folder, source, installation());
    if (source === undefined || known === undefined) continue;
    const { state, record } = known;
    if (state === 'unsure' && !(await import('./transpile.ts')).confirm(record, folder)) continue;
    keepRecord(record, folder);
    return answer(record, folder, source);
  }
  return transpileInto(folders, pathOrUrl);
}

/** The address without symbolic links; undefined if there is no such file. */
function realAddress(pathOrUrl: string): string | undefined {
  try {
    const isUrl = pathOrUrl.startsWith('file:');
    const url = isUrl ? new URL(pathOrUrl) : pathToFileURL(resolvePath(pathOrUrl));
    const real = pathToFileURL(realpathSync(fileURLToPath(url)));
    return real.href + url.search + url.hash;
  } catch {
    return undefined;
  }
}

function answer(record: IndexRecord, cacheDir: string, source: string): PreparedProgram {
  const url = addressIn(record, cacheDir, source);
  return { url, source, cacheDir, usesResolve: record.usesResolve === true };
}

async function transpileInto(
  folders: readonly string[],
  pathOrUrl: string,
): Promise<PreparedProgram> {
  const { resolveProgram, transpile, store } = await import('./transpile.ts');
  const entry = resolveProgram(pathOrUrl);
  if (entry.kind === 'other') {
    const { url: source } = entry;
    return { url: source, source, cacheDir: folders[0] ?? '', usesResolve: false };
  }
  const transpiled = await transpile(entry);
  const stored = folders.find((folder) => {
    try {
      store(transpiled, folder);
      return true;
    } catch {
      // Full, read-only, or not ours: the next one will do.
      return false;
    }
  });
  const cacheDir = stored ?? temporaryCacheDir();
  if (stored === undefined) store(transpiled, cacheDir);
  return answer(transpiled.record, cacheDir, entry.url);
}
