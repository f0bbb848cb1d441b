// Looking at files, and remembering what was seen: if everything that an answer depended on still
// looks the same, the answer still holds.
// Non-goals: reading sources (`graph.ts`) and judging a record (`index-record.ts`).
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * What a path was: nothing, a folder, some file whatever its content, a file's exact state, or a
 * path with symbolic links that led somewhere.
 */
export type Sight = '' | 'folder' | 'file' | `=${string}` | `>${string}`;

export type Manifest = {
  readonly folder: string;
  readonly name?: unknown;
  readonly type?: unknown;
  readonly main?: unknown;
  readonly exports?: unknown;
  readonly imports?: unknown;
};

/** The state of a file: another content never has the same one, but see `SETTLED_AFTER_MS`. */
export function sightOf(path: string): Sight {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (stats === undefined) return '';
  if (stats.isDirectory()) return 'folder';
  return `=${stats.size}.${stats.mtimeNs}.${stats.ctimeNs}.${stats.ino}`;
}

/** `sightOf` for paths that can't be looked at, as below a file. */
export function carefulSight(path: string): Sight {
  try {
    return sightOf(path);
  } catch {
    return '';
  }
}

/** Whether a path looks as it did. */
export function looksLike(path: string, before: Sight): boolean {
  if (!before.startsWith('>')) {
    const now = carefulSight(path);
    return now === before || (before === 'file' && now.startsWith('='));
  }
  try {
    return realpathSync(path) === before.slice(1);
  } catch {
    return false;
  }
}

export class Files {
  /** Everything that was looked at, in order. */
  readonly seen = new Map<string, Sight>();
  private readonly manifests = new Map<string, Manifest | undefined>();

  kind(path: string): '' | 'folder' | 'file' {
    const sight = carefulSight(path);
    const kind = sight.startsWith('=') ? 'file' : (sight as '' | 'folder');
    if (!this.seen.has(path)) this.seen.set(path, kind);
    return kind;
  }

  /** The path without symbolic links. */
  real(path: string): string {
    const real = realpathSync(path);
    if (real !== path) this.seen.set(path, `>${real}`);
    return real;
  }

  /** The `package.json` of a folder. Throws an error with a code if it is not JSON. */
  manifest(folder: string): Manifest | undefined {
    if (this.manifests.has(folder)) return this.manifests.get(folder);
    const path = join(folder, 'package.json');
    const manifest = this.readManifest(folder, path);
    this.manifests.set(folder, manifest);
    return manifest;
  }

  /** The nearest `package.json` that governs a file. */
  scope(path: string): Manifest | undefined {
    let folder = dirname(path);
    while (!folder.endsWith('/node_modules')) {
      const manifest = this.manifest(folder);
      if (manifest !== undefined) return manifest;
      const parent = dirname(folder);
      if (parent === folder) return undefined;
      folder = parent;
    }
    return undefined;
  }

  private readManifest(folder: string, path: string): Manifest | undefined {
    const sight = carefulSight(path);
    this.seen.set(path, sight);
    if (!sight.startsWith('=')) return undefined;
    let content: unknown;
    try {
      content = JSON.parse(readFileSync(path, 'utf8'));
    } catch (cause) {
      throw Object.assign(new Error(`${path} is not JSON; mend it`, { cause }), {
        code: 'ERR_INVALID_PACKAGE_CONFIG',
      });
    }
    const fields = typeof content === 'object' && content !== null ? content : {};
    return { ...fields, folder };
  }
}
