/** How the commands of cases are made from places, sizes and parameters. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Contender,
  isMissing,
  type Missing,
  type Places,
  type Program,
  type Situation,
} from '../runner/types.ts';

type Words = readonly (string | number)[];

function command(...words: Words): Program {
  return { argv: words.map(String) };
}

/** The larger number in the full profile. */
export function sized({ profile }: Situation, smoke: number, full: number): number {
  return profile === 'smoke' ? smoke : full;
}

/** A program of `bench/programs` under dragon. */
export function product(places: Places, name: string, ...words: Words): Program {
  return command(places.dragon, join(places.root, `bench/programs/${name}.ts`), ...words);
}

export function nativeProgram(places: Places, name: string, ...words: Words): Program {
  return command(join(places.native, name), ...words);
}

export function floor(places: Places, name: string, ...words: Words): Contender {
  return { name: `floor.${name}`, program: nativeProgram(places, 'floors', name, ...words) };
}

/** A program of `bench/peers/node`. */
export function nodePeer(places: Places, name: string, ...words: Words): Contender {
  const program = command(places.node, join(places.peers, `${name}.mjs`), ...words);
  return { name: `node.${name}`, program };
}

/**
 * A program of `bench/peers/node` that uses a package of `bench/peers/package.json`; the name is
 * that of the package.
 */
export function packagePeer(
  places: Places,
  name: string,
  program: string,
  ...words: Words
): Contender {
  const isInstalled = existsSync(join(places.packages, 'node_modules', name, 'package.json'));
  const missing = `${name} is not installed: run npm ci in bench/peers`;
  return { name, program: isInstalled ? nodePeer(places, program, ...words).program : { missing } };
}

/** CPython's multiprocessing; `start` is its start method. */
export function cpythonPeer(
  { python, root }: Places,
  name: string,
  start: 'fork' | 'spawn',
  ...words: Words
): Contender {
  const script = join(root, 'bench/peers/cpython/peer.py');
  const program = isMissing(python)
    ? python
    : command(python, script, name, '--start', start, ...words);
  return { name: `cpython.${start}`, program };
}

/**
 * `--cpus A,B` for both processes of a hand-off: on two processors, or both on one. Missing
 * where there is only one processor to use.
 */
export function pinning({ places, params }: Situation): Words | Missing {
  const [first, second] = places.cpus;
  if (params['cores'] === 1) return ['--cpus', `${first},${first}`];
  if (second === undefined) return { missing: 'there is one processor only' };
  return ['--cpus', `${first},${second}`];
}
