// Loads the script with all of the package (`src/package.ts`). V8 keeps what it made of it in the
// cache of the run: parsing and compiling it takes ten times as long as reading that.
// Non-goals: what the script does. A cache that is missing, damaged or of another interpreter only
// costs time.
import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Script } from 'node:vm';
import { GENERATION } from '../loader/generation.ts';

/** What the script exports; each part as its facade has it. */
export interface Package {
  readonly runStartedProcess: () => Promise<void>;
  readonly importedAddress: (parent: string, specifier: string) => Promise<string>;
  readonly prepareHere: (source: string) => Promise<{ url: string; source: string }>;
}

/** Put in by the build: tells the scripts of two builds apart. */
declare const PACKAGE_DIGEST: string;

type Wrapper = (
  exports: object,
  require: NodeJS.Require,
  module: { exports: object },
  __filename: string,
) => void;

const DAY_MS = 86_400_000;
const GROUP_AND_OTHERS_WRITE = 0o022;
/** Above `runtime/bootstrap`, where this is bundled to. */
const path = join(__dirname, '..', '..', 'package.cjs');

let loaded: Package | undefined;

/** The package; loaded at the first call. */
export function loadPackage(): Package {
  loaded ??= (isPlain() ? loadCached() : require(path)) as Package;
  return loaded;
}

/**
 * Whether the interpreter runs as it does by default. With flags of its own, under a debugger or
 * while coverage is taken, it would make something else of the script.
 */
function isPlain(): boolean {
  const { NODE_OPTIONS, NODE_V8_COVERAGE, DRAGON_CACHE_DIR } = process.env;
  return process.execArgv.length === 0 && !NODE_OPTIONS && !NODE_V8_COVERAGE && !!DRAGON_CACHE_DIR;
}

function loadCached(): object {
  const text = readFileSync(path, 'latin1');
  const file = cacheFile();
  const cachedData = readCache(file);
  const script = new Script(`(function (exports, require, module, __filename) { ${text}\n})`, {
    filename: path,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  if (cachedData === undefined || script.cachedDataRejected) keepAtExit(script, file);
  const module = { exports: {} };
  (script.runInThisContext() as Wrapper)(module.exports, require, module, path);
  return module.exports;
}

/**
 * The head and started processes run different parts of the script. What V8 has compiled bears the
 * path of its script, which stacks show, so each installation has its own.
 */
function cacheFile(): string {
  const { DRAGON_CACHE_DIR, DRAGON_ROLE } = process.env;
  const script = `${PACKAGE_DIGEST}-${checksum(path)}`;
  const name = `code-${script}-${process.version}-${process.arch}-${DRAGON_ROLE}`;
  return join(DRAGON_CACHE_DIR ?? '', GENERATION, name);
}

/** FNV-1a: tells paths apart, and needs no module. */
function checksum(text: string): string {
  let sum = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) sum = Math.imul(sum ^ text.charCodeAt(i), 0x01000193);
  return (sum >>> 0).toString(16);
}

/** What is kept, if only this user can have put it there. */
function readCache(file: string): Buffer | undefined {
  try {
    const descriptor = openSync(file, 'r');
    try {
      const { uid, mode, mtimeMs } = fstatSync(descriptor);
      if (uid !== process.getuid?.() || (mode & GROUP_AND_OTHERS_WRITE) !== 0) return undefined;
      const now = new Date();
      if (now.getTime() - mtimeMs > DAY_MS) utimesSync(file, now, now);
      return checked(readFileSync(descriptor));
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return undefined;
  }
}

/**
 * V8 does not look for damage and may crash of it. It is there twice, since comparing is the
 * quickest check that needs no module to be loaded.
 */
function checked(bytes: Buffer): Buffer | undefined {
  const half = bytes.subarray(0, bytes.length / 2);
  return half.equals(bytes.subarray(bytes.length / 2)) ? half : undefined;
}

/** At the end V8 has compiled what such a process needs, and this waits for nobody. */
function keepAtExit(script: Script, file: string): void {
  process.once('exit', () => {
    const draft = `${file}.${process.pid}.unfinished`;
    try {
      if (!existsSync(dirname(file))) return;
      const data = script.createCachedData();
      writeFileSync(draft, Buffer.concat([data, data]), { mode: 0o600 });
      renameSync(draft, file);
    } catch {
      // Full, or not ours: the next one compiles it, too. A draft goes with the cache's old files.
    }
  });
}
