/** The examples in documentation comments do what they say they do. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { repository, runDragon } from '../conformance/harness/dragon.ts';

interface Example {
  readonly place: string;
  readonly code: string;
  /** What the comments behind `console.log` say that it prints. */
  readonly output: string[];
}

/** The `@example` blocks of the sources in a folder and below. */
function examplesIn(folder: string): Example[] {
  const below = readdirSync(join(repository, folder), { encoding: 'utf8', recursive: true });
  const names = below.filter((name) => /(?<!test)\.ts$/.test(name)).sort();
  return names.flatMap((name) => {
    const text = readFileSync(join(repository, folder, name), 'utf8');
    return [...text.matchAll(/\* @example\n((?:\s*\* .*\n)+)/g)].map((match) => {
      const code = (match[1] ?? '').replace(/^\s*\* /gm, '');
      const output = [...code.matchAll(/console\.log\(.*\/\/ (.*)$/gm)].map(
        ([, said]) => said ?? '',
      );
      return { place: `${folder}/${name}`, code, output };
    });
  });
}

it('examples print what their comments say [DOC-004]', async () => {
  const examples = ['src/core', 'src/codec', 'src/multiprocessing'].flatMap(examplesIn);
  expect(examples.length).toBeGreaterThan(5);
  const folder = mkdtempSync(join(tmpdir(), 'examples-'));
  const runs = examples.map(({ code }, i) => {
    writeFileSync(join(folder, `example${i}.ts`), code);
    return `console.log('example', ${i}); await import('./example${i}.ts');`;
  });
  writeFileSync(join(folder, 'all.ts'), `${runs.join('\n')}\nexport {};\n`);
  const { stdout, stderr } = await runDragon([join(folder, 'all.ts')]);
  rmSync(folder, { recursive: true });
  expect(stderr).toBe('');
  const printed = stdout.split(/^example \d+\n/m).slice(1);
  for (const [i, { place, output }] of examples.entries()) {
    expect([place, printed[i]?.trimEnd().split('\n')]).toEqual([place, output]);
  }
});
