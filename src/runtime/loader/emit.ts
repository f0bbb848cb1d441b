// The text of a transpiled module: imports lead to addresses, and its first line tells the process
// that it is there, under its source's name, with its exports. It must be the first line, because a
// module may start a process with a function of its own before its last line is reached; bindings
// that are not set by then are looked at later. Without the process's object the line does nothing.
// Non-goals: what the process does with it (`process-modules.ts`).
import type { Import } from 'es-module-lexer';
import type { Edge, ModuleNode } from './graph.ts';
import { PROCESS_MODULES } from './modules.ts';
import { applyEdits, type Edit, shiftMappings } from './source-map.ts';

export type Output = { readonly file: string; readonly text: string; readonly map: string };

const ACCESS = `globalThis[Symbol.for(${JSON.stringify(PROCESS_MODULES)})]`;

/** Exports that are made here, not passed on: a function is found under the name it has there. */
function ownExports({ transformed }: ModuleNode): string[] {
  return transformed.exports
    .filter(({ type }) => type === 'direct')
    .map((record) => {
      return (record as { name: string }).name;
    });
}

/** A name that the module does not use. */
function freeName(code: string): string {
  let name = '$dragon_self';
  while (code.includes(name)) name += '_';
  return name;
}

function firstLine(node: ModuleNode, file: string): string {
  const self = freeName(node.transformed.code);
  const source = JSON.stringify(node.url);
  const own = JSON.stringify(ownExports(node));
  const enter = `${ACCESS}?.enter(${source},import.meta,${self},${own});`;
  return `import*as ${self} from${JSON.stringify(`./${file}`)};${enter}`;
}

/** Without a target the import is answered by the process, which resolves it when it is run. */
function editOf(node: ModuleNode, edge: Edge, names: ReadonlyMap<string, string>): Edit {
  const { record, to, address } = edge;
  const file = to === undefined ? undefined : names.get(to);
  const target = file === undefined ? address : `./${file}`;
  if (target !== undefined) {
    const { start, end, type } = record;
    // A static record's bounds leave out the quotes, a dynamic one's do not.
    const quotes = type === 'dynamic' ? 0 : 1;
    const length = end - start + 2 * quotes;
    return { offset: start - quotes, length, text: JSON.stringify(target) };
  }
  const { importStart: offset } = record;
  const open = (record as Extract<Import, { type: 'dynamic' }>).dynamicStart;
  const text = `${ACCESS}.import(${JSON.stringify(node.url)},`;
  return { offset, length: open + 1 - offset, text };
}

export function emit(node: ModuleNode, names: ReadonlyMap<string, string>): Output {
  const file = names.get(node.url) ?? '';
  const { code, mappings, names: identifiers } = node.transformed;
  const edits = node.edges
    .map((edge) => editOf(node, edge, names))
    .sort((a, b) => a.offset - b.offset);
  const line = `${firstLine(node, file)}\n`;
  // A first line for a shell gives its place to ours, so that no line moves.
  const shell = /^#!.*\n?/.exec(code)?.[0] ?? '';
  const body = applyEdits(code, edits).slice(shell.length);
  const moved = shiftMappings(mappings, code, edits);
  const map = {
    version: 3,
    sources: [node.url],
    names: identifiers,
    mappings: shell === '' ? `;${moved}` : moved,
  };
  return {
    file,
    text: `${line}${body}//# sourceMappingURL=${file}.map\n`,
    map: JSON.stringify(map),
  };
}

/** Whether a module may call `import.meta.resolve`: by name, or as `import.meta` goes around. */
export function usesResolve({ transformed: { code, imports } }: ModuleNode): boolean {
  return imports.some(({ type, end }) => {
    return (
      type === 'import-meta' && /^\s*(\?\.|\.)?\s*(resolve\b|[^\s.?\w]|$)/.test(code.slice(end))
    );
  });
}
