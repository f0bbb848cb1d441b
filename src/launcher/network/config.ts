/**
 * The network configuration: its form, the check of one that comes from outside, the primary.
 *
 * Goals: whatever people have edited, the answer is a whole configuration or one line that
 * names the node, the field and what is expected. Non-goals: files (`file.ts`).
 */
import { isIP } from 'node:net';
import { Failure } from '../failure.ts';

/** In the order of their numbers, the first is 1. */
export const nodeStates = [
  'NULL',
  'DISCOVERABLE',
  'PENDING',
  'ACTIVE',
  'IDLE',
  'ERROR',
  'DOWN',
] as const;
export type NodeState = (typeof nodeStates)[number];

export interface Accelerators {
  readonly vendor: string;
  readonly deviceList: readonly number[];
  readonly variable: string;
}

/** One node. */
export interface NodeEntry {
  readonly state: NodeState;
  readonly hUid: bigint | undefined;
  readonly name: string;
  readonly hostName: string;
  readonly isPrimary: boolean;
  /** `ip:port`, `[ip]:port` for IPv6; the preferred one first. */
  readonly addresses: readonly string[];
  readonly hostId: bigint;
  readonly cpus: number;
  readonly memoryBytes: bigint;
  readonly cpuDevices: readonly number[];
  readonly accelerators: Accelerators | undefined;
  readonly localHandle: string;
  readonly overlayHandle: string;
  readonly fabricAddresses: readonly string[] | undefined;
}

/** The nodes in the order of their keys; the first is the primary once it is chosen. */
export type NetworkConfig = readonly NodeEntry[];

const U64_MAX = 2n ** 64n - 1n;
const fields: ReadonlySet<string> = new Set([
  ...['state', 'h_uid', 'name', 'host_name', 'is_primary', 'ip_addrs', 'host_id', 'num_cpus'],
  ...['physical_mem', 'cpu_devices', 'accelerators', 'shep_cd', 'overlay_cd', 'fabric_ep_addrs'],
]);

type Mapping = Readonly<Record<string, unknown>>;

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** One node's fields, with the words for what is wrong with one. */
class Fields {
  readonly #where: string;
  readonly #values: Mapping;

  constructor(where: string, values: Mapping) {
    this.#where = where;
    this.#values = values;
    const foreign = Object.keys(values).find((name) => !fields.has(name));
    if (foreign !== undefined) throw new Failure(`${where}: there is no field ${foreign}`);
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined && this.#values[name] !== null;
  }

  wrong(name: string, expected: string): Failure {
    const value = this.#values[name];
    const found = value === undefined ? 'it is missing' : `it is ${shown(value)}`;
    return new Failure(`${this.#where}: ${name} must be ${expected}; ${found}`);
  }

  get(name: string): unknown {
    return this.#values[name];
  }

  text(name: string, fallback?: string): string {
    if (fallback !== undefined && !this.has(name)) return fallback;
    const value = this.#values[name];
    if (typeof value === 'string' && (value !== '' || fallback !== undefined)) return value;
    throw this.wrong(name, 'a text');
  }

  flag(name: string): boolean {
    const value = this.#values[name] ?? false;
    if (typeof value === 'boolean') return value;
    throw this.wrong(name, 'true or false');
  }

  u64(name: string, least: bigint): bigint {
    const value = this.#values[name];
    const isWhole = typeof value === 'bigint' || Number.isSafeInteger(value);
    const number = isWhole ? BigInt(value as number | bigint) : -1n;
    if (number >= least && number <= U64_MAX) return number;
    throw this.wrong(name, `a whole number from ${least} to 2^64 - 1`);
  }

  count(name: string): number {
    const value = Number(this.#values[name] === undefined ? Number.NaN : this.u64(name, 0n));
    if (Number.isSafeInteger(value)) return value;
    throw this.wrong(name, 'a whole number');
  }

  numbers(name: string): number[] {
    const value = this.has(name) ? this.#values[name] : [];
    const list = Array.isArray(value) ? value.map(Number) : [Number.NaN];
    if (list.every((item) => Number.isSafeInteger(item) && item >= 0)) return list;
    throw this.wrong(name, 'a list of whole numbers');
  }

  texts(name: string, expected: string, fits: (text: string) => boolean): string[] {
    const value = this.#values[name];
    const list: unknown[] = Array.isArray(value) ? value : [undefined];
    if (list.every((item) => typeof item === 'string' && fits(item))) return list as string[];
    throw this.wrong(name, expected);
  }
}

function shown(value: unknown): string {
  const text = JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? `${item}` : item));
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** Whether a text is `ip:port` or `[ip]:port`. */
export function isAddress(text: string): boolean {
  const [, v6, v4, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const isHost = v6 === undefined ? isIP(v4 ?? '') === 4 : isIP(v6) === 6;
  return isHost && Number(port) >= 1 && Number(port) <= 65_535;
}

/** Makes a configuration of what a file holds; `source` is what people call the file. */
export function checkConfig(value: unknown, source: string): NetworkConfig {
  if (!isMapping(value)) throw new Failure(`${source}: a network configuration is a mapping`);
  // The front end's own entry, which older tools write as well.
  const keys = Object.keys(value).filter((key) => key !== 'f');
  if (keys.length === 0) throw new Failure(`${source}: there is no node in it`);
  const config = keys.map((_, index) => {
    const entry = value[String(index)];
    const where = `${source}: node "${index}"`;
    if (entry === undefined) {
      const names = keys.map((key) => `"${key}"`).join(', ');
      throw new Failure(`${where} is missing; nodes are "0" to "n-1", and here they are ${names}`);
    }
    if (!isMapping(entry)) throw new Failure(`${where} must be a mapping; it is ${shown(entry)}`);
    return nodeEntry(new Fields(where, entry));
  });
  checkTogether(config, source);
  return config;
}

function nodeEntry(read: Fields): NodeEntry {
  const hostName = read.text('host_name');
  const isFabric = read.has('fabric_ep_addrs');
  return {
    state: state(read),
    hUid: read.has('h_uid') ? read.u64('h_uid', 0n) : undefined,
    name: read.text('name', hostName),
    hostName,
    isPrimary: read.flag('is_primary'),
    addresses: addresses(read),
    hostId: read.u64('host_id', 1n),
    cpus: read.count('num_cpus'),
    memoryBytes: read.u64('physical_mem', 0n),
    cpuDevices: read.numbers('cpu_devices'),
    accelerators: accelerators(read),
    localHandle: read.text('shep_cd', ''),
    overlayHandle: read.text('overlay_cd', ''),
    fabricAddresses: isFabric
      ? read.texts('fabric_ep_addrs', 'a list of texts', () => true)
      : undefined,
  };
}

function state(read: Fields): NodeState {
  if (!read.has('state')) return 'ACTIVE';
  const value = read.get('state');
  const found = nodeStates.find((name, at) => value === name || Number(value) === at + 1);
  if (found !== undefined) return found;
  throw read.wrong('state', `one of ${nodeStates.join(', ')}, or 1 to ${nodeStates.length}`);
}

function addresses(read: Fields): string[] {
  const expected = 'a list of ip:port, for example 10.0.0.1:7575 or [fd00::1]:7575';
  const list = read.texts('ip_addrs', expected, isAddress);
  if (list.length === 0) throw read.wrong('ip_addrs', expected);
  return list;
}

function accelerators(read: Fields): Accelerators | undefined {
  if (!read.has('accelerators')) return undefined;
  const value = read.get('accelerators');
  const expected = 'null or a mapping with vendor, device_list and env_str';
  if (!isMapping(value)) throw read.wrong('accelerators', expected);
  const { vendor, device_list: devices, env_str: variable } = value;
  const deviceList = Array.isArray(devices) ? devices.map(Number) : [Number.NaN];
  const isWhole = deviceList.every(Number.isSafeInteger);
  const isKnown = ['string', 'number', 'bigint'].includes(typeof vendor);
  if (!isWhole || !isKnown || typeof variable !== 'string') {
    throw read.wrong('accelerators', expected);
  }
  return { vendor: String(vendor), deviceList, variable };
}

function checkTogether(config: NetworkConfig, source: string): void {
  const ids = new Map<bigint, number>();
  const places = new Map<string, number>();
  for (const [index, { hostId, addresses: all }] of config.entries()) {
    const other =
      ids.get(hostId) ?? all.map((one) => places.get(one)).find((at) => at !== undefined);
    if (other !== undefined) {
      const what = ids.has(hostId) ? `host_id ${hostId}` : 'address in ip_addrs';
      throw new Failure(`${source}: nodes "${other}" and "${index}" have the same ${what}`);
    }
    ids.set(hostId, index);
    for (const one of all) places.set(one, index);
  }
  const marked = [...config.keys()].filter((index) => config[index]?.isPrimary);
  if (marked.length > 1) {
    const keys = marked.map((index) => `"${index}"`).join(', ');
    throw new Failure(`${source}: one node is the primary, and here nodes ${keys} are`);
  }
}

/** Puts the primary first: the named one, else the marked one, else the smallest host id. */
export function choosePrimary(config: NetworkConfig, named?: string): NetworkConfig {
  const marked = config.findIndex(({ isPrimary }) => isPrimary);
  const wanted = config.findIndex(({ name, hostName }) => name === named || hostName === named);
  const all = config.map(({ name }) => name).join(', ');
  if (named !== undefined && wanted < 0) {
    throw new Failure(`--primary ${named}: there is no such node; there are ${all}`);
  }
  if (named !== undefined && marked >= 0 && marked !== wanted) {
    const name = config[marked]?.name;
    throw new Failure(`--primary ${named}: the configuration marks ${name}; nodes are ${all}`);
  }
  const smallest = config.reduce(
    (best, { hostId }, index) => (hostId < (config[best]?.hostId ?? 0n) ? index : best),
    0,
  );
  const first = wanted >= 0 ? wanted : marked >= 0 ? marked : smallest;
  const nodes = [...config];
  [nodes[0], nodes[first]] = [config[first] as NodeEntry, config[0] as NodeEntry];
  return nodes.map((node, index) => ({ ...node, isPrimary: index === 0 }));
}
