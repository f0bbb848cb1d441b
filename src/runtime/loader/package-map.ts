// The maps `exports` and `imports` of a package: which file a subpath means.
// The rules are those of Node's documentation, "Resolution Algorithm Specification".
// Non-goals: finding the package, and looking whether the file exists.
import { join } from 'node:path';

/** The conditions under which Node chooses for an `import`. */
const conditions: ReadonlySet<string> = new Set([
  'node',
  'import',
  'node-addons',
  ...((process.features as { require_module?: boolean }).require_module ? ['module-sync'] : []),
]);

export class ResolutionError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Resolves a specifier that an `imports` map names instead of a file. */
export type ResolveOther = (specifier: string, folder: string) => string;

type PackageMap = {
  readonly folder: string;
  /** Set for `imports`, whose targets may be other packages. */
  readonly other?: ResolveOther;
};

const NOT_A_SEGMENT = /(^|\/|\\)((\.|%2e)(\.|%2e)?|(n|%6e|%4e)ode_modules)(\/|\\|$)/i;

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The file that `subpath` ('.', './x') of a package means. */
export function resolveExports(folder: string, exports: unknown, subpath: string): string {
  const paths = isMap(exports) && Object.keys(exports).some((key) => key.startsWith('.'));
  if (paths && Object.keys(exports).some((key) => !key.startsWith('.'))) {
    throw new ResolutionError(
      'ERR_INVALID_PACKAGE_CONFIG',
      `${folder}/package.json mixes subpaths and conditions in "exports"; use one of them`,
    );
  }
  const map = paths ? exports : { '.': exports };
  const found = resolveKey({ folder }, map, subpath);
  if (found !== undefined) return found;
  throw new ResolutionError(
    'ERR_PACKAGE_PATH_NOT_EXPORTED',
    `the package in ${folder} does not export ${subpath === '.' ? 'itself' : subpath}; ` +
      'see "exports" in its package.json',
  );
}

/** What an own name of a package (`#name`) means: a file, or another specifier's. */
export function resolveImports(
  folder: string,
  imports: unknown,
  name: string,
  other: ResolveOther,
): string {
  if (name === '#' || name.startsWith('#/')) {
    const message = `${name} is not a name of a package's own`;
    throw new ResolutionError('ERR_INVALID_MODULE_SPECIFIER', message);
  }
  const found = isMap(imports) ? resolveKey({ folder, other }, imports, name) : undefined;
  if (found !== undefined) return found;
  throw new ResolutionError(
    'ERR_PACKAGE_IMPORT_NOT_DEFINED',
    `${name} is not defined; see "imports" in ${folder}/package.json`,
  );
}

function resolveKey(
  map: PackageMap,
  entries: Record<string, unknown>,
  key: string,
): string | undefined {
  if (Object.hasOwn(entries, key) && !key.includes('*') && !key.endsWith('/')) {
    return resolveTarget(map, entries[key], undefined) ?? undefined;
  }
  const patterns = Object.keys(entries).filter((pattern) => pattern.split('*').length === 2);
  for (const pattern of patterns.sort(comparePatterns)) {
    const star = pattern.indexOf('*');
    const [head, tail] = [pattern.slice(0, star), pattern.slice(star + 1)];
    if (!key.startsWith(head) || key === head) continue;
    if (!key.endsWith(tail) || key.length < pattern.length) continue;
    const match = key.slice(star, key.length - tail.length);
    return resolveTarget(map, entries[pattern], match) ?? undefined;
  }
  return undefined;
}

/** The longer the part before the star, the more special; then the longer pattern. */
function comparePatterns(a: string, b: string): number {
  return b.indexOf('*') - a.indexOf('*') || b.length - a.length;
}

/** Undefined if no condition fits, null if the map forbids it. */
function resolveTarget(
  map: PackageMap,
  target: unknown,
  match: string | undefined,
): string | null | undefined {
  if (typeof target === 'string') return resolveText(map, target, match);
  if (Array.isArray(target)) return resolveFirst(map, target, match);
  if (target === null) return null;
  if (!isMap(target)) throw invalidTarget(map, target);
  for (const [condition, value] of Object.entries(target)) {
    if (condition !== 'default' && !conditions.has(condition)) continue;
    const resolved = resolveTarget(map, value, match);
    if (resolved !== undefined) return resolved;
  }
  return undefined;
}

function resolveFirst(
  map: PackageMap,
  targets: readonly unknown[],
  match: string | undefined,
): string | null | undefined {
  let refusal: unknown;
  let last: null | undefined;
  for (const target of targets) {
    try {
      const resolved = resolveTarget(map, target, match);
      if (typeof resolved === 'string') return resolved;
      last = resolved;
    } catch (error) {
      const known = error instanceof ResolutionError;
      if (!known || error.code !== 'ERR_INVALID_PACKAGE_TARGET') throw error;
      refusal = error;
    }
  }
  if (refusal !== undefined) throw refusal;
  return last;
}

function resolveText(map: PackageMap, target: string, match: string | undefined): string {
  const fill = (text: string) => (match === undefined ? text : text.replaceAll('*', match));
  if (!target.startsWith('./')) {
    const foreign = map.other !== undefined && !/^(\.\.?)?\//.test(target) && !URL.canParse(target);
    if (!foreign || map.other === undefined) throw invalidTarget(map, target);
    return map.other(fill(target), map.folder);
  }
  if (NOT_A_SEGMENT.test(target.slice(2))) throw invalidTarget(map, target);
  if (match !== undefined && NOT_A_SEGMENT.test(match)) {
    const message = `${match} leads out of the package in ${map.folder}`;
    throw new ResolutionError('ERR_INVALID_MODULE_SPECIFIER', message);
  }
  return join(map.folder, fill(target));
}

function invalidTarget({ folder }: PackageMap, target: unknown): ResolutionError {
  return new ResolutionError(
    'ERR_INVALID_PACKAGE_TARGET',
    `${folder}/package.json maps to ${JSON.stringify(target)}; targets start with "./"`,
  );
}
