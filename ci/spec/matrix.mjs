/**
 * Sets requirements against tests and finds the holes on both sides.
 *
 * A test that cites many requirements proves none of them well: three is the limit.
 */
import { components } from './requirements.mjs';

const citationsMax = 3;

/**
 * @param {readonly import('./requirements.mjs').Requirement[]} requirements
 * @param {readonly import('./citations.mjs').Test[]} tests
 */
export function judge(requirements, tests) {
  return [
    ...badRequirements(requirements),
    ...requirements
      .filter(({ id }) => !tests.some((test) => test.cites.includes(id)))
      .map(({ id, place }) => `${place}: ${id} has no test`),
    ...badTests(requirements, tests),
  ];
}

/** @param {readonly import('./requirements.mjs').Requirement[]} requirements */
function badRequirements(requirements) {
  /** @type {Map<string, string>} */
  const first = new Map();
  return requirements.flatMap(({ id, place, text }) => {
    const findings = [];
    const earlier = first.get(id);
    if (earlier !== undefined) findings.push(`${place}: ${id} stands at ${earlier} too`);
    else first.set(id, place);
    const component = id.split('-')[0] ?? '';
    if (!Object.hasOwn(components, component)) findings.push(`${place}: unknown prefix of ${id}`);
    if (text === '') findings.push(`${place}: ${id} says nothing`);
    return findings;
  });
}

/**
 * @param {readonly import('./requirements.mjs').Requirement[]} requirements
 * @param {readonly import('./citations.mjs').Test[]} tests
 */
function badTests(requirements, tests) {
  const known = new Set(requirements.map(({ id }) => id));
  return tests.flatMap(({ title, place, cites }) => {
    const findings = cites
      .filter((id) => !known.has(id))
      .map((id) => `${place}: cites ${id}, which no text in spec/ has`);
    if (cites.length === 0) findings.push(`${place}: cites no requirement: ${title}`);
    if (cites.length > citationsMax) {
      findings.push(`${place}: cites ${cites.length} requirements, the limit is ${citationsMax}`);
    }
    return findings;
  });
}

/**
 * One line a requirement, and one for each of its tests.
 * @param {readonly import('./requirements.mjs').Requirement[]} requirements
 * @param {readonly import('./citations.mjs').Test[]} tests
 */
export function matrix(requirements, tests) {
  return requirements.flatMap(({ id, text }) => [
    `${id}  ${text}`,
    ...tests
      .filter((test) => test.cites.includes(id))
      .map((test) => `    ${test.place}  ${test.title}`),
  ]);
}
