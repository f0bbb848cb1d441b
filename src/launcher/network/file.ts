/**
 * Network configurations as text: YAML and JSON, in and out.
 *
 * JSON is read as the YAML that it is, so that host ids of 64 bits keep all their digits.
 * Non-goals: what a configuration must be (`config.ts`).
 */
import { readFileSync } from 'node:fs';
import { parseDocument, stringify } from 'yaml';
import { Failure } from '../failure.ts';
import { checkConfig, type NetworkConfig, type NodeEntry } from './config.ts';

/** More is no network configuration: 2^24 nodes is not what people keep in a file. */
const FILE_BYTES_MAX = 64 * 2 ** 20;

export function readConfigFile(path: string): NetworkConfig {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Failure(`network configuration ${path} can't be read: ${(error as Error).message}`);
  }
  if (text.length > FILE_BYTES_MAX) throw new Failure(`${path} is no network configuration`);
  return parseConfig(text, path);
}

export function parseConfig(text: string, source: string): NetworkConfig {
  const document = parseDocument(text, { intAsBigInt: true, prettyErrors: true });
  const [problem] = document.errors;
  if (problem !== undefined) {
    const [line = ''] = problem.message.split('\n');
    throw new Failure(`${source} is neither YAML nor JSON: ${line.replace(/:$/, '')}`);
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new Failure(`${source} is no network configuration: ${(error as Error).message}`);
  }
  return checkConfig(value, source);
}

export function configToYaml(config: NetworkConfig): string {
  return stringify(asFields(config));
}

export function configToJson(config: NetworkConfig): string {
  return `${json(asFields(config), '')}\n`;
}

type Value = string | number | boolean | bigint | null | readonly Value[] | ValueMapping;
interface ValueMapping {
  readonly [name: string]: Value;
}

function asFields(config: NetworkConfig): ValueMapping {
  return Object.fromEntries(config.map((node, index) => [String(index), nodeFields(node)]));
}

function nodeFields(node: NodeEntry): ValueMapping {
  const { accelerators, fabricAddresses } = node;
  return {
    state: node.state,
    h_uid: node.hUid ?? null,
    name: node.name,
    host_name: node.hostName,
    is_primary: node.isPrimary,
    ip_addrs: node.addresses,
    host_id: node.hostId,
    num_cpus: node.cpus,
    physical_mem: node.memoryBytes,
    cpu_devices: node.cpuDevices,
    accelerators:
      accelerators === undefined
        ? null
        : {
            vendor: accelerators.vendor,
            device_list: accelerators.deviceList,
            env_str: accelerators.variable,
          },
    shep_cd: node.localHandle,
    overlay_cd: node.overlayHandle,
    ...(fabricAddresses === undefined ? {} : { fabric_ep_addrs: fabricAddresses }),
  };
}

/** JSON with all digits of a bigint, which JSON.stringify refuses to write. */
function json(value: Value, indent: string): string {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  const isList = Array.isArray(value);
  const items = isList
    ? (value as readonly Value[]).map((item) => json(item, inner))
    : Object.entries(value as ValueMapping).map(
        ([name, item]) => `${JSON.stringify(name)}: ${json(item, inner)}`,
      );
  const [open, close] = isList ? '[]' : '{}';
  if (items.length === 0) return `${open}${close}`;
  return `${open}\n${items.map((item) => inner + item).join(',\n')}\n${indent}${close}`;
}
