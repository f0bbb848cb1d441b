// What is remembered about a program: its modules' files, and everything that the answer depended
// on. With it, a second run costs one small file and a `stat` for each thing that was looked at.
// Non-goals: making the answer (`transpile.ts`). This file is loaded by every start; keep it small.
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { indexFolder, isTrusted, markUsed, moduleFolder } from './cache.ts';
import { carefulSight, looksLike, type Sight } from './files.ts';

/**
 * A file that was changed this short a time before it was read may be changed again without a new
 * time stamp; its state is not taken as proof of its content.
 */
export const SETTLED_AFTER_MS = 100;

/** File systems that keep whole seconds need longer. */
export const SETTLED_AFTER_COARSE_MS = 2000;

export type SourceRecord = readonly [path: string, sight: Sight, digest: string];
export type ModuleRecord = readonly [source: string, file: string, bytes: number];

export type IndexRecord = {
  /** The address of the source that the record is about. */
  readonly entry: string;
  /** The installation to which `dragon-runtime` leads. */
  readonly root: string;
  /** Set alone: the record of this entry speaks of the module, too. */
  readonly via?: string;
  readonly seen: readonly (readonly [path: string, sight: Sight])[];
  readonly sources: readonly SourceRecord[];
  /** Empty for a program that is run as it is. */
  readonly modules: readonly ModuleRecord[];
  /** Set if one of them may call `import.meta.resolve`. */
  readonly usesResolve?: true;
};

export type Known = { readonly state: 'valid' | 'unsure'; readonly record: IndexRecord };

/** The name of the record of a source: short, and different for different installations. */
export function recordName(source: string, root: string): string {
  const text = `${root}\0${source}`;
  let [a, b] = [0x811c9dc5, 0x9747b28c];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ code, 0x5bd1e995) + i;
  }
  const hex = (value: number) => (value >>> 0).toString(16).padStart(8, '0');
  return `${hex(a)}${hex(b)}.json`;
}

export function readRecord(
  cacheDir: string,
  source: string,
  root: string,
): IndexRecord | undefined {
  try {
    const path = join(indexFolder(cacheDir), recordName(source, root));
    const record = JSON.parse(readFileSync(path, 'utf8')) as IndexRecord;
    return record.entry === source && record.root === root ? record : undefined;
  } catch {
    return undefined;
  }
}

/** The record that answers for a source, if what it depended on looks as it did. */
export function findRecord(cacheDir: string, source: string, root: string): Known | undefined {
  if (!isTrusted(cacheDir)) return undefined;
  let record = readRecord(cacheDir, source, root);
  if (record?.via !== undefined) record = readRecord(cacheDir, record.via, root);
  if (record === undefined || !isAbout(record, source)) return undefined;
  try {
    const state = judge(record, cacheDir);
    return state === 'stale' ? undefined : { state, record };
  } catch {
    // Not what was written: it is made again.
    return undefined;
  }
}

function isAbout(record: IndexRecord, source: string): boolean {
  return record.entry === source || record.modules?.some(([url]) => url === source);
}

/** `unsure` if only the state of sources differs, whose content may still be the same. */
function judge(record: IndexRecord, cacheDir: string): 'valid' | 'unsure' | 'stale' {
  const folder = moduleFolder(cacheDir);
  if (!record.seen.every(([path, sight]) => looksLike(path, sight))) return 'stale';
  for (const [, file, bytes] of record.modules) {
    const stats = statSync(join(folder, file), { throwIfNoEntry: false });
    if (stats === undefined || stats.size !== bytes) return 'stale';
  }
  return record.sources.every(([path, sight]) => carefulSight(path) === sight) ? 'valid' : 'unsure';
}

/** The address of a source's transpiled module; the source's own if it is run as it is. */
export function addressIn(record: IndexRecord, cacheDir: string, source: string): string {
  const module = record.modules.find(([url]) => url === source);
  if (module === undefined) return source;
  return pathToFileURL(join(moduleFolder(cacheDir), module[1])).href;
}

/** Keeps what a record names from being pruned. */
export function keepRecord(record: IndexRecord, cacheDir: string): void {
  const path = join(indexFolder(cacheDir), recordName(record.entry, record.root));
  const folder = moduleFolder(cacheDir);
  const files = record.modules.flatMap(([, file]) => [file, `${file}.map`]);
  markUsed([path, ...files.map((file) => join(folder, file))]);
}
