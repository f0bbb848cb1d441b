/** Children of a test that import the built core of a package, with flags of their own. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The address of the built core of the package in `from`. */
export function coreUrl(from: string): string {
  return pathToFileURL(join(from, 'dist', 'core.js')).href;
}

/** Runs a module that has imported the core of the package in `from` as `core`. */
export function runWithCore(from: string, text: string, flags: readonly string[] = []) {
  const module = `const core = await import(${JSON.stringify(coreUrl(from))});\n${text}`;
  const options = { encoding: 'utf8', timeout: 20_000 } as const;
  return spawnSync(process.execPath, [...flags, '--input-type=module', '-e', module], options);
}

/** The start of such a module: a node in the new directory `dir` with a pool and both ends. */
export function openPair(dir: string, poolOptions = '{}'): string {
  return `
  const dir = ${JSON.stringify(dir)};
  (await import('node:fs')).mkdirSync(dir, { mode: 0o700 });
  const node = core.Node.create({ dir });
  const pool = core.Pool.create(node, ${poolOptions});
  const channel = core.Channel.create(pool);
  const sender = channel.openSender();
  const receiver = channel.openReceiver();`;
}
