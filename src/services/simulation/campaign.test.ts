/**
 * Runs on several nodes in virtual time, hundreds of them from seeds: launch, faults, end.
 *
 * A failure names its seed; `DRAGON_CAMPAIGN_SEED` plays it again alone.
 */
import { describe, expect, it } from 'vitest';
import { frontRows } from '../bring-up/front-table.ts';
import { nodeRows } from '../bring-up/node-table.ts';
import { playSeed } from './campaign.ts';

const isFull = process.env['DRAGON_TEST_SIZE'] === 'full';
/** Some 6 s on a quiet machine, and several times that on a busy one. */
const LIMIT_MS = isFull ? 1_200_000 : 120_000;
const given = process.env['DRAGON_CAMPAIGN_SEED'];
const seeds =
  given === undefined
    ? Array.from({ length: isFull ? 10_000 : 500 }, (_, at) => at + 1)
    : [Number(given)];

describe('runs on several nodes', () => {
  it(
    'keep their promises whatever fails, and take every transition [BUP-030]',
    () => {
      const taken = new Set<string>();
      const broken: string[] = [];
      let [answered, faults] = [0, 0];
      for (const seed of seeds) {
        const verdict = playSeed(seed, { taken: (row) => taken.add(row) });
        broken.push(
          ...verdict.broken.map((what) => `seed ${seed}, ${verdict.nodes} nodes: ${what}`),
        );
        answered += verdict.answered;
        faults += verdict.faults.length;
        if (broken.length > 20) break;
      }
      expect(broken).toEqual([]);
      if (given !== undefined) return;
      expect(answered).toBeGreaterThan(seeds.length * 10);
      expect(faults).toBeGreaterThan(seeds.length * 5);
      const rows = [
        ...frontRows.map(({ name }) => `front: ${name}`),
        ...nodeRows.map(({ name }) => `node: ${name}`),
      ];
      expect(rows.filter((row) => !taken.has(row))).toEqual([]);
      expect(new Set(rows).size).toBe(rows.length);
    },
    LIMIT_MS,
  );

  it('are the same again from the same seed [BUP-031]', () => {
    expect(playSeed(3).trace).toBe(playSeed(3).trace);
    expect(playSeed(3).trace).not.toBe(playSeed(4).trace);
  });
});
