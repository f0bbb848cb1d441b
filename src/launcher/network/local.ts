/**
 * The configuration of this host: as one node, or as several virtual ones.
 *
 * Non-goals: no look at the system; what there is to know of the host is given.
 */
import { Failure } from '../failure.ts';
import { choosePrimary, type NetworkConfig } from './config.ts';
import { withPort } from './interfaces.ts';

export interface HostFacts {
  readonly hostName: string;
  readonly hostId: bigint;
  readonly cpus: number;
  readonly memoryBytes: bigint;
  /** The preferred one first, without ports. */
  readonly addresses: readonly string[];
}

export interface LocalOptions {
  readonly nodes: number;
  /** The port of the first node; the others have those after it. */
  readonly port: number;
  readonly primary?: string | undefined;
}

const PORT_MAX = 65_535;
const U64_MAX = 2n ** 64n - 1n;

/** Every node has the whole host; its name and host id tell it from the others. */
export function localConfig(facts: HostFacts, options: LocalOptions): NetworkConfig {
  const { nodes, port, primary } = options;
  if (port + nodes - 1 > PORT_MAX) {
    throw new Failure(
      `${nodes} nodes need ports ${port} to ${port + nodes - 1}; use a lower --port`,
    );
  }
  const { hostName, cpus, memoryBytes } = facts;
  const config = Array.from({ length: nodes }, (_, index) => ({
    state: 'ACTIVE' as const,
    hUid: undefined,
    name: nodes === 1 ? hostName : `${hostName}-${index}`,
    hostName,
    isPrimary: false,
    addresses: facts.addresses.map((address) => withPort(address, port + index)),
    hostId: virtualHostId(facts.hostId, index),
    cpus,
    memoryBytes,
    cpuDevices: Array.from({ length: cpus }, (_unused, cpu) => cpu),
    accelerators: undefined,
    localHandle: '',
    overlayHandle: '',
    fabricAddresses: undefined,
  }));
  return choosePrimary(config, primary ?? config[0]?.name);
}

/** Host ids of virtual nodes follow that of their host; 0 is none. */
export function virtualHostId(hostId: bigint, index: number): bigint {
  return ((hostId - 1n + BigInt(index)) % U64_MAX) + 1n;
}
