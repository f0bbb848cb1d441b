// From a specifier and the module it stands in to the address it means: Node's rules for `import`,
// and three of our own. `dragon-runtime` is the running installation from anywhere on disk,
// `./x.js` is `./x.ts` where only that exists, and what can be transpiled is told apart.
// Non-goals: transpiled addresses; this speaks of sources only.
import { isBuiltin } from 'node:module';
import { dirname, extname, join, resolve as resolvePath } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Files, type Manifest } from './files.ts';
import { installation } from './installation.ts';
import { ResolutionError, resolveExports, resolveImports } from './package-map.ts';

export { ResolutionError } from './package-map.ts';

/**
 * `module`: a user's module that is transpiled; `script`: a user's `.js` file of which only its
 * text tells whether it is a module; `other`: whatever Node loads as it is.
 */
export type Resolved = { readonly url: string; readonly kind: 'module' | 'script' | 'other' };

const PACKAGE_NAME = 'dragon-runtime';
const MAIN_ENDINGS = ['', '.js', '.json', '.node', '/index.js', '/index.json', '/index.node'];

/** What TypeScript's convention of naming the output means for the source. */
const sourceEnding: Readonly<Record<string, string>> = { '.js': '.ts', '.mjs': '.mts' };

export class Resolver {
  readonly files: Files;

  constructor(files = new Files()) {
    this.files = files;
  }

  /** Throws a ResolutionError, with a code as Node's. */
  resolve(specifier: string, parent: string): Resolved {
    if (/^(\.{0,2}\/|file:)/.test(specifier) || specifier === '.' || specifier === '..') {
      const base = parent.startsWith('file:') ? parent : undefined;
      if (base === undefined && !specifier.startsWith('file:')) throw notFound(specifier, parent);
      return this.file(new URL(specifier, base), specifier, parent);
    }
    if (isBuiltin(specifier)) {
      return {
        url: specifier.startsWith('node:') ? specifier : `node:${specifier}`,
        kind: 'other',
      };
    }
    if (specifier.startsWith('#')) return this.ownName(specifier, parent);
    if (/^[a-z][a-z0-9+.-]+:/i.test(specifier)) return { url: specifier, kind: 'other' };
    return this.package(specifier, parent);
  }

  /** What a path that a person gave means as a program or as the module of a target. */
  source(path: string): Resolved {
    const url = pathToFileURL(resolvePath(path));
    return this.file(url, path, pathToFileURL(join(process.cwd(), '/')).href);
  }

  private file(url: URL, specifier: string, parent: string): Resolved {
    if (/%2f|%5c/i.test(url.pathname)) {
      const message = `${specifier} has an encoded slash; write it as it is`;
      throw new ResolutionError('ERR_INVALID_MODULE_SPECIFIER', message);
    }
    const { search, hash } = url;
    const path = this.existing(fileURLToPath(url), specifier, parent);
    const real = this.files.real(path);
    return { url: pathToFileURL(real).href + search + hash, kind: this.kindOf(real) };
  }

  private existing(path: string, specifier: string, parent: string): string {
    const kind = path.endsWith('/') ? 'folder' : this.files.kind(path);
    if (kind === 'file') return path;
    if (kind === 'folder') {
      const message = `${specifier} is a folder; name the file in it${from(parent)}`;
      throw new ResolutionError('ERR_UNSUPPORTED_DIR_IMPORT', message);
    }
    const ending = extname(path);
    const source = sourceEnding[ending];
    if (source !== undefined) {
      const candidate = path.slice(0, -ending.length) + source;
      if (this.files.kind(candidate) === 'file') return candidate;
    }
    throw notFound(specifier, parent, this.hint(path, specifier));
  }

  private hint(path: string, specifier: string): string | undefined {
    const ending = ['.ts', '.mts', '.js', '.mjs'].find((text) => {
      return this.files.kind(path + text) === 'file';
    });
    return ending === undefined ? undefined : `write ${specifier}${ending}`;
  }

  /** Packages and the installation itself are run as they are. */
  private kindOf(path: string): Resolved['kind'] {
    if (path.includes('/node_modules/')) return 'other';
    const own = ['dist', 'build'].some((folder) => {
      return path.startsWith(`${join(installation(), folder)}/`);
    });
    if (own) return 'other';
    switch (extname(path)) {
      case '.ts':
      case '.mts':
      case '.mjs':
        return 'module';
      case '.js':
        return this.kindOfScript(path);
      default:
        return 'other';
    }
  }

  private kindOfScript(path: string): Resolved['kind'] {
    const type = this.files.scope(path)?.type;
    if (type === 'module') return 'module';
    return type === 'commonjs' ? 'other' : 'script';
  }

  private ownName(name: string, parent: string): Resolved {
    const scope = this.files.scope(fileURLToPath(parent));
    const folder = scope?.folder ?? dirname(fileURLToPath(parent));
    const target = resolveImports(folder, scope?.imports, name, (specifier, base) => {
      return this.resolve(specifier, pathToFileURL(join(base, 'package.json')).href).url;
    });
    const isUrl = !target.startsWith('/');
    if (isUrl && !target.startsWith('file:')) return { url: target, kind: 'other' };
    return this.file(isUrl ? new URL(target) : pathToFileURL(target), name, parent);
  }

  private package(specifier: string, parent: string): Resolved {
    const { name, subpath } = splitSpecifier(specifier);
    if (name === PACKAGE_NAME) return this.own(specifier, subpath);
    if (!parent.startsWith('file:')) throw notFound(specifier, parent);
    const path = this.selfReference(name, subpath, parent) ?? this.installed(name, subpath, parent);
    return this.file(pathToFileURL(path), specifier, parent);
  }

  private own(specifier: string, subpath: string): Resolved {
    const exports = this.files.manifest(installation())?.exports;
    try {
      const path = resolveExports(installation(), exports, subpath);
      return { url: pathToFileURL(path).href, kind: 'other' };
    } catch {
      const names = Object.keys(exports as object).map((key) => PACKAGE_NAME + key.slice(1));
      const message = `there is no ${specifier}; there are ${names.join(', ')}`;
      throw new ResolutionError('ERR_PACKAGE_PATH_NOT_EXPORTED', message);
    }
  }

  /** A package may import itself by name when it has a map of exports. */
  private selfReference(name: string, subpath: string, parent: string): string | undefined {
    const scope = this.files.scope(fileURLToPath(parent));
    if (scope?.name !== name || scope.exports === undefined || scope.exports === null) return;
    return resolveExports(scope.folder, scope.exports, subpath);
  }

  private installed(name: string, subpath: string, parent: string): string {
    let folder = dirname(fileURLToPath(parent));
    for (;;) {
      const candidate = join(folder, 'node_modules', name);
      if (this.files.kind(candidate) === 'folder') return this.inPackage(candidate, subpath);
      const above = dirname(folder);
      if (above === folder) break;
      folder = above;
    }
    const full = subpath === '.' ? name : name + subpath.slice(1);
    throw notFound(full, parent, `install it: npm install ${name}`);
  }

  private inPackage(folder: string, subpath: string): string {
    const manifest = this.files.manifest(folder);
    const exports = manifest?.exports;
    if (exports !== undefined && exports !== null) return resolveExports(folder, exports, subpath);
    return subpath === '.' ? this.main(folder, manifest) : join(folder, subpath);
  }

  private main(folder: string, manifest: Manifest | undefined): string {
    const { main } = manifest ?? {};
    const named = typeof main === 'string' ? MAIN_ENDINGS.map((text) => main + text) : [];
    const candidates = [...named, 'index.js', 'index.json', 'index.node'];
    const found = candidates
      .map((candidate) => join(folder, candidate))
      .find((path) => this.files.kind(path) === 'file');
    return found ?? join(folder, 'index.js');
  }
}

function splitSpecifier(specifier: string): { name: string; subpath: string } {
  const match = /^((?:@[^/\\%]+\/)?[^./\\%@][^/\\%]*)(\/.*)?$/.exec(specifier);
  const name = match?.[1];
  if (name === undefined) {
    const message = `${JSON.stringify(specifier)} is not the name of a module`;
    throw new ResolutionError('ERR_INVALID_MODULE_SPECIFIER', message);
  }
  return { name, subpath: `.${match?.[2] ?? ''}` };
}

function from(parent: string): string {
  return parent.startsWith('file:') ? ` (imported by ${fileURLToPath(parent)})` : '';
}

function notFound(specifier: string, parent: string, fix?: string): ResolutionError {
  const message = `there is no ${specifier}${fix === undefined ? '' : `; ${fix}`}${from(parent)}`;
  return new ResolutionError('ERR_MODULE_NOT_FOUND', message);
}

/** As Node's `import.meta.resolve`, a file need not exist. */
export function resolveFrom(specifier: string, parent: string): string {
  try {
    return new Resolver().resolve(specifier, parent).url;
  } catch (error) {
    const isPath = /^(\.{0,2}\/|file:)/.test(specifier);
    if (isPath && (error as { code?: string }).code === 'ERR_MODULE_NOT_FOUND') {
      return new URL(specifier, parent).href;
    }
    throw error;
  }
}
