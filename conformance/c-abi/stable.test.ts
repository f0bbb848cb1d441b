/**
 * What must stay the same from version to version. A list that has grown on purpose is written
 * anew with DRAGON_UPDATE_VECTORS=1.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { run } from '../harness/dragon.ts';
import { need } from '../harness/needs.ts';
import { compile, headers, library, needCompiler, program, vectors } from './compile.ts';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'c-abi-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Compares with the committed list. */
function expectListed(name: string, lines: readonly string[]): void {
  const path = join(vectors, name);
  if (process.env['DRAGON_UPDATE_VECTORS'] === '1') writeFileSync(path, `${lines.join('\n')}\n`);
  expect(lines).toEqual(readFileSync(path, 'utf8').trimEnd().split('\n'));
}

it('the library exports the listed symbols and its soname [CAB-001]', async (context) => {
  await needCompiler(context);
  const listed = await run('nm', ['-D', '--defined-only', '--with-symbol-versions', library]);
  need(context, 'nm', listed.code === 0);
  const symbols = listed.stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' ').slice(1));
  const versions = symbols.filter(([kind]) => kind === 'A').map(([, name]) => name);
  expect(versions.map((name) => name?.replace(/@@.*/, ''))).toEqual(['DRAGON_1']);
  const functions = symbols.filter(([kind]) => kind !== 'A');
  expect(functions.filter(([kind, name]) => kind !== 'T' || !name?.endsWith('@@DRAGON_1'))).toEqual(
    [],
  );
  expectListed('symbols.txt', functions.map(([, name]) => `${name}`.replace(/@.*/, '')).sort());
  const dynamic = await run('readelf', ['-d', library]);
  expect(dynamic.stdout).toContain('soname: [libdragon.so.1]');
});

/** The structs of the headers with their fields, and the enums. */
function declarations(): { structs: [string, string[]][]; enums: string[] } {
  const names = readdirSync(join(headers, 'dragon')).filter((name) => name.endsWith('.h'));
  const text = names.map((name) => readFileSync(join(headers, 'dragon', name), 'utf8')).join('\n');
  const bare = text.replace(/\/\*[\s\S]*?\*\//g, '');
  const structs = [...bare.matchAll(/typedef struct (\w+) \{([^}]*)\}/g)].map((match) => {
    const fields = (match[2] ?? '').split(';').flatMap((line) => {
      const field = /(\w+)(?:\[\w+\])?\s*$/.exec(line.trim())?.[1];
      return field === undefined ? [] : [field];
    });
    return [match[1] ?? '', fields] satisfies [string, string[]];
  });
  const enums = [...bare.matchAll(/typedef enum (\w+)/g)].map((match) => match[1] ?? '');
  return { structs: structs.sort(), enums: enums.sort() };
}

it('structs have the listed sizes and offsets [CAB-002]', async (context) => {
  await needCompiler(context);
  const { structs, enums } = declarations();
  expect(structs.length).toBeGreaterThan(5);
  const print = (what: string, value: string) => `  printf("${what} %zu\\n", ${value});`;
  const lines = structs.flatMap(([name, fields]) => [
    print(name, `sizeof(struct ${name})`),
    ...fields.map((field) => print(`${name}.${field}`, `offsetof(struct ${name}, ${field})`)),
  ]);
  lines.push(...enums.map((name) => print(name, `sizeof(enum ${name})`)));
  const source = join(folder, 'layout.c');
  const includes = '#include <dragon/dragon.h>\n#include <stdio.h>\n';
  writeFileSync(source, `${includes}int main(void) {\n${lines.join('\n')}\n  return 0;\n}\n`);
  const layout = await run(await program(source, folder, 'layout'), []);
  expectListed('layout.txt', layout.stdout.trimEnd().split('\n'));
});

it('each header stands alone in C and C++ [CAB-003]', async (context) => {
  await needCompiler(context);
  const names = readdirSync(join(headers, 'dragon')).filter((name) => name.endsWith('.h'));
  for (const ending of ['c', 'cpp']) {
    const sources = names.map((name) => `#include <dragon/${name}>\n#include <dragon/${name}>\n`);
    const said = await Promise.all(
      sources.map((text, index) => {
        const source = join(folder, `header${index}.${ending}`);
        writeFileSync(source, text);
        return compile(source, ['-fsyntax-only']);
      }),
    );
    expect(said.join('')).toBe('');
  }
});
