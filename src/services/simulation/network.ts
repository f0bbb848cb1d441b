/**
 * Links between the nodes of a virtual run: in order on each link, in any order between links,
 * and with the faults that a network has. Used by tests only.
 *
 * A partition keeps messages until it heals, as links that replay do; what a node that crashes
 * had under way is lost, and what one that leaves in order had sent arrives.
 */
import type { Clock } from './clock.ts';
import type { Random } from './random.ts';

/** The front end's place; nodes have their ids. */
export const FRONT = -1;

export class Network {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #arrivals = new Map<string, number>();
  readonly #held: { from: number; to: number; arrive: () => void }[] = [];
  readonly #crashed = new Set<number>();
  readonly #gone = new Set<number>();
  /** What nodes are cut off from the others. */
  readonly #apart = new Set<number>();
  /** How much later than others a node's messages are. */
  readonly slowMs = new Map<number, number>();
  delayMs = 3;
  /** How many messages arrive twice, of those that may. */
  twice = 0;
  sent = 0;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  send(from: number, to: number, arrive: () => void, mayDouble = false): void {
    this.sent += 1;
    if (this.#gone.has(from) || this.#gone.has(to)) return;
    if (this.#apart.has(from) !== this.#apart.has(to)) {
      this.#held.push({ from, to, arrive });
      return;
    }
    this.#schedule(from, to, arrive);
    if (mayDouble && this.#random.chance(this.twice)) this.#schedule(from, to, arrive);
  }

  /** Cuts nodes off from all others until they are healed. */
  part(nodes: readonly number[]): void {
    for (const node of nodes) this.#apart.add(node);
  }

  heal(): void {
    this.#apart.clear();
    for (const { from, to, arrive } of this.#held.splice(0)) {
      if (!this.#crashed.has(from)) this.#schedule(from, to, arrive);
    }
  }

  crash(node: number): void {
    this.#crashed.add(node);
    this.#gone.add(node);
  }

  leave(node: number): void {
    this.#gone.add(node);
  }

  #schedule(from: number, to: number, arrive: () => void) {
    const { nowMs } = this.#clock;
    const slowMs = (this.slowMs.get(from) ?? 0) + (this.slowMs.get(to) ?? 0);
    const key = `${from}>${to}`;
    const earliestMs = nowMs + this.#random.next() * this.delayMs + slowMs;
    const atMs = Math.max(earliestMs, this.#arrivals.get(key) ?? 0);
    this.#arrivals.set(key, atMs);
    this.#clock.after(atMs - nowMs, () => {
      if (!this.#crashed.has(from) && !this.#gone.has(to)) arrive();
    });
  }
}
