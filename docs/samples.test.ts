import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { repository, runDragon } from '../conformance/harness/dragon.ts';

const folder = dirname(fileURLToPath(import.meta.url));
const texts = readdirSync(folder).filter((name) => name.endsWith('.md'));

/** A code block of a text: what stands behind its fence, and its lines. */
interface Block {
  readonly kind: string;
  readonly name: string;
  readonly content: string;
}

function blocksOf(text: string): Block[] {
  return [...text.matchAll(/^```(\w+)(?: (\S+))?\n([\s\S]*?)^```$/gm)].map((match) => ({
    kind: match[1] ?? '',
    name: match[2] ?? '',
    content: match[3] ?? '',
  }));
}

function read(name: string): string {
  return readFileSync(join(folder, name), 'utf8');
}

const sessions = texts.flatMap((text) =>
  blocksOf(read(text)).flatMap(({ kind, content }) => {
    if (kind !== 'console') return [];
    const [command = '', ...output] = content.split('\n');
    return [{ text, program: command.replace(/^\$ dragon /, ''), output: output.join('\n') }];
  }),
);

describe('the documentation', () => {
  it.each(sessions)('prints what $text says for $program [DOC-001]', async (session) => {
    const { text, program, output } = session;
    const samples = mkdtempSync(join(tmpdir(), 'samples-'));
    try {
      for (const { kind, name, content } of blocksOf(read(text))) {
        if (kind === 'ts') writeFileSync(join(samples, name), content);
      }
      const { code, stdout, stderr } = await runDragon([program], { cwd: samples });
      expect([stderr, stdout, code]).toEqual(['', output, 0]);
    } finally {
      rmSync(samples, { recursive: true });
    }
  });

  it('has a name and an output for every program [DOC-001]', () => {
    expect(sessions.length).toBeGreaterThan(5);
    for (const text of texts) {
      const programs = blocksOf(read(text)).filter(({ kind }) => kind === 'ts');
      for (const { name } of programs) {
        const isImported = programs.some(({ content }) => content.includes(`'./${name}'`));
        const isRun = sessions.some((session) => session.text === text && session.program === name);
        expect(isImported || isRun, `${text}: ${name}`).toBe(true);
      }
    }
  });

  it('names every option of the command [DOC-002]', async () => {
    const { stdout } = await runDragon(['--help']);
    const options = [...stdout.matchAll(/^ {2}(?:(-\w), )?(--[\w-]+)/gm)];
    expect(options.length).toBeGreaterThan(5);
    const guide = read('guide.md');
    for (const [, short, long = ''] of options) {
      expect(guide).toContain(`\`${long}`);
      if (short !== undefined) expect(guide).toContain(`\`${short}`);
    }
  });

  it('explains words that are used, in the order of the alphabet [DOC-003]', () => {
    const glossary = read('glossary.md');
    const terms = [...glossary.matchAll(/^\*\*(.+?)\*\*/gm)].map((match) => match[1] ?? '');
    expect(terms.length).toBeGreaterThan(10);
    expect(terms).toEqual([...terms].sort());
    const spec = join(repository, 'spec');
    const used = readdirSync(spec)
      .filter((name) => name.endsWith('.md'))
      .map((name) => readFileSync(join(spec, name), 'utf8'))
      .concat(read('guide.md'))
      .join('\n')
      .toLowerCase();
    expect(terms.filter((term) => !used.includes(term))).toEqual([]);
  });
});
