/** Large transfers between two nodes on two processors, beside a bare connection. */
import {
  type Contender,
  isMissing,
  type Missing,
  type Program,
  type Situation,
} from '../runner/types.ts';
import { floor, nativeProgram, pinning, sized } from './commands.ts';

const MIB = 1_048_576;

/** Bytes of a transfer. */
export const STREAM_BYTES = { small: MIB, large: 64 * MIB } as const;

function words(at: Situation) {
  const cpus = pinning(at);
  if (isMissing(cpus)) return cpus;
  const bytes = Number(at.params['bytes']);
  const rounds = bytes > MIB ? sized(at, 1, 5) : sized(at, 5, 100);
  return ['--bytes', bytes, '--rounds', rounds, ...cpus];
}

/** The measurement `stream` of one of the native programs. */
export function streamOf(at: Situation, program: string): Program | Missing {
  const own = words(at);
  return isMissing(own) ? own : nativeProgram(at.places, program, 'stream', ...own);
}

export function tcpStream(at: Situation): Contender {
  const own = words(at);
  if (isMissing(own)) return { name: 'floor.tcp-stream', program: own };
  return floor(at.places, 'tcp-stream', ...own);
}
