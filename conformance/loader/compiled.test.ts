// What V8 compiled of the package is kept, used, and made anew when something is wrong with it.
import {
  chmodSync,
  copyFileSync,
  cpSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ProgramFolder, packageRoot } from './head.ts';

/** Coverage would have the interpreter do without. */
const env = { NODE_V8_COVERAGE: '', NODE_OPTIONS: '' };

async function start(folder: ProgramFolder, options = {}): Promise<void> {
  const { stdout, stderr, code } = await folder.run('prog.ts', { env, ...options });
  expect([stdout, stderr, code]).toEqual(['true\n', '', 0]);
}

function kept(folder: ProgramFolder): string[] {
  const cacheDir = folder.path('.cache');
  return readdirSync(cacheDir, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\/code-[^/]*$/.test(name))
    .map((name) => join(cacheDir, name));
}

it('the compiled package is kept, and used while nothing is wrong with it [LDR-016]', async () => {
  const folder = new ProgramFolder({
    'prog.ts': `import { registerClass } from 'dragon-runtime';
      import { Process } from 'dragon-runtime/multiprocessing';
      import * as whole from 'dragon-runtime';
      console.log(typeof Process === 'function' && whole.registerClass === registerClass);`,
  });
  await start(folder);
  const [path = '', ...others] = kept(folder);
  expect(others).toEqual([]);
  expect(path).toMatch(new RegExp(`${process.version}-${process.arch}-head$`));
  const { ino, mode } = statSync(path);
  expect(mode & 0o777).toBe(0o600);
  await start(folder);
  expect(statSync(path).ino).toBe(ino);

  const good = readFileSync(path);
  const flipped = Buffer.from(good);
  flipped[flipped.length >> 2] = 255 - (flipped[flipped.length >> 2] ?? 0);
  for (const damaged of [flipped, good.subarray(0, -100), Buffer.alloc(good.length), '', 'x']) {
    writeFileSync(path, damaged);
    await start(folder);
    expect(readFileSync(path).length).toBeGreaterThan(1000);
    expect(readFileSync(path)).not.toEqual(damaged);
  }
  // Others might have put it there.
  chmodSync(path, 0o666);
  await start(folder);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

it('two installations of one build keep their own, with their own paths [LDR-016]', async () => {
  const folder = new ProgramFolder({
    'prog.ts': `import { Lock } from 'dragon-runtime/multiprocessing';
      try { new Lock(); } catch (error) { console.log((error as Error).stack); }`,
  });
  const other = folder.path('other');
  cpSync(join(packageRoot, 'dist'), join(other, 'dist'), { recursive: true });
  copyFileSync(join(packageRoot, 'package.json'), join(other, 'package.json'));
  symlinkSync(join(packageRoot, 'node_modules'), join(other, 'node_modules'));
  for (const installation of [packageRoot, other, packageRoot, other]) {
    const { stdout } = await folder.run('prog.ts', { env, installation });
    expect(stdout).toContain(`(${join(installation, 'dist/package.cjs')}:`);
  }
  expect(kept(folder)).toHaveLength(2);
});

it('an interpreter with flags of its own does without [LDR-016]', async () => {
  const folder = new ProgramFolder({
    'prog.ts': `import { isRoot } from 'dragon-runtime'; console.log(isRoot());`,
  });
  await start(folder, { env: { ...env, NODE_OPTIONS: '--max-semi-space-size=8' } });
  expect(kept(folder)).toEqual([]);
});
