/**
 * Builds the fuzz targets with clang.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withBuildLock } from '../build/stamp.mjs';
import { makefile } from '../native-tests/makefile.mjs';
import { parallelism, root, run } from '../process.mjs';
import { coreSources, fuzzParts } from '../sources.mjs';
import { buildFolder } from './targets.mjs';

/** What the targets reach: the rest of the core parses nothing. */
const parts =
  /^native\/(sync\/|process\/frame|fabric\/\w+\.|memory\/(handle|segment|broker|message_|offers))/;

/**
 * @param {readonly import('./targets.mjs').Target[]} targets
 * @returns {Promise<boolean>}
 */
export function buildTargets(targets) {
  return withBuildLock('fuzz', async () => {
    const cores = coreSources().filter((path) => parts.test(path));
    const programs = targets.map(({ source, name, executable }) => ({
      source,
      variant: 'fuzz',
      name,
      executable,
      parts: fuzzParts(),
      isProgram: true,
    }));
    mkdirSync(join(root, buildFolder), { recursive: true });
    const path = join(root, buildFolder, 'Makefile');
    writeFileSync(path, makefile({ buildFolder, cores, tests: programs }));
    const args = ['--silent', '-j', String(parallelism), '-f', path, 'CXX=clang++'];
    const { code } = await run('make', [...args, ...targets.map(({ executable }) => executable)]);
    return code === 0;
  });
}
