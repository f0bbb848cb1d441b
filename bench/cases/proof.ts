/** What a proof of crash safety has found: nothing, in so many runs. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchCase, Places } from '../runner/types.ts';

/** Where campaigns leave a line each. */
const RECORD = 'bench/results/proof.jsonl';

const FUZZ_TARGETS = [
  'memory.broker',
  'memory.handle',
  'memory.segment',
  'process.frame',
  'sync.node_segment',
];
const CAMPAIGNS = ['kill-points', 'exhaustive', ...FUZZ_TARGETS.map((target) => `fuzz.${target}`)];

function proof({ node, root }: Places, ...words: readonly string[]) {
  return { argv: [node, join(root, 'bench/programs/proof.mjs'), ...words] };
}

const killPoints: BenchCase = {
  suite: 'core',
  name: 'proof.kill-points',
  about: 'clean runs of random scripts in processes that are killed at random points',
  unit: 'runs',
  better: 'higher',
  variants: [{ runs: 300 }],
  smoke: [],
  product: ({ params, places }) => proof(places, 'fresh', '--runs', String(params['runs'])),
};

const campaign: BenchCase = {
  suite: 'core',
  name: 'proof.campaign',
  about: 'clean runs of a long campaign, as its record says',
  unit: 'runs',
  better: 'higher',
  variants: CAMPAIGNS.map((what) => ({ what })),
  smoke: [],
  product: ({ params, places }) => {
    if (!existsSync(join(places.root, RECORD))) return { missing: `there is no ${RECORD}` };
    return proof(places, 'campaign', '--what', String(params['what']));
  },
};

export const PROOF_CASES: readonly BenchCase[] = [killPoints, campaign];
