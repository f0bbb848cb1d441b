/** The end of a process as an object that `wait` takes. */
import { getRuntime } from '../runtime/client/index.ts';
import { type Waitable, type Watch, waitable } from './waitable.ts';

/** Stands for a process: it is ready once that has ended. */
export class Sentinel implements Waitable {
  /** The id of the process in the run. */
  readonly puid: bigint;

  /** @internal `Process.sentinel` gives it. */
  constructor(puid: bigint) {
    this.puid = puid;
  }

  [waitable](): Watch {
    return getRuntime().watchExit(this.puid);
  }
}
