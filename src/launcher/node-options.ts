/**
 * The options of a run on several nodes: what they say together, and what of it can be done.
 *
 * Goals: every value is checked, options that contradict each other are refused by both names,
 * and nothing that was asked for is ignored. Non-goals: it starts nothing, and it is loaded
 * only when such an option is given.
 */
import { readFileSync } from 'node:fs';
import { Failure, usageError } from './failure.ts';
import { DEFAULT_PREFIX, prefixFilter } from './network/interfaces.ts';
import { isForNodes, type Parsed } from './options.ts';

const managers = ['local', 'slurm', 'pbs+pals', 'ssh', 'drun', 'k8s'] as const;
export type Manager = (typeof managers)[number];
const transports = ['configured', 'tcp', 'hsta'] as const;
export type Transport = (typeof transports)[number];

export interface NodePlan {
  /** Undefined when none is named, and none is needed on this node alone. */
  readonly manager: Manager | undefined;
  /** 0 is all that there are. */
  readonly nodes: number;
  /** In the order in which they were given. */
  readonly hosts: readonly string[] | undefined;
  readonly networkConfig: string | undefined;
  readonly interfaceFilter: RegExp;
  readonly port: number;
  readonly overlayPort: number;
  readonly frontEndPort: number;
  readonly transport: Transport;
  readonly overlayTransport: Transport;
  readonly resilient: boolean;
  readonly idleNodes: number;
  readonly exhaustResources: boolean;
  readonly telemetryLevel: number;
  readonly label: 'none' | 'basic' | 'verbose';
  /** The options that were given, as they are called. */
  readonly given: readonly string[];
}

const PORT_MIN = 1024;
const PORT_MAX = 65_535;
const NODES_MAX = 2 ** 24;
const TELEMETRY_MAX = 5;

export function nodePlan({ values }: Parsed): NodePlan {
  const last = (name: string): string | undefined => values.get(name)?.at(-1);
  const has = (name: string): boolean => values.has(name);
  refuseBoth(has);
  const manager = oneOf('--wlm', last('--wlm'), managers);
  const hosts = hostsOf(last('--hostlist'), last('--hostfile'));
  const resilient = has('--resilient');
  if (resilient && !has('--nodes') && !has('--idle')) {
    throw usageError('--resilient needs --nodes or --idle, to know what to keep in reserve');
  }
  for (const name of ['--exhaust-resources', '--idle']) {
    if (has(name) && !resilient) throw usageError(`${name} needs --resilient`);
  }
  if (hosts !== undefined && manager !== undefined && manager !== 'ssh' && manager !== 'drun') {
    throw usageError(
      `--wlm ${manager} knows its hosts itself; leave --hostlist and --hostfile out`,
    );
  }
  const ports = {
    port: portOf('--port', last('--port') ?? '7575'),
    overlayPort: portOf('--overlay-port', last('--overlay-port') ?? '6565'),
    frontEndPort: portOf('--frontend-port', last('--frontend-port') ?? '6566'),
  };
  if (new Set(Object.values(ports)).size < 3) {
    throw usageError(
      '--port, --overlay-port and --frontend-port must differ: ' +
        `they are ${Object.values(ports).join(', ')}`,
    );
  }
  const nodes = countOf('--nodes', last('--nodes') ?? '0');
  if (nodes > 0 && hosts !== undefined && nodes > hosts.length) {
    throw usageError(`--nodes ${nodes}: only ${hosts.length} hosts are given`);
  }
  return {
    // Hosts without a manager are reached over ssh.
    manager: manager ?? (hosts === undefined ? undefined : 'drun'),
    nodes,
    hosts,
    networkConfig: last('--network-config'),
    interfaceFilter: prefixFilter(last('--network-prefix') ?? DEFAULT_PREFIX),
    ...ports,
    transport: oneOf('--transport', last('--transport'), transports) ?? 'configured',
    overlayTransport:
      oneOf('--overlay-transport', last('--overlay-transport'), transports) ?? 'tcp',
    resilient,
    idleNodes: countOf('--idle', last('--idle') ?? '0'),
    exhaustResources: has('--exhaust-resources'),
    telemetryLevel: countOf('--telemetry-level', last('--telemetry-level') ?? '0', TELEMETRY_MAX),
    label: has('--verbose-label') ? 'verbose' : has('--basic-label') ? 'basic' : 'none',
    given: [...values.keys()],
  };
}

function refuseBoth(has: (name: string) => boolean): void {
  const pairs = [
    ['--hostlist', '--hostfile'],
    ['--single-node-override', '--multi-node-override'],
    ['--single-node-override', '--wlm'],
    ['--single-node-override', '--hostlist'],
    ['--single-node-override', '--hostfile'],
    ['--no-label', '--basic-label'],
    ['--no-label', '--verbose-label'],
    ['--basic-label', '--verbose-label'],
  ] as const;
  for (const [one, other] of pairs) {
    if (has(one) && has(other)) throw usageError(`${one} and ${other} exclude each other`);
  }
}

function oneOf<T extends string>(
  name: string,
  value: string | undefined,
  known: readonly T[],
): T | undefined {
  const found = known.find((one) => one === value);
  if (found !== undefined || value === undefined) return found;
  throw usageError(`${name} takes one of ${known.join(', ')}, not '${value}'`);
}

/** A count from 0. */
export function countOf(name: string, value: string, most = NODES_MAX): number {
  const count = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (count <= most) return count;
  throw usageError(`${name} takes a number from 0 to ${most}, not '${value}'`);
}

export function portOf(name: string, value: string): number {
  const port = /^\d{1,5}$/.test(value) ? Number(value) : 0;
  if (port >= PORT_MIN && port <= PORT_MAX) return port;
  throw usageError(`${name} takes a port from ${PORT_MIN} to ${PORT_MAX}, not '${value}'`);
}

/** Hosts in the order of the list; a file has one a line, with comments after a hash. */
function hostsOf(list: string | undefined, file: string | undefined): string[] | undefined {
  if (list === undefined && file === undefined) return undefined;
  const words = list === undefined ? hostLines(file ?? '') : list.split(',');
  const hosts = words.map((word) => word.trim());
  const source = list === undefined ? `--hostfile ${file}` : '--hostlist';
  const bad = hosts.find((host) => !/^[A-Za-z0-9_][\w.:-]*$/.test(host));
  if (bad !== undefined) throw usageError(`${source}: '${bad}' is no host name`);
  if (hosts.length === 0) throw usageError(`${source} names no host`);
  const twice = hosts.find((host, index) => hosts.indexOf(host) !== index);
  if (twice !== undefined) throw usageError(`${source}: ${twice} is named twice`);
  return hosts;
}

function hostLines(file: string): string[] {
  try {
    const lines = readFileSync(file, 'utf8').split('\n');
    return lines.map((line) => line.replace(/#.*/, '').trim()).filter((line) => line !== '');
  } catch (error) {
    throw new Failure(`--hostfile ${file} can't be read: ${(error as Error).message}`);
  }
}

export function notSupported(what: string): Failure {
  return usageError(`${what}: not supported by this release, which runs on one node`);
}

/** A good command line may still ask for what this release can't do. */
export function refuseUnbuilt({ manager, nodes, given }: NodePlan): void {
  if (nodes > 1) throw notSupported(`--nodes ${nodes}`);
  if (manager !== undefined) throw notSupported(`--wlm ${manager}`);
  const first = given.find(isForNodes);
  if (first !== undefined) throw notSupported(`option ${first}`);
}
