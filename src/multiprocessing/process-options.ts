/** What a process is made from and started with. */
import type { WaitOptions } from '../core/index.ts';
import type { Target } from './targets.ts';

/** A file that takes the place of a standard stream. */
export interface StreamFile {
  readonly file: string | URL;
  /** Keeps what is in it and writes behind that; not for standard input. */
  readonly append?: boolean;
}

/** What a standard stream of a process is; the head's, nothing, or a file. */
export type Stdio = 'inherit' | 'ignore' | StreamFile;

/** Where and as what a process runs. */
export interface PlaceOptions {
  /** For people; default: the creator's name and a number. */
  readonly name?: string;
  /** A daemon ends with its creator and keeps no program alive; default: as the creator is. */
  readonly daemon?: boolean;
  /** Changes to the creator's environment; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Working directory; default: the creator's. */
  readonly cwd?: string;
  readonly stdin?: Stdio;
  readonly stdout?: Stdio;
  readonly stderr?: Stdio;
}

/** How a process runs what is written in JavaScript or TypeScript. */
export interface ScriptOptions extends PlaceOptions {
  /** Flags of the interpreter, as `--max-old-space-size=200`; default: those of the creator. */
  readonly execArgv?: readonly string[];
  /** The interpreter; default: the one of `setExecutable`, else that of the run. */
  readonly execPath?: string | URL | Uint8Array;
  /** Key of the new process and of those that it starts; default: the creator's. */
  readonly authkey?: Uint8Array;
}

export interface ProcessOptions<A extends readonly unknown[] = readonly unknown[]>
  extends ScriptOptions {
  /** A task, an exported function, `{ module, export }` or `inline(...)`. */
  readonly target: Target<A>;
  /** Arguments of the target; serialised when the process is started. */
  readonly args?: Readonly<A>;
}

export interface NativeOptions extends PlaceOptions {
  /** A path, or a name to be found in PATH. */
  readonly exe: string;
  readonly argv?: readonly string[];
}

export interface JoinOptions extends WaitOptions {
  /** Reject with ProcessError when the process did not end with exit code 0. */
  readonly throw?: boolean;
}
