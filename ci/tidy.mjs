/**
 * Checks the house rules of spec/house.md that no linter knows.
 *
 *     node ci/tidy.mjs
 *
 * Goals: every finding is one line, `path:line: what`, with exit code 1.
 * Non-goals: anything that biome, the compilers or clang-format find.
 */

import { missingReadmes } from './tidy/folders.mjs';
import { longFunctions } from './tidy/functions.mjs';
import { forbiddenImports } from './tidy/imports.mjs';
import { isCode, isText } from './tidy/kinds.mjs';
import { idleTests } from './tidy/tests.mjs';
import { bannedWords, fileSize, headerComment, lineLength, machinePaths } from './tidy/text.mjs';
import { readSource, repositoryPaths } from './tree.mjs';

/** @typedef {(file: import('./tree.mjs').SourceFile) => string[]} Rule */

/** @type {readonly Rule[]} */
const textRules = [bannedWords, machinePaths];

/** @type {readonly Rule[]} */
const codeRules = [fileSize, lineLength, headerComment, longFunctions, idleTests, forbiddenImports];

const paths = repositoryPaths();
const findings = [
  ...missingReadmes(paths),
  ...paths.filter(isText).flatMap((path) => {
    const file = readSource(path);
    const rules = isCode(path) ? [...textRules, ...codeRules] : textRules;
    return rules.flatMap((rule) => rule(file));
  }),
];
for (const finding of findings) console.log(finding);
console.log(`tidy: ${paths.length} files, ${findings.length} findings`);
process.exitCode = findings.length === 0 ? 0 : 1;
