/**
 * Writes the sources and texts that are generated from data in spec/ and conformance/, and from
 * layouts in native/.
 *
 *     node ci/generate.mjs           writes every generated file whose content differs
 *     node ci/generate.mjs --check   writes nothing, exits 1 if a committed file is stale
 *
 * Goals: generated files are committed, so that a build needs neither the YAML parser nor
 * this script, and a check keeps them equal to their sources.
 * Non-goals: building, formatting and testing.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { errorsHeader, errorsTable, readErrors } from './generate/errors.mjs';
import { lockLayout } from './generate/layouts.mjs';
import { messagesSource } from './generate/messages.mjs';
import { portsText, propertiesText, readPorts, readProperties } from './generate/ports.mjs';
import { readMessages } from './generate/schema.mjs';
import { messageVectors } from './generate/vectors.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** @param {string} path */
function readYaml(path) {
  return parse(readFileSync(join(root, path), 'utf8'));
}

/** @param {string} path of a folder with YAML files */
function readFolder(path) {
  return readdirSync(join(root, path))
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => readYaml(`${path}/${name}`));
}

/** Every generated file: its path in the repository and its content. */
export function generateAll() {
  const errors = readErrors(readYaml('spec/errors.yaml'));
  const messages = readMessages(readFolder('spec/messages'));
  const multiprocessing = 'conformance/multiprocessing';
  return new Map([
    ['native/include/dragon/errors.h', errorsHeader(errors)],
    ['src/runtime/errors/codes.ts', errorsTable(errors)],
    [
      'src/core/lock-layout.ts',
      lockLayout(readFileSync(join(root, 'native/channel/lock_object.h'), 'utf8')),
    ],
    ['src/services/messages/generated.ts', messagesSource(messages)],
    ['spec/ports.md', portsText(readPorts(readFolder(`${multiprocessing}/ports/table`)))],
    [
      'spec/properties.md',
      propertiesText(readProperties(readYaml(`${multiprocessing}/properties/table.yaml`))),
    ],
    ['spec/vectors/messages/golden.json', messageVectors(messages)],
  ]);
}

function main() {
  const checkOnly = process.argv.includes('--check');
  let stale = 0;
  for (const [path, content] of generateAll()) {
    const target = join(root, path);
    if (existsSync(target) && readFileSync(target, 'utf8') === content) continue;
    stale += 1;
    console.log(checkOnly ? `stale: ${path} (run: node ci/generate.mjs)` : `wrote ${path}`);
    if (checkOnly) continue;
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content);
  }
  process.exitCode = checkOnly && stale > 0 ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
