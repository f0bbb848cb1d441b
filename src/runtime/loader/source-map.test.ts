// Source maps: positions stay right when text is replaced.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyEdits, originalPosition, positionAt, shiftMappings } from './source-map.ts';
import { transformModule, withTranspiler } from './transform.ts';

const words = 'const alpha = beta(gamma, "delta");\nif (alpha) {\n  epsilon(zeta, alpha + 1);\n}\n';

/** A text that is its own source: each word maps to itself. */
async function mapped(): Promise<{ code: string; mappings: string }> {
  return withTranspiler(() => transformModule('file:///x.ts', words));
}

describe('source maps', () => {
  it('every word maps to where it stands in the source [LDR-004]', async () => {
    const { code, mappings } = await mapped();
    for (const word of ['alpha', 'beta', 'gamma', 'epsilon', 'zeta']) {
      const original = originalPosition(mappings, positionAt(code, code.indexOf(word)));
      expect(original).toEqual(positionAt(words, words.indexOf(word)));
    }
  });

  it('words keep their positions when others are replaced [LDR-004]', async () => {
    const { code, mappings } = await mapped();
    const edit = fc.record({
      word: fc.constantFrom('beta', 'gamma', '"delta"', 'epsilon', 'zeta'),
      text: fc.stringMatching(/^[a-z]{0,40}$/),
    });
    const edits = fc.uniqueArray(edit, { selector: ({ word }) => word, maxLength: 4 });
    fc.assert(
      fc.property(edits, (chosen) => {
        const ordered = chosen
          .map(({ word, text }) => ({ offset: code.indexOf(word), length: word.length, text }))
          .sort((a, b) => a.offset - b.offset);
        const edited = applyEdits(code, ordered);
        const shifted = shiftMappings(mappings, code, ordered);
        const last = edited.lastIndexOf('alpha');
        expect(originalPosition(shifted, positionAt(edited, last))).toEqual(
          positionAt(words, words.lastIndexOf('alpha')),
        );
        const paren = edited.indexOf(');');
        const there = positionAt(code, code.indexOf(');'));
        const before = originalPosition(mappings, there);
        expect(originalPosition(shifted, positionAt(edited, paren)).line).toBe(before.line);
      }),
    );
  });
});
