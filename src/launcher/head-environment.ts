/**
 * The variables that describe a run to its processes.
 *
 * Goals: the head's environment is the launcher's plus these, and a run that was started
 * inside another one hands on nothing of the outer one. Non-goals: reading them back
 * (`runtime/bootstrap`).
 */
import type { Environment } from './settings.ts';

export interface RunFacts {
  readonly directory: string;
  readonly runId: string;
  readonly cacheDir: string;
  readonly debug: boolean;
}

/** What every process of the run gets. */
export function runEnvironment(facts: RunFacts): Record<string, string> {
  return {
    DRAGON_RUNTIME_DIR: facts.directory,
    DRAGON_RUN_ID: facts.runId,
    DRAGON_CACHE_DIR: facts.cacheDir,
    ...(facts.debug ? { DRAGON_DEBUG: '1' } : {}),
  };
}

/** Variables that describe one process; those of an outer run are not handed on. */
const ownVariables = ['DRAGON_START', 'DRAGON_SOURCE', 'DRAGON_PROGRAM'];

/** The head's environment: this process's, the run's, and what makes it the head. */
export function headEnvironment(
  own: Environment,
  run: Readonly<Record<string, string>>,
  puid: bigint,
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(own)) {
    if (value !== undefined && !ownVariables.includes(name)) env[name] = value;
  }
  return { ...env, ...run, DRAGON_PUID: String(puid), DRAGON_ROLE: 'head' };
}
