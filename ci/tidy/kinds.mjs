/**
 * Which files the house rules apply to.
 */

/** Written by a program: their shape is the generator's affair. */
const generated = /^(package-lock\.json|native\/include\/dragon\/errors\.h|spec\/vectors\/.*)$/;
const generatedSources = /(^|\/)(generated|codes)\.ts$/;

/** @param {string} path */
export function isGenerated(path) {
  return (
    generated.test(path) || generatedSources.test(path) || /(^|\/)package-lock\.json$/.test(path)
  );
}

/** Source code of the project, generated code left out. @param {string} path */
export function isCode(path) {
  return /\.(ts|mts|mjs|js|cpp|h)$|^bin\/dragon$/.test(path) && !isGenerated(path);
}

/** Everything that people read. @param {string} path */
export function isText(path) {
  const isProse = /\.(md|yaml|yml|json|gyp|sh|patch)$|^\.ci\/run$|^ci\/[\w-]+$/.test(path);
  return (isCode(path) || isProse) && !/^bench\/results\//.test(path) && !isGenerated(path);
}

/** @param {string} path */
export function isTest(path) {
  return /(\.test\.ts|_test\.cpp)$/.test(path);
}
