/**
 * Which addresses of a host the run uses: those of interfaces whose names match.
 *
 * Goals: a filter that matches nothing says what there is. Non-goals: no look at the system;
 * what `os.networkInterfaces()` tells is given to it.
 */
import type { networkInterfaces } from 'node:os';
import { Failure, usageError } from '../failure.ts';

export type Interfaces = ReturnType<typeof networkInterfaces>;

/** Fast networks, and Ethernet by its usual names. */
export const DEFAULT_PREFIX = '^(hsn|ipogif|ib|eth|en)\\w+$';

const preferred = ['hsn', 'ipogif', 'ib', 'en'];

/** The regular expression of `--network-prefix`. */
export function prefixFilter(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (error) {
    const why = (error as Error).message;
    throw usageError(`--network-prefix takes a regular expression, not '${text}': ${why}`);
  }
}

/** The addresses that may be used, the preferred one first, without ports. */
export function chooseAddresses(filter: RegExp, interfaces: Interfaces): string[] {
  const chosen = Object.entries(interfaces)
    .filter(([name]) => filter.test(name))
    .sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
    .flatMap(([, addresses = []]) => addresses)
    .filter(({ address }) => !isLinkLocal(address))
    .sort((a, b) => Number(a.family === 'IPv6') - Number(b.family === 'IPv6'))
    .map(({ address }) => address);
  if (chosen.length > 0) return chosen;
  throw new Failure(
    `no network interface with an address matches ${filter.source}: this host has ` +
      `${interfacesText(interfaces)}; choose with --network-prefix`,
  );
}

function rank(name: string): number {
  const at = preferred.findIndex((prefix) => name.startsWith(prefix));
  if (at >= 0) return at;
  return name.startsWith('eth') ? preferred.length + 1 : preferred.length;
}

function isLinkLocal(address: string): boolean {
  return address.startsWith('169.254.') || /^fe[89ab]/i.test(address);
}

function interfacesText(interfaces: Interfaces): string {
  const all = Object.entries(interfaces).map(([name, addresses = []]) => {
    return `${name} (${addresses.map(({ address }) => address).join(', ')})`;
  });
  return all.length === 0 ? 'none' : all.join(', ');
}

/** `ip:port`, with brackets around IPv6. */
export function withPort(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
