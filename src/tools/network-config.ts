/**
 * `dragon network-config`: the network configuration of this host, or of virtual nodes on it.
 *
 * Goals: what it prints can be given to `--network-config` after people have edited it.
 * Non-goals: other hosts, which need a workload manager that starts something there.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, hostname, networkInterfaces, totalmem } from 'node:os';
import { Failure, usageError } from '../launcher/failure.ts';
import { commandHelp } from '../launcher/help.ts';
import type { NetworkConfig } from '../launcher/network/config.ts';
import { configToJson, configToYaml } from '../launcher/network/file.ts';
import { chooseAddresses, DEFAULT_PREFIX, prefixFilter } from '../launcher/network/interfaces.ts';
import { localConfig } from '../launcher/network/local.ts';
import { countOf, notSupported, portOf } from '../launcher/node-options.ts';
import { type OptionRow, type Parsed, parseOptions } from '../launcher/options.ts';

const options: readonly OptionRow[] = [
  { names: ['-h', '--help'], help: 'print this text' },
  { names: ['-w', '--wlm'], value: 'NAME', help: 'the workload manager: local' },
  { names: ['-N', '--nodes'], value: 'COUNT', help: 'how many virtual nodes, with --wlm local' },
  { names: ['-p', '--port'], value: 'PORT', help: 'the port of the first node (6565)' },
  { names: ['--network-prefix'], value: 'REGEX', help: 'which interfaces may be used' },
  { names: ['--primary'], value: 'NAME', help: 'the primary node' },
  { names: ['-y', '--output-to-yaml'], help: 'write local.yaml' },
  { names: ['-j', '--output-to-json'], help: 'write local.json' },
  { names: ['--no-stdout'], help: 'print nothing' },
  ...['--hostlist', '--hostfile'].map((name) => ({ names: [name], value: 'HOSTS' })),
  ...['--ssh-config-path', '--private-key'].map((name) => ({ names: [name], value: 'PATH' })),
  { names: ['--passphrase'], value: 'TEXT' },
  { names: ['--log'] },
];

const about = 'Prints the network configuration of this host, or of virtual nodes on it, as YAML.';

const DEFAULT_PORT = 6565;
const needManager = ['--hostlist', '--hostfile', '--ssh-config-path', '--private-key'];

export async function main(words: readonly string[]): Promise<number> {
  const command = 'dragon network-config';
  const parsed = parseOptions(words, options, command);
  if (parsed.values.has('--help')) {
    process.stdout.write(commandHelp('network-config', about, options));
    return 0;
  }
  const [first] = parsed.rest;
  if (first !== undefined) throw usageError(`'${first}' is not expected`, command);
  const config = configOf(parsed);
  if (parsed.values.has('--output-to-yaml')) write('local.yaml', configToYaml(config));
  if (parsed.values.has('--output-to-json')) write('local.json', configToJson(config));
  if (!parsed.values.has('--no-stdout')) process.stdout.write(configToYaml(config));
  return 0;
}

function configOf({ values }: Parsed): NetworkConfig {
  const given = (name: string): string | undefined => values.get(name)?.at(-1);
  for (const name of [...needManager, '--passphrase', '--log']) {
    if (values.has(name)) throw notSupported(`option ${name}`);
  }
  const wlm = given('--wlm');
  if (wlm !== undefined && wlm !== 'local') throw notSupported(`--wlm ${wlm}`);
  const nodes = countOf('--nodes', given('--nodes') ?? '1') || 1;
  if (nodes > 1 && wlm === undefined) {
    throw usageError('--nodes needs --wlm local', 'dragon network-config');
  }
  const prefix = given('--network-prefix');
  const isLoopback = wlm === 'local' && prefix === undefined;
  const filter = prefixFilter(prefix ?? DEFAULT_PREFIX);
  const facts = {
    hostName: hostname(),
    hostId: bootIdentity(),
    cpus: availableParallelism(),
    memoryBytes: BigInt(totalmem()),
    addresses: isLoopback ? ['127.0.0.1'] : chooseAddresses(filter, networkInterfaces()),
  };
  const port = portOf('--port', given('--port') ?? String(DEFAULT_PORT));
  return localConfig(facts, { nodes, port, primary: given('--primary') });
}

/** What tells this host from others until it is started again, as the core makes it: FNV-1a. */
function bootIdentity(): bigint {
  const text = readFileSync('/proc/sys/kernel/random/boot_id');
  return text.reduce(
    (hash, byte) => BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n),
    0xcbf29ce484222325n,
  );
}

function write(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new Failure(`${path} can't be written: ${(error as Error).message}`);
  }
}
