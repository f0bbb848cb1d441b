// Whether every name that a module imports from another one of the program is exported there. Node
// finds that out, too, but would name the cached file and not the source.
// Non-goals: names of packages and of scripts, whose exports are not known here.
import type { StaticImport } from 'es-module-lexer';
import type { Graph, ModuleNode } from './graph.ts';
import { problemAtImport } from './graph.ts';

const NAMED = /\{([^}]*)\}/;
const IMPORT_NAME = /^(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))/;

/** The names that a statement takes from the other module; the transpiler normalised its form. */
function namesOf(statement: string): string[] {
  const clause = statement.replace(/\sfrom\s*$/, '');
  const named = NAMED.exec(clause)?.[1]?.split(',') ?? [];
  const names = named.flatMap((part) => {
    const match = IMPORT_NAME.exec(part.trim());
    return match === null ? [] : [match[1] ?? match[2] ?? ''];
  });
  const hasDefault = /^import\s+(?!\*|\{|source\s|defer\s)[^\s,"']+/.test(clause);
  return hasDefault ? ['default', ...names] : names;
}

/** All names that a module exports; undefined if some come from a place that is not known. */
function exportedNames(
  graph: Graph,
  url: string,
  visited = new Set<string>(),
): Set<string> | undefined {
  const node = graph.nodes.get(url);
  if (node === undefined) return undefined;
  const names = new Set<string>();
  if (visited.has(url)) return names;
  visited.add(url);
  for (const record of node.transformed.exports) {
    if (record.type !== 'reexport-all') names.add(record.name);
  }
  for (const { record, to } of node.edges) {
    if (record.type !== 'reexport-star') continue;
    const others = to === undefined ? undefined : exportedNames(graph, to, visited);
    if (others === undefined) return undefined;
    for (const name of others) if (name !== 'default') names.add(name);
  }
  return names;
}

function checkStatement(graph: Graph, node: ModuleNode, record: StaticImport, to: string): void {
  const statement = node.transformed.code.slice(record.importStart, record.start - 1);
  const wanted = namesOf(statement);
  if (wanted.length === 0) return;
  const exported = exportedNames(graph, to);
  const missing = exported && wanted.find((name) => !exported.has(name));
  if (missing === undefined) return;
  const reason =
    `${record.specifier} does not export ${missing}; export it there, ` +
    'or if it is a type, write: import type';
  throw problemAtImport(node, record, reason);
}

/** Throws a ProgramError for the first imported name that does not exist. */
export function checkNames(graph: Graph): void {
  for (const node of graph.nodes.values()) {
    for (const { record, to } of node.edges) {
      if (record.type === 'dynamic' || to === undefined) continue;
      checkStatement(graph, node, record, to);
    }
  }
}
