/** The table of ported tests against upstream's counts, and against the tests that exist. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { type Port, readPorts, readProperties, result } from '../../../ci/generate/ports.mjs';
import { root } from '../../../ci/process.mjs';
import { readTests } from '../../../ci/spec/citations.mjs';
import { readSource, repositoryPaths } from '../../../ci/tree.mjs';

interface Counts {
  readonly groups: Readonly<Record<string, readonly number[]>>;
  readonly total: readonly number[];
  readonly variants: Readonly<Record<string, readonly number[]>>;
  readonly 'main-handling': readonly number[];
  readonly newer: readonly number[];
}

const folder = join(root, 'conformance/multiprocessing');
const read = (path: string) => parse(readFileSync(join(folder, path), 'utf8'));
const counts: Counts = read('ports/counts.yaml');
const tables = readdirSync(join(folder, 'ports/table')).filter((name) => name.endsWith('.yaml'));
const ports = readPorts(tables.map((name) => read(`ports/table/${name}`)));
const properties = readProperties(read('properties/table.yaml'));

function classes(rows: readonly Port[]): number[] {
  return ['P', 'A', 'N'].map((name) => rows.filter((row) => row.class === name).length);
}

/** Methods, their classes, and their cases: a method is loaded once for each variant. */
function sizes(rows: readonly Port[]): number[] {
  const cases = rows.reduce((sum, { variants }) => sum + (variants?.length ?? 0), 0);
  return [rows.length, ...classes(rows), cases];
}

it("has upstream's methods, classes and cases in every group [CNF-063]", () => {
  const upstream = ports.filter(({ source }) => source === 'upstream');
  const groups = [...new Set(upstream.map(({ group }) => group))];
  const found = groups.map((name) => [name, sizes(upstream.filter(({ group }) => group === name))]);
  expect(found).toEqual(Object.entries(counts.groups));
  expect(sizes(upstream)).toEqual(counts.total);
  for (const [variant, expected] of Object.entries(counts.variants)) {
    const having = upstream.filter(({ variants }) => variants?.includes(variant));
    expect(classes(having), variant).toEqual(expected);
  }
  for (const source of ['main-handling', 'newer'] as const) {
    expect(classes(ports.filter((port) => port.source === source))).toEqual(counts[source]);
  }
  expect(new Set(ports.map(({ test }) => test)).size).toBe(ports.length);
});

it('leaves out what is not meaningful, or waits for something, and no more [CNF-063]', () => {
  const left = ports.filter((port) => port.class === 'N' || port.needs !== undefined);
  for (const port of left) expect(port.ported, port.test).toBe(false);
  // What only managers or threads run needs those.
  for (const { variants, needs, test } of ports) {
    if (variants !== undefined && !/[pu]/.test(variants)) expect(needs, test).toBe('managers');
  }
});

it('marks as ported what has a test of its name, and as tested what is cited [CNF-064]', () => {
  const paths = repositoryPaths().filter((path) => path.endsWith('.test.ts'));
  const tests = paths.flatMap((path) => readTests(readSource(path)));
  const cited = (id: string) => tests.filter(({ cites }) => cites.includes(id));
  for (const port of ports) {
    const id = `CPT-${String(port.number).padStart(3, '0')}`;
    const titles = cited(id).map(({ title }) => title);
    if (result(port) !== 'ported') expect(titles, port.test).toEqual([]);
    else expect(titles).toContain(`${port.test} [${id}]`);
  }
  for (const { number, tested } of properties) {
    expect(cited(`PRP-${String(number).padStart(3, '0')}`).length > 0, `PRP ${number}`).toBe(
      tested,
    );
  }
});
