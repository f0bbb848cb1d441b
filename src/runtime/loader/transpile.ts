// The long way to a program: find its modules, turn them into JavaScript, put them into the cache
// and remember on what that depended. Loaded only when the index has no answer.
// Non-goals: the short way (`index-record.ts`).
import { existsSync, readFileSync } from 'node:fs';
import { ProgramError } from '../errors/index.ts';
import { nameModules } from './address.ts';
import { indexFolder, moduleFolder, openCache, prune, replace, writeOnce } from './cache.ts';
import { emit, type Output, usesResolve } from './emit.ts';
import { checkNames } from './exports.ts';
import { carefulSight, type Sight } from './files.ts';
import { buildGraph, digestOf, type Graph, refuseUnknownKind } from './graph.ts';
import {
  type IndexRecord,
  readRecord,
  recordName,
  SETTLED_AFTER_COARSE_MS,
  SETTLED_AFTER_MS,
  type SourceRecord,
} from './index-record.ts';
import { installation } from './installation.ts';
import { ResolutionError, type Resolved, Resolver } from './resolve.ts';
import { withTranspiler } from './transform.ts';

export type Transpiled = { readonly record: IndexRecord; readonly outputs: readonly Output[] };

/** The program at a path or address. Throws a ProgramError if it is not there or is of no use. */
export function resolveProgram(pathOrUrl: string): Resolved {
  try {
    const resolver = new Resolver();
    const isUrl = pathOrUrl.startsWith('file:');
    const found = isUrl ? resolver.resolve(pathOrUrl, pathOrUrl) : resolver.source(pathOrUrl);
    refuseUnknownKind(found.url);
    return found;
  } catch (cause) {
    if (!(cause instanceof ResolutionError)) throw cause;
    throw new ProgramError(cause.message, { cause, details: { program: pathOrUrl } });
  }
}

/** Throws a ProgramError that shows the first place where the program is wrong. */
export async function transpile(entry: Resolved): Promise<Transpiled> {
  const startedAtMs = Date.now();
  const graph = await withTranspiler(() => buildGraph(entry));
  checkNames(graph);
  const names = nameModules(graph);
  const outputs = [...graph.nodes.values()].map((node) => emit(node, names));
  return { record: recordOf(entry.url, graph, outputs, startedAtMs), outputs };
}

function recordOf(
  entry: string,
  graph: Graph,
  outputs: readonly Output[],
  startedAtMs: number,
): IndexRecord {
  const urls = [...graph.nodes.keys()];
  const settled = (sight: Sight) => (isSettled(sight, startedAtMs) ? sight : '');
  return {
    entry,
    root: installation(),
    seen: [...graph.files.seen].map(([path, sight]) => [path, settled(sight)] as const),
    sources: [...graph.sources].map(([path, { sight, digest }]): SourceRecord => {
      return [path, settled(sight), digest];
    }),
    modules: outputs.map(({ file, text }, i) => {
      return [urls[i] ?? '', file, Buffer.byteLength(text)] as const;
    }),
    ...([...graph.nodes.values()].some(usesResolve) ? { usesResolve: true } : {}),
  };
}

/** Whether a later change is sure to show in the state of a file. */
function isSettled(sight: Sight, readAtMs: number): boolean {
  if (!sight.startsWith('=')) return true;
  const [, modified = '0', changed = '0'] = sight.split('.');
  return [modified, changed].every((stamp) => {
    const isCoarse = stamp.endsWith('000000000');
    const patienceMs = isCoarse ? SETTLED_AFTER_COARSE_MS : SETTLED_AFTER_MS;
    return readAtMs - Number(BigInt(stamp) / 1_000_000n) > patienceMs;
  });
}

/** Puts a program into a cache. Throws if that can't be written to. */
export function store({ record, outputs }: Transpiled, cacheDir: string): void {
  openCache(cacheDir);
  const folder = moduleFolder(cacheDir);
  for (const { file, text, map } of outputs) {
    writeOnce(folder, `${file}.map`, map);
    writeOnce(folder, file, text);
  }
  storeRecord(record, cacheDir);
  storePointers(record, cacheDir);
  prune(cacheDir);
}

function storeRecord(record: IndexRecord, cacheDir: string): void {
  const name = recordName(record.entry, record.root);
  replace(indexFolder(cacheDir), name, JSON.stringify(record));
}

/** Lets the other modules be found, as targets of processes, by the record of the program. */
function storePointers({ entry, root, modules }: IndexRecord, cacheDir: string): void {
  for (const [source] of modules) {
    if (source === entry) continue;
    const known = readRecord(cacheDir, source, root);
    if (known !== undefined && (known.via === undefined || known.via === entry)) continue;
    const pointer: IndexRecord = {
      entry: source,
      root,
      via: entry,
      seen: [],
      sources: [],
      modules: [],
    };
    replace(indexFolder(cacheDir), recordName(source, root), JSON.stringify(pointer));
  }
}

/**
 * Settles whether sources whose state differs have the content that they had. If so, their state is
 * remembered anew.
 */
export function confirm(record: IndexRecord, cacheDir: string): boolean {
  const startedAtMs = Date.now();
  const sources: SourceRecord[] = [];
  for (const [path, , digest] of record.sources) {
    const sight = carefulSight(path);
    if (!existsSync(path) || digestOf(readFileSync(path)) !== digest) return false;
    sources.push([path, isSettled(sight, startedAtMs) ? sight : '', digest]);
  }
  try {
    storeRecord({ ...record, sources }, cacheDir);
  } catch {
    // A cache that can't be written to is used as it is.
  }
  return true;
}
