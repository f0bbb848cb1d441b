// One module from TypeScript or JavaScript to the JavaScript that Node runs, and what it imports
// and exports. The only file that knows the transpiler and the lexer; both are loaded when needed.
// Non-goals: where the imports lead.
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Export, Import } from 'es-module-lexer';
import type { TransformFailure } from 'esbuild';
import { problemAt } from './problem.ts';

export type Transformed = {
  readonly code: string;
  readonly mappings: string;
  readonly names: readonly string[];
  readonly imports: readonly Import[];
  readonly exports: readonly Export[];
};

/** Settings that keep to what the language says; a `tsconfig.json` near the program has no say. */
const compilerOptions = { target: 'esnext', useDefineForClassFields: true } as const;

/** Makes a text without imports and exports a module, too; on its own line, so nothing moves. */
const MODULE_MARK = '\nexport {};';

let active = 0;

/** Keeps the transpiler's process alive during the work, and ends it after the last one. */
export async function withTranspiler<T>(work: () => Promise<T>): Promise<T> {
  active++;
  try {
    return await work();
  } finally {
    active--;
    if (active === 0) {
      const { stop } = await import('esbuild');
      await stop();
    }
  }
}

/** Whether a script's text makes it a module: it imports, exports or uses `import.meta`. */
export async function hasModuleSyntax(source: string): Promise<boolean> {
  const { init, parse } = await import('es-module-lexer');
  await init();
  try {
    return parse(source)[3];
  } catch {
    return false;
  }
}

/** Throws a ProgramError that shows the place. */
export async function transformModule(url: string, source: string): Promise<Transformed> {
  const code = await transpile(url, source);
  const { init, parse } = await import('es-module-lexer');
  await init();
  const [imports, exports] = parse(code.code, url);
  return { ...code, imports, exports };
}

async function transpile(
  url: string,
  source: string,
): Promise<Pick<Transformed, 'code' | 'mappings' | 'names'>> {
  const { transform } = await import('esbuild');
  const path = fileURLToPath(url);
  const text = JSON.stringify;
  try {
    const { code, map } = await transform(source + MODULE_MARK, {
      loader: extname(path).endsWith('ts') ? 'ts' : 'js',
      format: 'esm',
      target: 'node20.11',
      charset: 'utf8',
      sourcemap: 'external',
      sourcesContent: false,
      sourcefile: path,
      legalComments: 'inline',
      logLevel: 'silent',
      tsconfigRaw: { compilerOptions },
      define: { 'import.meta.url': text(url), ...placeOf(path) },
    });
    const { mappings, names } = JSON.parse(map) as { mappings: string; names: string[] };
    return { code, mappings, names };
  } catch (error) {
    throw explain(url, source, error as TransformFailure);
  }
}

function placeOf(path: string): Record<string, string> {
  return {
    'import.meta.filename': JSON.stringify(path),
    'import.meta.dirname': JSON.stringify(path.slice(0, path.lastIndexOf('/')) || '/'),
  };
}

function explain(url: string, source: string, failure: TransformFailure): Error {
  const [first] = failure.errors ?? [];
  if (first === undefined) return failure;
  const { line = 1, column = 0, length = 1, lineText = '' } = first.location ?? {};
  // The transpiler counts columns in bytes.
  const characters = Buffer.from(lineText).subarray(0, column).toString().length;
  const position = { line: line - 1, column: characters };
  return problemAt(url, source, position, first.text, { length });
}
