/**
 * House rule: a function fits on a screen.
 *
 * Goals: exact for TypeScript and JavaScript, whose syntax tree is at hand; for C++ the
 * layout that clang-format guarantees is enough.
 * Non-goals: the functions that only group tests.
 */
import ts from 'typescript';

const functionLinesMax = 70;

/** @param {import('../tree.mjs').SourceFile} file */
export function longFunctions(file) {
  return /\.(cpp|h)$/.test(file.path) ? longInCpp(file) : longInScript(file);
}

/** @param {import('../tree.mjs').SourceFile} file */
function longInScript({ path, text }) {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  /** @type {string[]} */
  const findings = [];
  /** @param {ts.Node} node */
  const visit = (node) => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body && !isTestGroup(node)) {
      const first = source.getLineAndCharacterOfPosition(node.getStart()).line;
      const last = source.getLineAndCharacterOfPosition(node.getEnd()).line;
      findings.push(...judge(path, first, last));
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return findings;
}

/** @param {ts.Node} node */
function isTestGroup(node) {
  const call = node.parent;
  return ts.isCallExpression(call) && /^describe\b/.test(call.expression.getText());
}

/** A body starts with a line that ends in `) {` and ends with `}` at the same indentation. */
const cppStart =
  /^( *)(?!.*\b(namespace|class|struct|enum|union|extern)\b)[^ #/}].*\) (const )?\{$/;

/** @param {import('../tree.mjs').SourceFile} file */
function longInCpp({ path, text }) {
  const lines = text.split('\n');
  return lines.flatMap((line, first) => {
    const indentation = cppStart.exec(line)?.[1];
    if (indentation === undefined || indentation.length > 2) return [];
    const end = `${indentation}}`;
    const length = lines.slice(first + 1).findIndex((other) => other.startsWith(end));
    return judge(path, first, first + 1 + length);
  });
}

/**
 * @param {string} path
 * @param {number} first
 * @param {number} last
 */
function judge(path, first, last) {
  const lines = last - first + 1;
  if (lines <= functionLinesMax) return [];
  return [`${path}:${first + 1}: a function of ${lines} lines, the limit is ${functionLinesMax}`];
}
