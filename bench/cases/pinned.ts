/** The commands of hand-offs: two pinned processes, and the raw hand-off of the same pinning. */
import { join } from 'node:path';
import {
  type Contender,
  isMissing,
  type Missing,
  type Program,
  type Situation,
} from '../runner/types.ts';
import { floor, nodePeer, pinning, sized } from './commands.ts';

type Words = readonly (string | number)[];

/** The words of a hand-off case, or why it can't be measured here. */
export function pinned(
  at: Situation,
  smoke: number,
  full: number,
  make: (...words: Words) => Program,
): Program | Missing {
  const cpus = pinning(at);
  if (isMissing(cpus)) return cpus;
  const { bytes = 64, wait = 'block' } = at.params;
  const sizes = ['--rounds', sized(at, smoke, full), '--bytes', Number(bytes)];
  return make(...sizes, '--wait', String(wait), ...cpus);
}

/** The raw hand-off that waits in the way of the case. */
export function handOffFloor(at: Situation, name: string): Contender {
  const words = ['--rounds', sized(at, 200, 2000)];
  const cpus = pinning(at);
  if (isMissing(cpus)) return { name: `floor.${name}`, program: cpus };
  return floor(at.places, name, ...words, ...cpus);
}

/** A poll of libuv on an eventfd, in a bare Node that has it. */
export function loopFloor(at: Situation): Contender {
  const cpus = pinning(at);
  if (isMissing(cpus)) return { name: 'floor.libuv-eventfd', program: cpus };
  const words = ['--rounds', sized(at, 200, 5000), ...cpus];
  const module = join(at.places.native, 'loop_floor.node');
  return { ...nodePeer(at.places, 'loop-floor', module, ...words), name: 'floor.libuv-eventfd' };
}

const floorOfWait: Readonly<Record<string, string>> = {
  spin: 'shm-spin',
  block: 'futex',
  sync: 'futex',
};

export const floorFor = (at: Situation): Contender => {
  const { wait } = at.params;
  return wait === 'async' ? loopFloor(at) : handOffFloor(at, floorOfWait[String(wait)] ?? 'futex');
};
