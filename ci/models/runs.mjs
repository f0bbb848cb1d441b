/**
 * What is run of a model, and what its outcome means.
 *
 * A model's head has lines `CHECK -DX=1 ...`, `FULL ...` (large ones) and `FAULT -DX ... what is
 * wrong in it`.
 */

/**
 * @typedef {'CHECK' | 'FULL' | 'FAULT'} RunKind
 * @typedef {object} ModelRun
 * @property {string} name the model and what distinguishes the run
 * @property {string} model path
 * @property {RunKind} kind
 * @property {string[]} defines
 * @property {string} fault what is wrong, in a fault
 *
 * @param {import('../tree.mjs').SourceFile} file
 * @returns {ModelRun[]}
 */
export function runsOf({ path, text }) {
  const model = path.replace(/^.*\/|\.pml$/g, '');
  return [...text.matchAll(/^ \* (CHECK|FULL|FAULT)((?: -D\w+(?:=\w+)?)*)(.*)$/gm)].map((match) => {
    const defines = (match[2] ?? '').trim().split(' ');
    const label = defines.map((define) => define.slice('-D'.length)).join('-');
    return {
      name: `${model}-${label}`,
      model: path,
      kind: /** @type {RunKind} */ (match[1]),
      defines,
      fault: (match[3] ?? '').trim(),
    };
  });
}

/**
 * @param {RunKind} kind
 * @param {string} output of the search
 * @returns {{ passed: boolean, text: string }}
 */
export function verdict(kind, output) {
  const errors = /errors: (\d+)/.exec(output)?.[1];
  if (errors === undefined) return { passed: false, text: output.trim() || 'it did not end' };
  const states = /(\d+) states, stored/.exec(output)?.[1] ?? '?';
  const found = /^pan:1: (.*) \(at depth/m.exec(output)?.[1];
  const text = `${found === undefined ? 'nothing found' : `found ${found}`}, ${states} states`;
  if (kind === 'FAULT') return { passed: errors !== '0', text };
  const isCutShort = /max search depth too small|reached -DMEMLIM|out of memory/.test(output);
  if (isCutShort) return { passed: false, text: `cut short, ${states} states` };
  return { passed: errors === '0', text };
}
