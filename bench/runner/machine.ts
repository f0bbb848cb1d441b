/**
 * What a result file says about the machine and the software that made it.
 *
 * Goals: every fact that decides whether two files may be compared; a fact that can't be had
 * is the word `unknown`, never an error.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { join } from 'node:path';
import { compilerFlags } from '../compiler-flags.mjs';
import type { Meta, Missing, Profile } from './types.ts';

/** The output of a command's first line; undefined when it can't be run. */
function firstLine(command: string, args: readonly string[], cwd: string): string | undefined {
  try {
    const output = execFileSync(command, args, {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return output.split('\n')[0] ?? '';
  } catch {
    return undefined;
  }
}

/** The processors that this process may run on. */
export function allowedCpus(): number[] {
  const status = readFileSync('/proc/self/status', 'utf8');
  return parseCpuList(/^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? '0');
}

/** Parses the kernel's lists such as `0-3,8`. */
export function parseCpuList(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** The interpreter itself: what stands in the search path may be a script that looks for it. */
export function findPython(root: string): string | Missing {
  const path = firstLine('python3', ['-c', 'import sys; print(sys.executable)'], root);
  return path ?? { missing: 'python3 is not installed' };
}

export function loads(): number[] {
  return loadavg().map((load) => Math.round(load * 100) / 100);
}

export interface RunFacts {
  readonly root: string;
  readonly profile: Profile;
  readonly runs: number;
  readonly seed: number;
  readonly affinity: readonly number[];
  readonly python: string | Missing;
  readonly packages: string;
  readonly loadBefore: readonly number[];
  readonly startedAt: Date;
}

interface Manifest {
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

function manifestIn(folder: string): Manifest | undefined {
  const path = join(folder, 'package.json');
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

/** The installed versions of the packages that peers use. */
export function packageVersions(folder: string): Readonly<Record<string, string>> {
  const wanted = manifestIn(folder)?.dependencies ?? {};
  const versionOf = (name: string) => manifestIn(join(folder, 'node_modules', name))?.version;
  return Object.fromEntries(
    Object.keys(wanted).map((name) => [name, versionOf(name) ?? 'missing']),
  );
}

/** The first line of a result file. Called at the end of the run, for the load after it. */
export function metaOf(facts: RunFacts): Meta {
  const { root, python } = facts;
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const status = firstLine('git', ['status', '--porcelain'], root);
  const version =
    typeof python === 'string' ? firstLine(python, ['--version'], root) : python.missing;
  return {
    kind: 'meta',
    schema: 1,
    release: String(manifest.version),
    commit: firstLine('git', ['rev-parse', '--verify', '--quiet', 'HEAD'], root) ?? 'unknown',
    dirty: status !== '',
    profile: facts.profile,
    runs: facts.runs,
    node: process.version,
    compiler: firstLine('g++', ['--version'], root) ?? 'unknown',
    compilerFlags: compilerFlags.join(' '),
    python: version ?? 'unknown',
    peers: packageVersions(facts.packages),
    kernel: release(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    affinity: facts.affinity,
    loadBefore: facts.loadBefore,
    loadAfter: loads(),
    seed: facts.seed,
    startedAt: facts.startedAt.toISOString(),
  };
}
