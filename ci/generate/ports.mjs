/**
 * Turns the tables of ported tests and of properties into spec/ports.md and spec/properties.md.
 *
 * Goals: one requirement for each row whose test exists, so that spec coverage asks for that
 * test and for no other; every other row says why it has none.
 * Non-goals: comparing the tables with upstream's counts (`ports.test.ts` in conformance).
 *
 * @typedef {object} Port
 * @property {number} number
 * @property {string} group
 * @property {'upstream' | 'newer' | 'main-handling' | 'own'} source
 * @property {string} test
 * @property {string | undefined} variants letters: p processes, m managers, t threads, u untyped
 * @property {'P' | 'A' | 'N' | undefined} class as it is, adapted, not meaningful
 * @property {string} checks
 * @property {string | undefined} here what is different, or remarkable, in this port
 * @property {string | undefined} reason why it is not meaningful
 * @property {'managers' | 'listeners' | 'threads' | undefined} needs what has to exist first
 * @property {boolean} ported
 *
 * @typedef {object} Property
 * @property {number} number
 * @property {string} kind
 * @property {string} object
 * @property {string} property
 * @property {string | undefined} check
 * @property {string | undefined} needs
 * @property {boolean} tested
 */

const columns = 100;
const needs = ['managers', 'listeners', 'threads'];

/**
 * @param {{ group: string, source: Port['source'], rows: Record<string, unknown>[] }[]} tables
 * @returns {Port[]} in order of their numbers
 */
export function readPorts(tables) {
  const ports = tables.flatMap(({ group, source, rows }) =>
    rows.map((row) => {
      const place = `port ${row['number']}`;
      const isOwn = source === 'own';
      if (!isOwn && !['P', 'A', 'N'].includes(String(row['class']))) fail(place, 'no class');
      if (isOwn && row['class'] !== undefined) fail(place, 'a class, though it has no original');
      if (typeof row['checks'] !== 'string') fail(place, 'checks nothing');
      if ((row['class'] === 'N') !== (row['reason'] !== undefined)) fail(place, 'reason and class');
      if (row['class'] === 'A' && row['here'] === undefined) fail(place, 'no adaptation');
      const hasFlag = row['class'] !== 'N' && row['needs'] === undefined;
      const port = { ...row, group, source, ported: flag(row, 'ported', hasFlag) };
      return /** @type {Port} */ (/** @type {unknown} */ (port));
    }),
  );
  return dense(ports);
}

/**
 * @param {{ properties: Record<string, unknown>[] }} table
 * @returns {Property[]}
 */
export function readProperties({ properties }) {
  return dense(
    properties.map((row) => {
      if (typeof row['property'] !== 'string') fail(`property ${row['number']}`, 'says nothing');
      const property = { ...row, tested: flag(row, 'tested', row['needs'] === undefined) };
      return /** @type {Property} */ (/** @type {unknown} */ (property));
    }),
  );
}

/**
 * @param {string} place
 * @param {string} what
 * @returns {never}
 */
function fail(place, what) {
  throw new Error(`${place}: ${what}`);
}

/**
 * @param {Record<string, unknown>} row
 * @param {string} name
 * @param {boolean} isExpected a row that waits for something, or never comes, has no flag
 */
function flag(row, name, isExpected) {
  const place = `row ${row['number']}`;
  const known = row['needs'] === undefined || needs.includes(String(row['needs']));
  if (!known) fail(place, `needs ${row['needs']}, which is not one of ${needs.join(', ')}`);
  const value = row[name];
  const isFlag = value === 'yes' || value === 'no';
  if (isExpected ? !isFlag : value !== undefined) fail(place, `${name}: ${value}`);
  return value === 'yes';
}

/**
 * @template {{ number: number }} Row
 * @param {Row[]} rows
 */
function dense(rows) {
  const sorted = rows.toSorted((a, b) => a.number - b.number);
  sorted.forEach(({ number }, i) => {
    if (number !== i + 1) fail(`row ${number}`, `stands where ${i + 1} should`);
  });
  return sorted;
}

/** @param {Port} port */
export function result(port) {
  if (port.class === 'N') return 'not meaningful';
  if (port.needs !== undefined) return `waits for ${port.needs}`;
  return port.ported ? 'ported' : 'not yet';
}

/**
 * @param {string} prefix
 * @param {number} number
 */
function idOf(prefix, number) {
  return `${prefix}-${String(number).padStart(3, '0')}`;
}

/**
 * The text in lines, as the texts in spec/ are.
 * @param {string} text
 */
function wrapped(text) {
  /** @type {string[]} */
  const lines = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > columns) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join('\n');
}

/** @param {string} text */
function sentence(text) {
  return `${text}${/[.!?]$/.test(text) ? '' : '.'}`;
}

/** @param {Port} port */
function portRequirement(port) {
  const { number, test, checks, here, ported } = port;
  const id = idOf('CPT', number);
  const begin = ported ? `**${id}**` : `${id} (not yet)`;
  const name = `${begin} \`${test}\`:`;
  // The line of an id has to say something, and a very long name leaves no room for it.
  const what =
    name.length <= columns
      ? `${name} ${sentence(checks)}`
      : `${begin} ${sentence(checks)} \`${test}\`.`;
  return wrapped(`${what}${here ? ` Here: ${sentence(here)}` : ''}`);
}

/** @param {Port} port */
function portRow(port) {
  const cells = [
    String(port.number),
    `\`${port.test}\``,
    port.variants ?? '',
    port.class ?? '',
    result(port),
    port.reason ?? port.here ?? '',
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

/**
 * The text of spec/ports.md.
 * @param {Port[]} ports
 */
export function portsText(ports) {
  const carried = ports.filter((port) => port.class !== 'N' && port.needs === undefined);
  const groups = [...new Set(carried.map(({ group }) => group))];
  const sections = groups.flatMap((group) => [
    `## ${group}`,
    ...carried.filter((port) => port.group === group).map(portRequirement),
  ]);
  const rows = ['| # | test | variants | class | result | what is different, or why not |'];
  rows.push('|--|--|--|--|--|--|', ...ports.map(portRow));
  return `${[
    '# Ported tests',
    wrapped(
      "What the tests of CPython's multiprocessing (3.11.7, and the newer ones) check, as " +
        'requirements for this runtime. Generated from ' +
        '`conformance/multiprocessing/ports/table`: do not edit, change a table there and run ' +
        '`npm run generate`.',
    ),
    wrapped(
      'The number is that of the row in the table at the end. A row marked "not yet" is no ' +
        'requirement until its test exists. A test is titled by the name and cites the number.',
    ),
    ...sections,
    '## Every method',
    wrapped(
      'Variants: p processes, m managers, t threads, u the test has one form. Class: P as it ' +
        'is, A adapted, N not meaningful outside CPython.',
    ),
    rows.join('\n'),
  ].join('\n\n')}\n`;
}

/** @param {Property} property */
function propertyRequirement(property) {
  const { number, kind, object, check, needs: later, tested } = property;
  const id = idOf('PRP', number);
  const end = later === undefined ? ' (not yet)' : ` (waits for ${later})`;
  const hint = check === undefined ? '' : ` Checked by: ${sentence(check)}`;
  const text = sentence(property.property);
  return wrapped(`${tested ? `**${id}**` : `${id}${end}`} ${object} (${kind}): ${text}${hint}`);
}

/**
 * The text of spec/properties.md.
 * @param {Property[]} properties
 */
export function propertiesText(properties) {
  return `${[
    '# Properties',
    wrapped(
      'What holds for every program that uses multiprocessing, checked on random ones. ' +
        'Generated from `conformance/multiprocessing/properties/table.yaml`: do not edit, ' +
        'change the table and run `npm run generate`.',
    ),
    wrapped(
      'The letter says how: M against a model, S over interleavings of one process, H a ' +
        'history of several processes, D against another implementation, R there and back. A ' +
        'property marked "not yet" is no requirement until its test exists.',
    ),
    ...properties.map(propertyRequirement),
  ].join('\n\n')}\n`;
}
