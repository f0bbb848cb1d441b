import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repository, runDragon } from '../harness/dragon.ts';

function example(name: string, ...args: string[]) {
  return runDragon([resolve(repository, 'examples', name), ...args]);
}

describe('ping', () => {
  it('tells the time of a round trip, awaited and blocking [EXM-020]', async () => {
    const { code, stdout, stderr } = await example('ping.ts', '--count', '50', '--bytes', '100');
    expect([code, stderr]).toEqual([0, '']);
    const [who, times] = stdout.split(': median ');
    expect(who).toMatch(/^50 round trips of 100 bytes between \d+ and \d+$/);
    expect(times).toMatch(/^[\d.]+ us awaited, [\d.]+ us blocking\n$/);
  });
});

describe('ring', () => {
  it('passes a token through every process [EXM-021]', async () => {
    const { code, stdout, stderr } = await example('ring.ts', '--processes', '3', '--rounds', '20');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^3 processes, 20 rounds: the token is 60, [\d.]+ us a hop\n$/);
  });
});
