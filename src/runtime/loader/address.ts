// The name of a transpiled module: it follows from the module's content and from everything that it
// reaches, so that one module with one content of the whole has one address, whoever imports it,
// rings included.
// Non-goals: where the file of that name lies.
import { createHash } from 'node:crypto';
import { basename, extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GENERATION } from './generation.ts';
import type { Graph, ModuleNode } from './graph.ts';
import { installation } from './installation.ts';

const HASH_CHARACTERS = 24;
const STEM_CHARACTERS_MAX = 40;

/** A name's part that people recognise; any file system takes it. */
function stemOf(url: string): string {
  const path = fileURLToPath(url);
  const stem = basename(path, extname(path)).replace(/[^\w.-]/g, '_');
  return stem.slice(0, STEM_CHARACTERS_MAX) || 'module';
}

function hash(...parts: readonly string[]): string {
  const state = createHash('sha256');
  for (const part of parts) state.update(`${part.length}:${part}`);
  return state.digest('base64url');
}

/** What a module is apart from the modules that it reaches. */
function ownHash({ url, digest, edges }: ModuleNode): string {
  return hash(url, digest, ...edges.map(({ to, address }) => `${to ?? ''}|${address ?? ''}`));
}

/** Rings of modules are hashed as one; Tarjan's algorithm gives them after what they reach. */
class Rings {
  readonly hashes = new Map<string, string>();
  private readonly graph: Graph;
  private readonly order = new Map<string, number>();
  private readonly lowest = new Map<string, number>();
  private readonly stack: string[] = [];

  constructor(graph: Graph) {
    this.graph = graph;
    for (const url of graph.nodes.keys()) if (!this.order.has(url)) this.visit(url);
  }

  private visit(url: string): void {
    const own = this.order.size;
    this.order.set(url, own);
    this.stack.push(url);
    let lowest = own;
    for (const next of this.next(url)) {
      if (!this.order.has(next)) this.visit(next);
      // Whatever has a hash lies in a ring that is closed already.
      if (!this.hashes.has(next)) lowest = Math.min(lowest, this.lowest.get(next) ?? this.at(next));
    }
    this.lowest.set(url, lowest);
    if (lowest === own) this.close(url);
  }

  private at(url: string): number {
    return this.order.get(url) ?? 0;
  }

  private next(url: string): string[] {
    const edges = this.graph.nodes.get(url)?.edges ?? [];
    return edges.flatMap(({ to }) => (to === undefined ? [] : [to]));
  }

  private close(first: string): void {
    const members = this.stack.splice(this.stack.indexOf(first));
    const inside = new Set(members);
    const reached = new Set(members.flatMap((url) => this.next(url)));
    const beyond = [...reached].filter((url) => !inside.has(url));
    const own = members.map((url) => ownHash(this.graph.nodes.get(url) as ModuleNode)).sort();
    const others = beyond.map((url) => this.hashes.get(url) ?? '').sort();
    const ring = hash(GENERATION, installation(), ...own, '', ...others);
    for (const url of members) this.hashes.set(url, ring);
  }
}

/** The file name of each transpiled module of a graph. */
export function nameModules(graph: Graph): Map<string, string> {
  const rings = new Rings(graph);
  const names = new Map<string, string>();
  for (const url of graph.nodes.keys()) {
    const full = hash(rings.hashes.get(url) ?? '', url);
    names.set(url, `${stemOf(url)}-${full.slice(0, HASH_CHARACTERS)}.mjs`);
  }
  return names;
}
