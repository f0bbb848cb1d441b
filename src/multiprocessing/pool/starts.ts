/**
 * When the workers of a pool are started: a few at a time, so that the first ones work earlier.
 *
 * Goals: starting takes processors away from working. A pool whose workers die faster than others
 * start would do little else, and the few that live would be killed before they have done anything.
 * So there replacements wait while enough workers have work to keep the processors busy; then some
 * start together, and live together. Whatever happens, the promised number comes back.
 * Non-goals: whether a slot needs a worker at all is the scheduler's decision.
 */

/** Deaths that have to be seen before their rate says something. */
const DEATHS = 8;
/** After so long without a death it is over. */
const CALM_MS = 1000;
/** How fast the expected cost of a start follows those that were made. */
const FOLLOW = 0.25;

export interface StartPorts {
  /**
   * Starts the process of a worker. Later `over` is called, with the number that this returns,
   * when it runs or could not be started.
   */
  start(slot: number): number;
  /** Whether there is or may come work for another worker. */
  isNeeded(): boolean;
  /** Workers that have something to do now. */
  working(): number;
  /** Calls back after so many ms; the callback may keep no program alive. */
  later(call: () => void, ms: number): () => void;
  nowMs(): number;
}

export class Starts {
  readonly #ports: StartPorts;
  readonly #processors: number;
  /** Workers that start at a time: starting is work for processors. */
  readonly #atATime: number;
  /** In bad times: enough to live for a while together, few enough to start soon. */
  readonly #together: number;
  /** Slots whose next worker is started after a while, and what forgets that. */
  readonly #delayed = new Map<number, () => void>();
  /** Slots whose next worker waits for its turn. */
  #queued: number[] = [];
  /** Those that are starting: since when, and among how many. */
  readonly #begun = new Map<number, { readonly atMs: number; readonly among: number }>();
  /** How long the processors need for one start, as those before took; 0 when none was made. */
  #costMs = 0;
  /** When the last workers died. */
  readonly #deathsMs: number[] = [];
  #cancelLook: (() => void) | undefined;
  #blocking = false;

  constructor(ports: StartPorts, processors: number) {
    this.#ports = ports;
    this.#processors = processors;
    this.#atATime = Math.max(4, 2 * processors);
    this.#together = 8 * this.#atATime;
  }

  /** The slot is to get a worker, after so many ms. */
  request(slot: number, delayMs: number): void {
    // A blocked thread has no timers.
    if (delayMs === 0 || this.#blocking) return this.#enqueue(slot);
    const cancel = this.#ports.later(() => {
      this.#delayed.delete(slot);
      if (this.#ports.isNeeded()) this.#enqueue(slot);
    }, delayMs);
    this.#delayed.set(slot, cancel);
  }

  /** A start is over, well or not. */
  over(start: number): void {
    const begun = this.#begun.get(start);
    if (begun === undefined) return;
    const among = (begun.among + this.#begun.size) / 2;
    this.#begun.delete(start);
    const costMs = (this.#ports.nowMs() - begun.atMs) / among;
    this.#costMs += (costMs - this.#costMs) * (this.#costMs === 0 ? 1 : FOLLOW);
    this.look();
  }

  /** A worker that ran has died. */
  died(): void {
    this.#deathsMs.push(this.#ports.nowMs());
    if (this.#deathsMs.length > DEATHS) this.#deathsMs.shift();
  }

  /** The thread blocks from here on, or no longer: nothing is left to timers then. */
  block(isBlocking: boolean): void {
    this.#blocking = isBlocking;
    if (!isBlocking) return;
    for (const [slot, cancel] of this.#delayed) {
      cancel();
      if (this.#ports.isNeeded()) this.#queued.push(slot);
    }
    this.#delayed.clear();
    this.look();
  }

  /** Starts those whose turn it is. */
  look(): void {
    if (this.#queued.length === 0) return;
    if (!this.#ports.isNeeded()) {
      this.#queued = [];
      return;
    }
    if (this.#blocking) return this.#begin(this.#queued.length);
    if (!this.#isStorm()) return this.#begin(this.#atATime - this.#begun.size);
    const isDull = this.#begun.size === 0 && this.#ports.working() < this.#processors;
    if (isDull) return this.#begin(this.#together);
    this.#cancelLook ??= this.#ports.later(() => {
      this.#cancelLook = undefined;
      this.look();
    }, CALM_MS);
  }

  #enqueue(slot: number): void {
    this.#queued.push(slot);
    this.look();
  }

  #begin(count: number): void {
    for (const slot of this.#queued.splice(0, Math.max(0, count))) {
      const begun = { atMs: this.#ports.nowMs(), among: this.#begun.size + 1 };
      this.#begun.set(this.#ports.start(slot), begun);
    }
  }

  /** Whether workers die faster than others start. */
  #isStorm(): boolean {
    const [first] = this.#deathsMs;
    const last = this.#deathsMs.at(-1);
    if (first === undefined || last === undefined || this.#deathsMs.length < DEATHS) return false;
    if (this.#ports.nowMs() - last > CALM_MS) return false;
    return (last - first) / (DEATHS - 1) < this.#costMs;
  }
}
