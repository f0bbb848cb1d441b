/** What is left of the tests: processes of processes, flags, the runtime's own processes, names. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { checkProgram } from '../../harness/checks.ts';
import { packageRoot, run, runDragon } from '../../harness/dragon.ts';
import { ProgramFolder } from '../../loader/head.ts';
import { mapper } from './entries.ts';

const program = checkProgram(new URL('./misc.program.ts', import.meta.url));
const isFull = process.env['DRAGON_TEST_SIZE'] === 'full';

describe('processes of processes', () => {
  it('TestStdinBadfiledescriptor.test_queue_in_process [CPT-195]', () => {
    program.passed('a queue in a process');
  });

  it('TestStdinBadfiledescriptor.test_pool_in_process [CPT-196]', () => {
    program.passed('a pool in a process');
  });

  it('TestStartMethod.test_nested_startmethod [CPT-208]', () => {
    program.passed('a queue for two generations');
  });

  it('TestCloseFds.test_closefd [CPT-201]', () => {
    program.passed('descriptors of the creator');
  });

  it('TestNoForkBomb.test_noforkbomb [CPT-199]', async () => {
    const folder = new ProgramFolder({
      'bomb.ts': `import { Process } from 'dragon-runtime/multiprocessing';
        export const work = (): void => console.log('worked');
        const child = new Process({ target: work });
        await child.start();
        await child.join();
        process.exitCode = child.exitCode;`,
    });
    const { code, stdout, stderr, hung } = await runDragon([folder.path('bomb.ts')]);
    expect({ code, stdout, hung }).toEqual({ code: 1, stdout: '', hung: false });
    expect(stderr).toContain('if (isRoot()) await main()');
  });

  it('MiscTestCase.test_large_pool [CPT-236]', async () => {
    const workers = isFull ? 200 : 50;
    const folder = new ProgramFolder({
      'prog.ts': `import { isRoot } from 'dragon-runtime';
        import { Pool } from 'dragon-runtime/multiprocessing';
        export const square = (x: number): number => x * x;
        if (isRoot()) {
          await using pool = new Pool({ processes: ${workers} });
          const squares = await pool.map(square, Array.from({ length: 1000 }, (_, i) => i));
          console.log(squares.reduce((sum, each) => sum + each, 0));
        }`,
    });
    const result = await runDragon([folder.path('prog.ts')], {
      timeoutMs: isFull ? 120_000 : 25_000,
    });
    expect(result).toMatchObject({ code: 0, stderr: '', stdout: '332833500\n' });
  });
});

describe('flags of the interpreter', () => {
  it('TestFlags.test_flags [CPT-198]', () => program.passed('flags'));

  it('TestStartMethod.test_context_check_module_types [CPT-203]', () => {
    program.passed('flags that are no strings');
  });

  it('TestStartMethod.test_preload_resources [CPT-206]', () => program.passed('preloaded modules'));
});

describe("the runtime's own processes", () => {
  it('TestResourceTracker.test_resource_tracker [CPT-209]', () => {
    program.passed('what a killed process leaves');
  });

  it('TestResourceTracker.test_resource_tracker_sigint [CPT-210]', () => {
    program.passed('the services go on after SIGINT');
  });

  it('TestResourceTracker.test_resource_tracker_sigterm [CPT-211]', () => {
    program.passed('the services go on after SIGTERM');
  });

  it('TestResourceTracker.test_resource_tracker_sigkill [CPT-212]', async () => {
    const folder = new ProgramFolder({
      'prog.ts': `import { Queue } from 'dragon-runtime/multiprocessing';
        const queue = new Queue<string>();
        process.kill(process.ppid, 'SIGKILL');
        await queue.get();`,
    });
    const { code, stderr, hung } = await runDragon([folder.path('prog.ts')]);
    expect({ code, hung }).toEqual({ code: 1, hung: false });
    expect(stderr).toMatch(/^dragon: the warden was ended by signal 9[^\n]*\n$/);
  });

  it('TestResourceTracker.test_resource_tracker_reused [CPT-213]', () => {
    program.passed('one runtime for all generations');
  });

  it('TestResourceTracker.test_resource_tracker_exit_code [CPT-241]', async () => {
    const folder = new ProgramFolder({
      'prog.ts': `import { Lock, Queue } from 'dragon-runtime/multiprocessing';
        new Lock().acquireSync();
        new Queue<string>().putSync('nobody takes it');
        process.exit(3);`,
    });
    const env = { DRAGON_RUNTIME_BASE: folder.root };
    const { code, stdout, stderr } = await runDragon([folder.path('prog.ts')], { env });
    expect({ code, stdout, stderr }).toEqual({ code: 3, stdout: '', stderr: '' });
    const cleanup = await runDragon(['cleanup'], { env });
    expect(cleanup).toMatchObject({ code: 0, stdout: 'nothing is left behind\n' });
  });

  it('TestNamedResource.test_global_named_resource_spawn [CPT-215]', async () => {
    const folder = new ProgramFolder({
      'prog.ts': `import { isRoot } from 'dragon-runtime';
        import { Lock, Queue } from 'dragon-runtime/multiprocessing';
        export const lock = new Lock();
        export const queue = new Queue<number>();
        export const double = (x: number): number => 2 * x;
        if (isRoot()) { ${mapper('double')} }`,
    });
    const result = await runDragon([folder.path('prog.ts')]);
    expect(result).toMatchObject({ code: 0, stdout: '[2,4,6]\n', stderr: '' });
  });
});

interface Entry {
  readonly types: string;
  readonly default: string;
}

/** What the package may be imported as, and from which files it comes. */
function entries(): [string, Entry][] {
  const manifest = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));
  const all = Object.entries<Entry | string>(manifest.exports);
  return all.filter((entry): entry is [string, Entry] => typeof entry[1] === 'object');
}

/** The names of values that declarations promise, by the file of declarations. */
function declared(files: readonly string[]): Map<string, string[]> {
  const options = { noLib: true, skipLibCheck: true, module: ts.ModuleKind.NodeNext };
  const declarations = ts.createProgram([...files], {
    ...options,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: [],
  });
  const checker = declarations.getTypeChecker();
  const isValue = (symbol: ts.Symbol): boolean => {
    const isAlias = (symbol.flags & ts.SymbolFlags.Alias) !== 0;
    const target = isAlias ? checker.getAliasedSymbol(symbol) : symbol;
    return (target.flags & ts.SymbolFlags.Value) !== 0 && !isTypeOnly(symbol);
  };
  const isTypeOnly = (symbol: ts.Symbol): boolean =>
    symbol.declarations?.some((node) => ts.isTypeOnlyExportDeclaration(node)) ?? false;
  return new Map(
    files.map((file) => {
      const source = declarations.getSourceFile(file);
      const module = source && checker.getSymbolAtLocation(source);
      if (module === undefined) throw new Error(`${file} declares nothing`);
      const names = checker.getExportsOfModule(module).filter(isValue);
      return [file, names.map(({ name }) => name).sort()];
    }),
  );
}

describe('names', () => {
  const files = entries().map(([subpath, entry]) => {
    return {
      subpath,
      types: join(packageRoot, entry.types),
      module: join(packageRoot, entry.default),
    };
  });
  const promised = declared(files.map(({ types }) => types));
  const there = (module: string) => import(pathToFileURL(module).href);

  it('_TestImportStar.test_import [CPT-192]', async () => {
    expect(files.map(({ subpath }) => subpath)).toContain('./multiprocessing');
    for (const { subpath, types, module } of files) {
      const names = new Set(Object.keys(await there(module)));
      expect(
        promised.get(types)?.filter((name) => !names.has(name)),
        subpath,
      ).toEqual([]);
    }
  });

  it('MiscTestCase.test__all__ [CPT-216]', async () => {
    for (const { subpath, types, module } of files) {
      const names = Object.keys(await there(module)).filter((name) => name !== 'default');
      expect(names.sort(), subpath).toEqual(promised.get(types));
      expect(names.length, subpath).toBeGreaterThan(5);
    }
  });

  it('MiscTestCase.test_spawn_sys_executable_none_allows_import [CPT-217]', async () => {
    for (const path of ['undefined', '""', '"/no/such/node"']) {
      const text = `Object.defineProperty(process, 'execPath', { value: ${path} });
        const names = Object.keys(await import('dragon-runtime/multiprocessing'));
        console.log(names.includes('Process'));`;
      const words = ['--input-type=module', '--eval', text];
      const result = await run(process.execPath, words, { cwd: packageRoot });
      expect(result).toMatchObject({ code: 0, stdout: 'true\n', stderr: '' });
    }
  });
});
