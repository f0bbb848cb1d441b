/** The generator and what it has made: the lists it refuses, and that nothing is stale. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { errorTable, Status } from '../../src/runtime/errors/codes.ts';
import { generateAll } from '../generate.mjs';
import { readErrors } from './errors.mjs';
import { readMessages } from './schema.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const list = parse(readFileSync(join(root, 'spec/errors.yaml'), 'utf8'));

describe('the list of errors', () => {
  it('is accepted, and a list with one mistake is refused [ERR-010]', () => {
    expect(readErrors(list)).toHaveLength(list.length);
    const mistakes = [
      { value: 7 },
      { name: 'lower' },
      { name: 'TIMEOUT' },
      { code: 'ERR_TIMEOUT' },
      { category: 'sad' },
      { entity: 'planet' },
      { text: '' },
    ];
    for (const mistake of mistakes) {
      expect(() => readErrors([...list.slice(0, 3), { ...list[3], ...mistake }])).toThrow(
        'errors.yaml',
      );
    }
  });

  it('has the same rows in the TypeScript table [ERR-012]', () => {
    expect(errorTable.map(({ name }) => name)).toEqual(
      list.map(({ name }: { name: string }) => name),
    );
    expect(errorTable[0].code).toBe('OK');
    expect(errorTable[Status.TIMEOUT].code).toBe('ERR_TIMEOUT');
    expect(errorTable[Status.NOT_FOUND].code).toBe('ENOENT');
  });

  it('compiles as C and as C++ and knows every name [ERR-011]', () => {
    const folder = mkdtempSync(join(tmpdir(), 'errors-'));
    const source = join(folder, 'names.c');
    writeFileSync(
      source,
      `#include <dragon/errors.h>
       #include <stdio.h>
       int main(void) {
         for (int i = 0; i <= DRAGON_STATUS_COUNT; ++i)
           puts(dragon_status_name((dragon_status_t)i));
         return DRAGON_TIMEOUT - 2;
       }`,
    );
    const names = [...errorTable.map(({ name }) => name), 'UNKNOWN', ''].join('\n');
    for (const language of ['c', 'c++']) {
      const program = join(folder, `names-${language}`);
      const flags = ['-Wall', '-Wextra', '-Werror', '-I', join(root, 'native/include')];
      execFileSync('g++', ['-x', language, ...flags, source, '-o', program]);
      expect(execFileSync(program, { encoding: 'utf8' })).toBe(names);
    }
    rmSync(folder, { recursive: true });
  });
});

describe('the generator', () => {
  it('would change nothing that is committed [ERR-013]', () => {
    for (const [path, content] of generateAll()) {
      expect(readFileSync(join(root, path), 'utf8'), path).toBe(content);
    }
    execFileSync(process.execPath, [join(root, 'ci/generate.mjs'), '--check']);
  });

  it('refuses a message family with a mistake [SVC-001]', () => {
    const field = { type: 'u32', doc: 'a number' };
    const good = { kind: 'event' as const, doc: 'x', fields: { field } };
    const family = (message: object) => [
      { family: 'f', messages: { M: { ...good, ...message } } } as Parameters<
        typeof readMessages
      >[0][number],
    ];
    expect(readMessages(family({})).messages).toHaveLength(1);
    const mistakes = [
      { kind: 'rumour' },
      { reply: 'M' },
      { fields: { type: field } },
      { fields: { field: { type: 'u7', doc: 'x' } } },
      { fields: { field: { type: 'u32', doc: '' } } },
      { kind: 'request', reply: 'M' },
    ];
    for (const mistake of mistakes) {
      expect(() => readMessages(family(mistake))).toThrow('spec/messages');
    }
  });
});
