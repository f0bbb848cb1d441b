/**
 * Texts of programs that map a function over [1, 2, 3] with a pool and print the results.
 *
 * They are plain JavaScript where that does, for some are run without being transpiled.
 */
import ts from 'typescript';

/** A module with a function to map. */
export const WORK = 'export const double = (x: number): number => 2 * x;\n';

/** Statements that map what the expression `target` stands for, in an asynchronous function. */
export function mapper(target: string, items = '[1, 2, 3]'): string {
  return `const { Pool } = await import('dragon-runtime/multiprocessing');
    const pool = new Pool({ processes: 2 });
    console.log(JSON.stringify(await pool.map(${target}, ${items})));
    await pool.terminate();
    await pool.join();`;
}

/** A whole script that maps its own function, in words that TypeScript and JavaScript share. */
export function mapping(): string {
  return `import { isRoot } from 'dragon-runtime';
    export function double(x) { return 2 * x; }
    if (isRoot()) { ${mapper('double')} }`;
}

/** What the compiler makes of a text, which is all that is left of it. */
export function emitted(text: string): string {
  const { ESNext } = ts.ModuleKind;
  const compilerOptions = { module: ESNext, target: ts.ScriptTarget.ES2022 };
  return ts.transpileModule(text, { compilerOptions }).outputText;
}
