/**
 * House rule: no test is focused, postponed or skipped for good.
 *
 * A test that cannot run on this machine skips at run time with a reason (`context.skip(...)`
 * with an argument); everything that decides before the run is a finding.
 */

const idle = [
  /\b(it|test|describe|bench)\s*\.\s*(skip|todo|only|fails|skipIf|runIf)\b/,
  /\bfc\s*\.\s*\w+\s*\.\s*(skip|only)\b/,
  /\b(xit|xtest|xdescribe|fit|fdescribe)\s*\(/,
  /\bdoctest::(skip|may_fail|should_fail|expected_failures)\b/,
  /\b(context|ctx|task)\s*\.\s*skip\(\s*\)/,
  /(?<![.\w])skip\(\s*\)/,
];

/** @param {import('../tree.mjs').SourceFile} file */
export function idleTests({ path, text }) {
  // The rule's own patterns and its test name what they look for.
  if (path.startsWith('ci/tidy/')) return [];
  return text.split('\n').flatMap((line, index) => {
    const found = idle.map((pattern) => pattern.exec(line)?.[0]).find((match) => match);
    return found ? [`${path}:${index + 1}: ${found} leaves out a test`] : [];
  });
}
