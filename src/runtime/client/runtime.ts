/**
 * What a process of a run can ask of its services, typed.
 *
 * Every call has a form that waits (a promise) and one that blocks (`Sync`). A refusal is
 * thrown as the error of its status. Non-goals: the objects that users see; those are built
 * on top of this.
 */
import {
  type Channel,
  type Node,
  Pool,
  type WaitOptions,
  type WaitPlace,
} from '../../core/index.ts';
import type {
  GsNameLookup,
  GsNameRegister,
  GsNameRelease,
  GsNameUnlink,
  GsProcessJoin,
  NameInfo,
  NodeInfo,
  ProcessExit,
  ProcessInfo,
  Reply,
  Request,
} from '../../services/messages/index.ts';
import { Status } from '../errors/codes.ts';
import { errorFromStatus } from '../errors/index.ts';
import { Children } from './children.ts';
import {
  type Creation,
  type ProcessOptions,
  prepareCreation,
  prepareCreationSync,
} from './creation.ts';
import { refusal } from './refusal.ts';
import { type Body, RequestLine, type RequestOptions } from './requests.ts';

export interface StartedProcess {
  readonly puid: bigint;
  readonly pid: number;
}

export interface JoinOptions extends WaitOptions {
  readonly puids: readonly bigint[];
  readonly mode: 'all' | 'any';
}

export interface JoinResult {
  /** False when the time-out came first. */
  readonly done: boolean;
  /** One for each of `puids`, in their order. */
  readonly exits: readonly ProcessExit[];
}

export interface NamedObject {
  readonly kind: string;
  readonly descriptor: Uint8Array;
}

export interface RegisterResult extends NamedObject {
  /** False when the name was taken; the result describes the object that has it. */
  readonly registered: boolean;
}

export interface LookupOptions extends WaitOptions {
  /** Counts a reference for this process, to be given back with `nameRelease`. */
  readonly hold?: boolean;
  /** Waits until the name exists, up to `timeout`. */
  readonly wait?: boolean;
}

/** One process under one wait; `multiprocessing/waitable.ts` says what each part is for. */
export interface ExitWatch {
  isReady(): boolean;
  readonly places: readonly WaitPlace[];
  listen(changed: () => void): void;
  end(): void;
}

const SIGKILL = 9;
const U32_MAX = 2 ** 32 - 1;

export class Runtime {
  readonly node: Node;
  /** The node's default pool. */
  readonly pool: Pool;
  readonly puid: bigint;
  readonly children: Children;
  readonly #replies: Pool;
  readonly #line: RequestLine;

  /** `services` is the channel that global services read, `replies` a pool for answers. */
  constructor(node: Node, replies: Pool, services: Channel, puid: bigint) {
    this.node = node;
    this.pool = Pool.default(node);
    this.puid = puid;
    this.children = new Children(this);
    this.#replies = replies;
    this.#line = new RequestLine(node, replies, services, puid);
  }

  /** Starts a process; resolves when it has loaded its target and is about to call it. */
  async processCreate(options: ProcessOptions, wait: WaitOptions = {}): Promise<StartedProcess> {
    const prepared = prepareCreation(this, options, wait);
    // Most often nothing is awaited, and the request is on its way before this returns.
    const creation = prepared instanceof Promise ? await prepared : prepared;
    try {
      const answer = await this.#line.request(creation.body, this.#creationOptions(wait));
      return this.#created(answer, options, creation);
    } finally {
      creation.release();
    }
  }

  processCreateSync(options: ProcessOptions, wait: WaitOptions = {}): StartedProcess {
    const creation = prepareCreationSync(this, options, wait);
    try {
      const answer = this.#line.requestSync(creation.body, this.#creationOptions(wait));
      return this.#created(answer, options, creation);
    } finally {
      creation.release();
    }
  }

  async processQuery(target: bigint | string): Promise<ProcessInfo> {
    return queried(await this.#line.request(queryBody(target)));
  }

  processQuerySync(target: bigint | string): ProcessInfo {
    return queried(this.#line.requestSync(queryBody(target)));
  }

  /** Processes in order of their creation; with `ended` also those that are remembered. */
  async processList(options: { ended?: boolean } = {}): Promise<readonly ProcessInfo[]> {
    return listed(await this.#line.request(listBody(options)));
  }

  processListSync(options: { ended?: boolean } = {}): readonly ProcessInfo[] {
    return listed(this.#line.requestSync(listBody(options)));
  }

  /** Waits until all or any of the processes have ended. */
  async processJoin(options: JoinOptions): Promise<JoinResult> {
    const { signal } = options;
    return this.#joined(await this.#line.request(joinBody(options), { signal }));
  }

  processJoinSync(options: JoinOptions): JoinResult {
    const { signal } = options;
    return this.#joined(this.#line.requestSync(joinBody(options), { signal }));
  }

  /** Watches for the end of a process, as `wait` watches any object. */
  watchExit(puid: bigint): ExitWatch {
    const body = { puids: [puid], mode: 'all' } as const;
    let hasEnded = this.processJoinSync({ ...body, timeout: 0 }).done;
    if (hasEnded) return { isReady: () => true, places: [], listen: () => {}, end: () => {} };
    let changed = (): void => undefined;
    const asked = this.#line.ask(joinBody(body), (answer) => {
      hasEnded = this.#joined(answer).done;
      changed();
    });
    return {
      isReady: () => {
        if (!hasEnded) this.#line.takeAnswers();
        return hasEnded;
      },
      places: [asked.place],
      listen: (callback) => {
        changed = callback;
      },
      end: asked.end,
    };
  }

  /** Sends a signal; false when the process has ended. */
  async processKill(puid: bigint, signal: number): Promise<boolean> {
    return killed(await this.#line.request(killBody(puid, signal)));
  }

  processKillSync(puid: bigint, signal: number): boolean {
    return killed(this.#line.requestSync(killBody(puid, signal)));
  }

  /**
   * Gives an object a name, of which this process holds the first reference. A name to be kept
   * stays without references, until it is unlinked.
   */
  async nameRegister(name: string, object: NamedObject, keep = false): Promise<RegisterResult> {
    return registered(await this.#line.request(registerBody(name, object, keep)), object);
  }

  nameRegisterSync(name: string, object: NamedObject, keep = false): RegisterResult {
    return registered(this.#line.requestSync(registerBody(name, object, keep)), object);
  }

  async nameLookup(name: string, options: LookupOptions = {}): Promise<NamedObject> {
    const answer = await this.#line.request(lookupBody(name, options), {
      signal: options.signal,
      abandoned: options.hold ? (late) => this.#releaseLate(name, late) : undefined,
    });
    return found(answer);
  }

  nameLookupSync(name: string, options: LookupOptions = {}): NamedObject {
    return found(this.#line.requestSync(lookupBody(name, options), { signal: options.signal }));
  }

  /** With `descriptor` only if the name is still that object's. */
  async nameRelease(name: string, descriptor?: Uint8Array): Promise<void> {
    succeeded(await this.#line.request(releaseBody(name, descriptor)), 'release a name');
  }

  nameReleaseSync(name: string, descriptor?: Uint8Array): void {
    succeeded(this.#line.requestSync(releaseBody(name, descriptor)), 'release a name');
  }

  /** Frees a name, whoever holds references; with `descriptor` only if it is that object's. */
  nameUnlinkSync(name: string, descriptor?: Uint8Array): void {
    succeeded(this.#line.requestSync(unlinkBody(name, descriptor)), 'unlink a name');
  }

  async nameList(): Promise<readonly NameInfo[]> {
    return names(await this.#line.request({ type: 'GsNameList' }));
  }

  nameListSync(): readonly NameInfo[] {
    return names(this.#line.requestSync({ type: 'GsNameList' }));
  }

  async nodes(): Promise<readonly NodeInfo[]> {
    return nodeList(await this.#line.request({ type: 'GsNodeList' }));
  }

  nodesSync(): readonly NodeInfo[] {
    return nodeList(this.#line.requestSync({ type: 'GsNodeList' }));
  }

  /** Any request, as it is in spec/messages; the answer is not judged. */
  request<R extends Request>(body: Body<R>, options?: RequestOptions) {
    return this.#line.request<R>(body, options);
  }

  requestSync<R extends Request>(body: Body<R>, options?: RequestOptions) {
    return this.#line.requestSync<R>(body, options);
  }

  /** Leaves the runtime. Requests that are open reject; nothing else may be pending. */
  close(): void {
    this.#line.close();
    this.#replies.close();
    this.pool.close();
    this.node.close();
  }

  /** Giving up a creation ends in one of two ways: it had not happened, or it is undone. */
  #creationOptions({ signal, timeout }: WaitOptions): RequestOptions {
    const abandoned = (late: Reply): void => {
      if (late.type !== 'GsProcessCreateReply' || late.puid === undefined) return;
      void this.processKill(late.puid, SIGKILL);
    };
    return { signal, timeout, abandoned, settleAbandoned: true };
  }

  #created(answer: Reply, options: ProcessOptions, creation: Creation): StartedProcess {
    if (answer.type !== 'GsProcessCreateReply' || answer.err !== Status.SUCCESS) {
      throw creation.failure(answer);
    }
    const { puid = 0n, pid = 0 } = answer;
    this.children.add({ puid, pid, label: options.label, daemon: options.daemon ?? false });
    return { puid, pid };
  }

  #joined(answer: Reply): JoinResult {
    if (answer.type !== 'GsProcessJoinReply') throw refusal(answer, 'join processes');
    const { err, exits } = answer;
    if (err !== Status.SUCCESS && err !== Status.TIMEOUT) throw refusal(answer, 'join processes');
    this.children.noteExits(exits);
    return { done: err === Status.SUCCESS, exits };
  }

  #releaseLate(name: string, late: Reply): void {
    if (late.err === Status.SUCCESS) void this.nameRelease(name);
  }
}

function succeeded(answer: Reply, what: string): void {
  if (answer.err !== Status.SUCCESS) throw refusal(answer, what);
}

/** A time-out as the messages carry it; what is too far away is for ever. */
function timeoutField(timeout: number | undefined): number | undefined {
  if (timeout === undefined || timeout > U32_MAX) return undefined;
  if (Number.isNaN(timeout)) throw new TypeError('timeout must be a number of milliseconds');
  return Math.max(0, Math.ceil(timeout));
}

function queryBody(target: bigint | string) {
  if (typeof target === 'string') return { type: 'GsProcessQuery', name: target } as const;
  return { type: 'GsProcessQuery', target } as const;
}

function queried(answer: Reply): ProcessInfo {
  const process = answer.type === 'GsProcessQueryReply' ? answer.process : undefined;
  if (process === undefined) throw refusal(answer, 'look up a process');
  return process;
}

function listBody({ ended = false }: { ended?: boolean }) {
  return { type: 'GsProcessList', ended } as const;
}

function listed(answer: Reply): readonly ProcessInfo[] {
  if (answer.type !== 'GsProcessListReply') throw refusal(answer, 'list processes');
  return answer.processes;
}

function joinBody({ puids, mode, timeout }: JoinOptions): Body<GsProcessJoin> {
  return { type: 'GsProcessJoin', targets: puids, mode, timeoutMs: timeoutField(timeout) };
}

function killBody(target: bigint, signal: number) {
  return { type: 'GsProcessKill', target, signal } as const;
}

function killed(answer: Reply): boolean {
  if (answer.err === Status.STATE) return false;
  succeeded(answer, 'send a signal');
  return true;
}

function registerBody(
  name: string,
  { kind, descriptor }: NamedObject,
  keep: boolean,
): Body<GsNameRegister> {
  return { type: 'GsNameRegister', name, kind, descriptor, keep };
}

function registered(answer: Reply, object: NamedObject): RegisterResult {
  if (answer.err === Status.SUCCESS) return { registered: true, ...object };
  if (answer.err !== Status.EXISTS) throw refusal(answer, 'register a name');
  return { registered: false, ...found({ ...answer, err: Status.SUCCESS }) };
}

function lookupBody(name: string, options: LookupOptions): Body<GsNameLookup> {
  const { hold = false, wait = false, timeout } = options;
  return { type: 'GsNameLookup', name, hold, wait, timeoutMs: timeoutField(timeout) };
}

function releaseBody(name: string, descriptor?: Uint8Array): Body<GsNameRelease> {
  return { type: 'GsNameRelease', name, descriptor };
}

function unlinkBody(name: string, descriptor?: Uint8Array): Body<GsNameUnlink> {
  return { type: 'GsNameUnlink', name, descriptor };
}

function found(answer: Reply): NamedObject {
  succeeded(answer, 'look up a name');
  if (answer.type !== 'GsNameReply' || !answer.descriptor || answer.kind === undefined) {
    throw errorFromStatus(Status.INVALID_MESSAGE, 'look up a name');
  }
  return { kind: answer.kind, descriptor: answer.descriptor };
}

function names(answer: Reply): readonly NameInfo[] {
  if (answer.type !== 'GsNameListReply') throw refusal(answer, 'list names');
  return answer.names;
}

function nodeList(answer: Reply): readonly NodeInfo[] {
  if (answer.type !== 'GsNodeListReply') throw refusal(answer, 'list nodes');
  return answer.nodes;
}
