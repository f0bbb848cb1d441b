/**
 * Loads a package of bench/peers, which is a project of its own: the bundled peers lie elsewhere
 * and would not find it.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The package's default export, or else all of them; `Exports` is the part that a peer uses. */
export async function load<Exports>(name: string): Promise<Exports> {
  const folder = process.env['DRAGON_BENCH_PEERS'] ?? '';
  const entry = createRequire(join(folder, 'package.json')).resolve(name);
  const module = await import(pathToFileURL(entry).href);
  return module.default ?? module;
}
