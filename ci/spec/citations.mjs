/**
 * Reads tests and what they cite out of test files, without running them.
 *
 * Goals: TypeScript by its syntax tree (`it('... [CH-012]')`, also `it.each(...)` and
 * `it.for(...)`), C++ by doctest's macros. A test without a citation of its own has those of
 * the groups around it.
 * Non-goals: titles that only exist at run time; a title's fixed parts carry the citation.
 */
import ts from 'typescript';
import { idPattern } from './requirements.mjs';

/**
 * @typedef {object} Test
 * @property {string} title
 * @property {string} place `path:line`
 * @property {string[]} cites
 *
 * @param {import('../tree.mjs').SourceFile} file
 * @returns {Test[]}
 */
export function readTests(file) {
  return file.path.endsWith('.cpp') ? readDoctest(file) : readVitest(file);
}

/**
 * The ids in square brackets, one or several: `[CH-012]`, `[CH-012, CH-013]`.
 * @param {string} title
 */
export function citationsIn(title) {
  const group = new RegExp(`\\[((?:${idPattern})(?:, ?${idPattern})*)\\]`, 'g');
  return [...title.matchAll(group)].flatMap((match) => (match[1] ?? '').split(/, ?/));
}

/** @param {import('../tree.mjs').SourceFile} file */
function readVitest({ path, text }) {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  /** @type {Test[]} */
  const tests = [];
  /**
   * @param {ts.Node} node
   * @param {string[]} inherited
   */
  const visit = (node, inherited) => {
    const call = titledCall(node);
    const own = call === undefined ? [] : citationsIn(call.title);
    const cites = own.length > 0 ? own : inherited;
    if (call?.kind === 'test') {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      tests.push({ title: call.title, place: `${path}:${line + 1}`, cites });
    }
    ts.forEachChild(node, (child) => visit(child, call?.kind === 'group' ? cites : inherited));
  };
  visit(source, []);
  return tests;
}

/**
 * @param {ts.Node} node
 * @returns {{ kind: 'test' | 'group', title: string } | undefined}
 */
function titledCall(node) {
  if (!ts.isCallExpression(node) || node.arguments.length < 2) return undefined;
  const name = rootName(node.expression);
  if (name !== 'it' && name !== 'test' && name !== 'describe') return undefined;
  const title = fixedText(node.arguments[0]);
  return title === undefined ? undefined : { kind: name === 'describe' ? 'group' : 'test', title };
}

/**
 * The name that a call begins with: `it` in `it.each(rows)(...)`.
 * @param {ts.Expression} expression
 * @returns {string | undefined}
 */
function rootName(expression) {
  if (ts.isIdentifier(expression)) return expression.text;
  if (ts.isPropertyAccessExpression(expression) || ts.isCallExpression(expression)) {
    return rootName(expression.expression);
  }
  return undefined;
}

/**
 * The parts of a title that are written in the file.
 * @param {ts.Expression | undefined} node
 * @returns {string | undefined}
 */
function fixedText(node) {
  if (node === undefined) return undefined;
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isTemplateExpression(node)) {
    return node.head.text + node.templateSpans.map((span) => `…${span.literal.text}`).join('');
  }
  if (ts.isBinaryExpression(node)) {
    return `${fixedText(node.left) ?? '…'}${fixedText(node.right) ?? '…'}`;
  }
  return ts.isArrowFunction(node) || ts.isArrayLiteralExpression(node) ? undefined : '…';
}

/** @param {import('../tree.mjs').SourceFile} file */
function readDoctest({ path, text }) {
  const start =
    /^[ \t]*TEST_CASE(?:_FIXTURE|_TEMPLATE|_CLASS)?\(((?:[^"{]|"(?:[^"\\]|\\.)*")*)\{/gm;
  return [...text.matchAll(start)].map((match) => {
    const literals = [...(match[1] ?? '').matchAll(/"((?:[^"\\]|\\.)*)"/g)];
    const title = literals.map((literal) => literal[1]).join('');
    const line = text.slice(0, match.index).split('\n').length;
    return { title, place: `${path}:${line}`, cites: citationsIn(title) };
  });
}
