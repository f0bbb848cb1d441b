/** Lines of programs become samples, and samples become files. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { caseOf, measured, PLACES, printing, sample } from './fixture.ts';
import { parseMeasurement, ratioToFloor, sampleOf, writeResults } from './results.ts';
import { unitOf } from './schedule.ts';
import type { Better, Meta, Outcome, Unit, UnitOutcome } from './types.ts';

const program = printing(1);

function unit(better: Better = 'lower'): Unit {
  const figures = { product: program, floor: program, peers: { slow: program, gone: program } };
  return unitOf(caseOf('a', figures, { better }), { size: 1 }, 'full', PLACES);
}

function outcomes(product: Outcome, floor: Outcome, peers: Record<string, Outcome> = {}) {
  const of = (role: UnitOutcome['step']['role'], name: string, outcome: Outcome): UnitOutcome => {
    return { step: { role, contender: { name, program } }, outcome };
  };
  const beside = Object.entries(peers).map(([name, outcome]) => of('peer', name, outcome));
  return [...beside, of('floor', 'floor.a', floor), of('product', 's/a', product)];
}

it('the last line that a program prints is its figure [BEN-001]', () => {
  const line = JSON.stringify(measured(5));
  expect(parseMeasurement(`warming up\n${line}\n`)).toEqual(measured(5));
  expect(parseMeasurement(`${line}\nbye\n`)).toBeUndefined();
});

it.each([
  '',
  'null',
  '{"unit":"ns"}',
  '{"unit":"ns","n":1,"p50":0,"p99":1,"min":1}',
  '{"unit":"ns","n":1,"p50":null,"p99":1,"min":1}',
  '{"n":1,"p50":1,"p99":1,"min":1}',
])('a line without the five fields above 0 is no figure: %s [BEN-001]', (line) => {
  expect(parseMeasurement(line)).toBeUndefined();
});

it('a figure in another unit than the case wants is none [BEN-002, BEN-009]', () => {
  expect(sampleOf(unit(), 1, outcomes(measured(5, '1/s'), measured(1)))).toMatchObject({
    what: 's/a',
    reason: 'it reports 1/s, the case wants ns',
  });
  expect(sampleOf(unit(), 1, outcomes(measured(5), measured(1, '1/s')))).toMatchObject({
    what: 'floor.a',
  });
  const peers = { slow: measured(10, '1/s') };
  expect(sampleOf(unit(), 1, outcomes(measured(5), measured(1), peers))).toMatchObject({
    peers: {},
    missing: { slow: 'it reports 1/s, not ns' },
  });
});

it('a sample has the fields of its unit, its figure, its floor and its peers [BEN-007]', () => {
  const product = { ...measured(6), detail: { retries: 3 } };
  expect(sampleOf(unit(), 4, outcomes(product, measured(2), { slow: measured(12) }))).toEqual({
    kind: 'sample',
    suite: 's',
    case: 'a',
    params: { size: 1 },
    unit: 'ns',
    better: 'lower',
    run: 4,
    n: 10,
    p50: 6,
    p99: 12,
    min: 3,
    floor: { case: 'floor.a', p50: 2 },
    ratio: 3,
    peers: { slow: 0.5 },
    detail: { retries: 3 },
  });
});

it('a ratio above 1 is further from the floor in either direction [BEN-008]', () => {
  expect(ratioToFloor(6, 2, 'lower')).toBe(3);
  expect(ratioToFloor(2, 6, 'higher')).toBe(3);
  expect(sampleOf(unit('higher'), 1, outcomes(measured(2), measured(6)))).toMatchObject({
    ratio: 3,
  });
});

it('the number of a peer is our p50 over its own in either direction [BEN-009]', () => {
  for (const better of ['lower', 'higher'] as const) {
    const peers = { slow: measured(12), gone: { failed: 'it is not installed' } };
    expect(sampleOf(unit(better), 1, outcomes(measured(6), measured(2), peers))).toMatchObject({
      peers: { slow: 0.5 },
      missing: { gone: 'it is not installed' },
    });
  }
});

it('a file of results is replaced whole, in a folder that is made [BEN-011]', () => {
  const folder = mkdtempSync(join(tmpdir(), 'results-'));
  const path = join(folder, 'deep', 'out.jsonl');
  const meta = { kind: 'meta', schema: 1 } as Meta;
  writeResults(path, meta, [sample({ run: 1 }), sample({ run: 2 })]);
  writeResults(path, meta, [sample({ run: 3 })]);
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual([meta, sample({ run: 3 })]);
  expect(readdirSync(join(folder, 'deep'))).toEqual(['out.jsonl']);
  rmSync(folder, { recursive: true });
});
