/** Network configurations: files, the primary, interfaces, and this host as several nodes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkConfig, choosePrimary, isAddress, type NetworkConfig } from './config.ts';
import { configToJson, configToYaml, parseConfig, readConfigFile } from './file.ts';
import { chooseAddresses, DEFAULT_PREFIX, type Interfaces, prefixFilter } from './interfaces.ts';
import { localConfig, virtualHostId } from './local.ts';

const U64_MAX = 2n ** 64n - 1n;

function node(index: number, more: object = {}): object {
  return {
    state: 4,
    h_uid: null,
    name: `n${index}`,
    host_name: `host-${index}`,
    is_primary: false,
    ip_addrs: [`10.0.0.${index + 1}:7575`],
    host_id: 100 - index,
    num_cpus: 4,
    physical_mem: 2 ** 34,
    cpu_devices: [0, 1, 2, 3],
    accelerators: null,
    shep_cd: '',
    overlay_cd: '',
    ...more,
  };
}

function config(...nodes: object[]): NetworkConfig {
  return checkConfig(Object.fromEntries(nodes.map((one, index) => [index, one])), 'net.yaml');
}

function refusal(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    const { message } = error as Error;
    expect(message).not.toContain('\n');
    return message;
  }
  throw new Error('it was accepted');
}

const entries = fc.record({
  state: fc.constantFrom('ACTIVE' as const, 'IDLE' as const, 'DOWN' as const),
  hUid: fc.option(fc.bigInt(0n, U64_MAX), { nil: undefined }),
  name: fc.string({ minLength: 1 }),
  hostName: fc.constantFrom('no', '1', 'null', 'a: b', '0x10', 'host'),
  isPrimary: fc.constant(false),
  hostId: fc.bigInt(1n, U64_MAX),
  cpus: fc.nat(),
  memoryBytes: fc.bigInt(0n, U64_MAX),
  cpuDevices: fc.array(fc.nat(), { maxLength: 3 }),
  accelerators: fc.option(
    fc.record({
      vendor: fc.constantFrom('Nvidia', '7'),
      deviceList: fc.array(fc.nat(), { maxLength: 3 }),
      variable: fc.string(),
    }),
    { nil: undefined },
  ),
  localHandle: fc.string(),
  overlayHandle: fc.string(),
  fabricAddresses: fc.option(fc.array(fc.string(), { maxLength: 2 }), { nil: undefined }),
});

describe('a network configuration', () => {
  it('is read as it was written, as YAML and as JSON, with all digits [NET-001]', () => {
    const configs = fc.uniqueArray(entries, {
      minLength: 1,
      maxLength: 4,
      selector: (e) => e.hostId,
    });
    fc.assert(
      fc.property(configs, (nodes) => {
        const written = nodes.map((one, at) => ({ ...one, addresses: [`10.0.0.${at}:7575`] }));
        expect(parseConfig(configToYaml(written), 'y')).toEqual(written);
        const json = configToJson(written);
        expect(parseConfig(json, 'j')).toEqual(written);
        expect(Object.keys(JSON.parse(json))).toHaveLength(written.length);
      }),
      { numRuns: 100 },
    );
  });

  it('may leave out what has a default, and have the entry of a front end [NET-001]', () => {
    const text = `f: { anything: 1 }
"0":
  host_name: alpha
  ip_addrs: ["[fd00::1]:7575"]
  host_id: 18446744073709551615
  num_cpus: 2
  physical_mem: 1024
`;
    expect(parseConfig(text, 'n')[0]).toMatchObject({
      state: 'ACTIVE',
      name: 'alpha',
      hostId: U64_MAX,
      isPrimary: false,
      cpuDevices: [],
      accelerators: undefined,
    });
  });

  it('that does not fit is refused with file, node, field and expectation [NET-002]', () => {
    const faults: [object, string][] = [
      [{ host_name: undefined }, 'net.yaml: node "1": host_name must be a text; it is missing'],
      [{ host_id: 0 }, 'host_id must be a whole number from 1 to 2^64 - 1; it is 0'],
      [{ host_id: 2 ** 70 }, 'host_id must be'],
      [{ num_cpus: 'four' }, 'num_cpus must be a whole number from 0'],
      [{ num_cpu: 4 }, 'there is no field num_cpu'],
      [{ state: 'AWAKE' }, 'state must be one of NULL, DISCOVERABLE'],
      [{ state: 8 }, 'or 1 to 7; it is 8'],
      [{ is_primary: 'yes' }, 'is_primary must be true or false'],
      [{ ip_addrs: [] }, 'ip_addrs must be a list of ip:port'],
      [{ ip_addrs: ['10.0.0.9'] }, 'for example 10.0.0.1:7575'],
      [{ ip_addrs: 'x' }, 'it is "x"'],
      [{ cpu_devices: [-1] }, 'cpu_devices must be a list of whole numbers'],
      [{ accelerators: { vendor: 'x' } }, 'accelerators must be null or a mapping'],
      [{ accelerators: 3 }, 'accelerators must be null or a mapping'],
      [{ host_id: 100 }, 'nodes "0" and "1" have the same host_id 100'],
      [{ ip_addrs: ['10.0.0.1:7575'] }, 'nodes "0" and "1" have the same address in ip_addrs'],
      [{ is_primary: true }, 'one node is the primary, and here nodes "0", "1" are'],
    ];
    for (const [fault, text] of faults) {
      const message = refusal(() => config(node(0, { is_primary: true }), node(1, fault)));
      expect(message).toContain(text);
    }
    const gap = { 0: node(0), 2: node(1) };
    expect(refusal(() => checkConfig(gap, 'net'))).toContain('net: node "1" is missing');
    expect(refusal(() => checkConfig([], 'net'))).toContain('is a mapping');
    expect(refusal(() => checkConfig({ f: 1 }, 'net'))).toContain('no node');
    expect(refusal(() => checkConfig({ 0: 5 }, 'net'))).toContain('must be a mapping; it is 5');
    for (const text of [
      '10.0.0.1:0',
      '1.2.3:80',
      '[10.0.0.1]:80',
      '::1:80',
      'host:80',
      '1.2.3.4:99999',
    ]) {
      expect(isAddress(text)).toBe(false);
    }
  });

  it('that is no YAML, or can not be read, is refused with the place [NET-003]', () => {
    const folder = mkdtempSync(join(tmpdir(), 'net-'));
    const path = join(folder, 'n.yaml');
    writeFileSync(path, '"0": {\n  a: [1\n');
    expect(refusal(() => readConfigFile(path))).toMatch(
      /n\.yaml is neither YAML nor JSON: .*line \d/,
    );
    expect(refusal(() => readConfigFile(join(folder, 'none')))).toMatch(
      /none can't be read: ENOENT/,
    );
    writeFileSync(path, configToJson(config(node(0))));
    expect(readConfigFile(path)[0]?.hostName).toBe('host-0');
    const [a, b] = ['[*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]', '[*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]'];
    const bomb = `a: &a [x]\nb: &b ${a}\nc: ${b}\n`;
    expect(refusal(() => parseConfig(bomb, 'bomb'))).toContain('bomb');
    rmSync(folder, { recursive: true });
  });
});

describe('the primary node', () => {
  it('is the named, the marked, or the one with the smallest host id [NET-010]', () => {
    const three = [node(0), node(1), node(2)];
    expect(choosePrimary(config(...three)).map(({ name }) => name)).toEqual(['n2', 'n1', 'n0']);
    expect(choosePrimary(config(...three), 'n1').map(({ name }) => name)).toEqual([
      'n1',
      'n0',
      'n2',
    ]);
    const named = choosePrimary(config(...three), 'host-1');
    expect(named.map(({ isPrimary }) => isPrimary)).toEqual([true, false, false]);
    const marked = config(node(0), node(1, { is_primary: true }), node(2));
    expect(choosePrimary(marked)[0]?.name).toBe('n1');
    expect(choosePrimary(marked, 'n1')[0]?.name).toBe('n1');
  });

  it('that is unknown or not the marked one is an error [NET-011]', () => {
    const marked = config(node(0), node(1, { is_primary: true }));
    expect(refusal(() => choosePrimary(marked, 'n0'))).toContain('marks n1; nodes are n0, n1');
    expect(refusal(() => choosePrimary(marked, 'x'))).toContain('no such node; there are n0, n1');
  });
});

describe('interfaces', () => {
  const one = (address: string, family = 'IPv4') =>
    [{ address, family, netmask: '', mac: '', internal: false, cidr: null }] as Interfaces[string];
  const all: Interfaces = {
    lo: one('127.0.0.1'),
    eth0: one('10.0.0.1'),
    enp3: one('10.1.0.1'),
    ib0: one('fd00::7', 'IPv6'),
    hsn1: one('10.3.0.1'),
    hsn0: one('169.254.1.1'),
    weird: one('10.9.0.1'),
  };

  it('that match are used, fast ones first [NET-020]', () => {
    expect(chooseAddresses(prefixFilter(DEFAULT_PREFIX), all)).toEqual([
      '10.3.0.1',
      '10.1.0.1',
      '10.0.0.1',
      'fd00::7',
    ]);
    expect(chooseAddresses(prefixFilter('^(weird|eth0)$'), all)).toEqual(['10.9.0.1', '10.0.0.1']);
  });

  it('that do not match are listed, and a bad expression is a usage error [NET-021]', () => {
    const message = refusal(() => chooseAddresses(prefixFilter('^xyz'), all));
    expect(message).toContain('matches ^xyz: this host has lo (127.0.0.1), eth0 (10.0.0.1)');
    expect(refusal(() => chooseAddresses(prefixFilter('a'), {}))).toContain('has none');
    expect(refusal(() => prefixFilter('['))).toContain('--network-prefix takes');
  });
});

describe('this host', () => {
  const facts = {
    hostName: 'h',
    hostId: U64_MAX,
    cpus: 2,
    memoryBytes: 5n,
    addresses: ['127.0.0.1', '::1'],
  };

  it('is one node or several, each with its own host id and port [NET-030]', () => {
    const several = localConfig(facts, { nodes: 3, port: 7000 });
    expect(several.map(({ name }) => name)).toEqual(['h-0', 'h-1', 'h-2']);
    expect(several.map(({ hostId }) => hostId)).toEqual([U64_MAX, 1n, 2n]);
    expect(several[2]?.addresses).toEqual(['127.0.0.1:7002', '[::1]:7002']);
    expect(parseConfig(configToJson(several), 'j')).toEqual(several);
    expect(localConfig(facts, { nodes: 1, port: 7000 })[0]?.name).toBe('h');
    expect(localConfig(facts, { nodes: 3, port: 7000, primary: 'h-2' })[0]?.name).toBe('h-2');
    expect(refusal(() => localConfig(facts, { nodes: 9, port: 65_530 }))).toContain('--port');
    expect(virtualHostId(7n, 5)).toBe(12n);
  });
});
