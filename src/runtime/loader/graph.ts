// The modules of a program: everything that its entry reaches by imports whose specifier is written
// down, outside packages. Finds the imports that lead nowhere.
// Non-goals: names of imports (`exports.ts`), addresses (`address.ts`).
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DynamicImport, StaticImport } from 'es-module-lexer';
import { DragonError, type ProgramError } from '../errors/index.ts';
import { Files, type Sight, sightOf } from './files.ts';
import { problemAt, problemWith } from './problem.ts';
import { ResolutionError, type Resolved, Resolver } from './resolve.ts';
import { originalPosition, positionAt } from './source-map.ts';
import { hasModuleSyntax, type Transformed, transformModule } from './transform.ts';

export type Edge = {
  readonly record: StaticImport | DynamicImport;
  /** A module of the graph, by its source's address. */
  readonly to?: string;
  /** What is imported as it is. Neither `to` nor `address`: resolved when the import is run. */
  readonly address?: string;
};

export type ModuleNode = {
  readonly url: string;
  readonly source: string;
  readonly digest: string;
  readonly transformed: Transformed;
  edges: readonly Edge[];
};

export type SourceFile = { readonly sight: Sight; readonly digest: string };

export type Graph = {
  /** The entry is the first. Empty if it is no module and so is run as it is. */
  readonly nodes: ReadonlyMap<string, ModuleNode>;
  /** Each file that was read, by its path. */
  readonly sources: ReadonlyMap<string, SourceFile>;
  readonly files: Files;
};

const notLoadable: Readonly<Record<string, string>> = {
  '.cts': 'CommonJS in TypeScript is not run; write a module (.mts or .ts)',
  '.tsx': 'JSX is not transpiled; write a .ts file',
  '.jsx': 'JSX is not transpiled; write a .js file',
};

export function digestOf(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('base64url');
}

function bytesOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw problemWith(path, `it can't be read (${(cause as NodeJS.ErrnoException).code})`, cause);
  }
}

class Builder {
  readonly files = new Files();
  readonly sources = new Map<string, SourceFile>();
  private readonly resolver = new Resolver(this.files);
  private readonly found = new Map<string, Promise<ModuleNode | undefined>>();
  private readonly problems = new Map<string, ProgramError>();

  async build(entry: Resolved): Promise<Map<string, ModuleNode>> {
    await this.visit(entry);
    const nodes = new Map<string, ModuleNode>();
    for (const [url, pending] of this.found) {
      const node = await pending;
      if (node !== undefined) nodes.set(url, node);
    }
    this.spreadProblems(nodes);
    const problem = this.problems.get(entry.url);
    if (problem !== undefined) throw problem;
    return reachable(nodes, entry.url, this.problems);
  }

  /** Undefined for a script that turns out to be no module. A problem is kept, not thrown. */
  private visit(target: Resolved): Promise<ModuleNode | undefined> {
    const { url, kind } = target;
    if (kind === 'other') return Promise.resolve(undefined);
    let pending = this.found.get(url);
    if (pending === undefined) {
      pending = this.load(url, kind).catch((error: unknown) => {
        if (!DragonError.is(error)) throw error;
        this.problems.set(url, error as ProgramError);
        return undefined;
      });
      // Whoever walks the map meets what else can go wrong; until then nobody waits for it.
      pending.catch(() => undefined);
      this.found.set(url, pending);
    }
    return pending;
  }

  private async load(url: string, kind: 'module' | 'script'): Promise<ModuleNode | undefined> {
    const { text: source, digest } = this.read(fileURLToPath(url));
    if (kind === 'script' && !(await hasModuleSyntax(source))) return undefined;
    const transformed = await transformModule(url, source);
    const node: ModuleNode = { url, source, digest, transformed, edges: [] };
    const records = transformed.imports.filter((record) => record.type !== 'import-meta');
    const targets = records.map((record) => this.resolveRecord(node, record));
    // Not awaited here: modules may import each other in a ring.
    for (const target of targets) if (target !== undefined) void this.visit(target);
    node.edges = records.map((record, i) => this.edge(record, targets[i]));
    return node;
  }

  private edge(record: StaticImport | DynamicImport, target: Resolved | undefined): Edge {
    if (target === undefined) return { record };
    return target.kind === 'other' ? { record, address: target.url } : { record, to: target.url };
  }

  /** One file at a time, since few descriptors may be allowed. */
  private read(path: string): { text: string; digest: string } {
    for (;;) {
      const sight = sightOf(path);
      const bytes = bytesOf(path);
      if (sightOf(path) !== sight) continue;
      const digest = digestOf(bytes);
      this.sources.set(path, { sight, digest });
      return { text: bytes.toString('utf8').replace(/^\ufeff/, ''), digest };
    }
  }

  /** Undefined for a dynamic import that is left to the moment when it is run. */
  private resolveRecord(
    node: ModuleNode,
    record: StaticImport | DynamicImport,
  ): Resolved | undefined {
    const { specifier } = record;
    const isStatic = record.type !== 'dynamic';
    if (specifier === undefined || (!isStatic && record.glob)) return undefined;
    try {
      const target = this.resolver.resolve(specifier, node.url);
      if (target.url.startsWith('file:')) refuseUnknownKind(target.url);
      return target;
    } catch (cause) {
      if (!(cause instanceof ResolutionError) && !DragonError.is(cause)) throw cause;
      if (!isStatic) return undefined;
      throw problemAtImport(node, record, (cause as Error).message, cause);
    }
  }

  /** What imports a broken module statically is broken, too. */
  private spreadProblems(nodes: ReadonlyMap<string, ModuleNode>): void {
    let changed = this.problems.size > 0;
    while (changed) {
      changed = false;
      for (const { url, edges } of nodes.values()) {
        if (this.problems.has(url)) continue;
        const broken = edges.find(({ record, to }) => {
          return record.type !== 'dynamic' && to !== undefined && this.problems.has(to);
        });
        const problem = broken?.to === undefined ? undefined : this.problems.get(broken.to);
        if (problem === undefined) continue;
        this.problems.set(url, problem);
        changed = true;
      }
    }
  }
}

/** Throws a ProgramError for files that look like programs and are never run. */
export function refuseUnknownKind(url: string): void {
  const path = fileURLToPath(url);
  const reason = notLoadable[extname(path)];
  if (reason !== undefined) throw problemWith(path, reason);
}

export function problemAtImport(
  { url, source, transformed }: ModuleNode,
  record: StaticImport | DynamicImport,
  reason: string,
  cause?: unknown,
): ProgramError {
  const { code, mappings } = transformed;
  const generated = positionAt(code, record.importStart);
  const { line } = originalPosition(mappings, generated);
  const text = source.split('\n')[line] ?? '';
  const written = record.specifier ?? '';
  const column = Math.max(0, text.indexOf(written));
  return problemAt(url, source, { line, column }, reason, { length: written.length, cause });
}

/**
 * The modules that the entry reaches, in order of discovery, with edges to what is in the graph.
 * An edge to a script that is no module leads to the script as it is; a dynamic import of a broken
 * module is left to the moment when it is run, where it fails as it should.
 */
function reachable(
  nodes: ReadonlyMap<string, ModuleNode>,
  entry: string,
  problems: ReadonlyMap<string, ProgramError>,
): Map<string, ModuleNode> {
  const result = new Map<string, ModuleNode>();
  const queue = [entry];
  for (const url of queue) {
    const node = nodes.get(url);
    if (node === undefined || result.has(url)) continue;
    node.edges = node.edges.map(({ record, to, address }): Edge => {
      if (to === undefined) return address === undefined ? { record } : { record, address };
      if (problems.has(to)) return { record };
      return nodes.has(to) ? { record, to } : { record, address: to };
    });
    result.set(url, node);
    queue.push(...node.edges.flatMap(({ to }) => (to === undefined ? [] : [to])));
  }
  return result;
}

/** Reads and transpiles a program's modules. Throws a ProgramError that shows the place. */
export async function buildGraph(entry: Resolved): Promise<Graph> {
  const builder = new Builder();
  const nodes = await builder.build(entry);
  return { nodes, sources: builder.sources, files: builder.files };
}
