/**
 * Descriptors of open files on their way from one process to another.
 *
 * Goals: what was sent arrives, also if the sender ends meanwhile; what nobody takes is closed; a
 * process that has no number left for it can try again. The broker of the node keeps a duplicate
 * until then (`native/memory/offers.h`).
 * Non-goals: other nodes, and what the descriptor is of.
 */
import { closeSync, fstatSync } from 'node:fs';
import { registerHandle } from '../codec/index.ts';
import {
  notOpen,
  offerDescriptor,
  takeDescriptor,
  withdrawDescriptor,
} from '../core/descriptors.ts';
import { getRuntime } from '../runtime/client/index.ts';
import { ClosedError } from '../runtime/errors/index.ts';

/** What stands behind the object: a number of the caller's, one of its own, or the broker still. */
class Source {
  readonly kind: 'borrowed' | 'owned' | 'offered';
  readonly fd: number;
  readonly handle: Uint8Array | undefined;

  constructor(kind: 'borrowed' | 'owned' | 'offered', fd: number, handle?: Uint8Array) {
    this.kind = kind;
    this.fd = fd;
    this.handle = handle;
  }
}

/** Descriptors that have arrived and that nobody wants. */
const dropped = new FinalizationRegistry<number>((fd) => {
  closeSync(fd);
  process.emitWarning('a SharedDescriptor was dropped: take() or close() what has arrived', {
    type: 'ResourceWarning',
    code: 'RT_DESCRIPTOR_DROPPED',
  });
});

function isOpen(fd: number): boolean {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
}

/**
 * A descriptor of an open file, socket or pipe that can be sent to other processes of the node: in
 * arguments, messages, items and results.
 *
 * Sending it sends a duplicate: the number stays the sender's, and may be closed as soon as the
 * sending call has returned. Each message gives the descriptor to one receiver, once. A process can
 * have 64 on their way; what it has sent stays for 30 s after its end.
 *
 * @example
 * import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
 * import { pipe, SharedDescriptor } from 'dragon-runtime/multiprocessing';
 * const [reader, writer] = pipe<SharedDescriptor>({ duplex: false });
 * const file = openSync('/tmp', 0x410002, 0o600); // a file without a name
 * await writer.send(new SharedDescriptor(file));
 * const same = (await reader.recv()).take();
 * writeSync(same, 'hello');
 * console.log(readFileSync(`/proc/self/fd/${file}`, 'utf8')); // hello
 * closeSync(same);
 * closeSync(file);
 */
export class SharedDescriptor implements Disposable {
  #source: Source | undefined;

  /** `fd` stays the caller's. Throws ERR_INVALID_ARGUMENT unless it is open. */
  constructor(fd: number | Source) {
    if (!(fd instanceof Source)) {
      if (!isOpen(fd)) throw notOpen(fd);
      this.#source = new Source('borrowed', fd);
      return;
    }
    this.#source = fd;
    if (fd.kind === 'owned') dropped.register(this, fd.fd, this);
  }

  /** Whether it was taken, or closed. */
  get closed(): boolean {
    return this.#source === undefined;
  }

  /**
   * The number of a descriptor that is the caller's from now on, who closes it; the object is
   * closed then. Processes that this one starts don't inherit it. Throws ClosedError the second
   * time, NotFoundError if nothing has come with the message: another process has taken it, or its
   * sender ended over 30 s ago. ERR_SYSTEM if this process has no number left: then it can be tried
   * again.
   */
  take(): number {
    const { kind, fd, handle } = this.#open();
    const { node } = getRuntime();
    const taken = kind === 'owned' ? fd : takeDescriptor(node, handle ?? offerDescriptor(node, fd));
    this.#end();
    return taken;
  }

  /** Lets go of what has arrived and was not taken. Closing again does nothing. */
  close(): void {
    const source = this.#source;
    this.#end();
    if (source?.kind === 'owned') closeSync(source.fd);
    if (source?.handle !== undefined) withdrawDescriptor(getRuntime().node, source.handle);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #open(): Source {
    if (this.#source !== undefined) return this.#source;
    throw new ClosedError('the descriptor was taken, or closed in this process');
  }

  #end(): void {
    dropped.unregister(this);
    this.#source = undefined;
  }

  /** @internal What sending a descriptor sends. What could not be fetched yet goes on as it is. */
  static lend(shared: SharedDescriptor): { descriptor: Uint8Array; cancel(): void } {
    const { fd, handle } = shared.#open();
    const { node } = getRuntime();
    if (handle !== undefined) {
      shared.#end();
      return { descriptor: handle, cancel: () => withdrawDescriptor(node, handle) };
    }
    const descriptor = offerDescriptor(node, fd);
    return { descriptor, cancel: () => withdrawDescriptor(node, descriptor) };
  }

  /**
   * @internal What can't be fetched as it arrives, `take` tries again to fetch: the rest of its
   * message is as good as any.
   */
  static revive(handle: Uint8Array): SharedDescriptor {
    let source: Source;
    try {
      source = new Source('owned', takeDescriptor(getRuntime().node, handle));
    } catch {
      source = new Source('offered', -1, handle);
    }
    return new SharedDescriptor(source);
  }
}

registerHandle(SharedDescriptor, {
  kind: 'descriptor',
  lend: SharedDescriptor.lend,
  revive: SharedDescriptor.revive,
  discard: (shared) => shared.close(),
});
