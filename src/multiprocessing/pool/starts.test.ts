import { describe, expect, it } from 'vitest';
import { Starts } from './starts.ts';

const PROCESSORS = 2;

/** Surroundings in which time passes when a test says so. */
class Place {
  readonly running: number[] = [];
  readonly starts: Starts;
  readonly #timers: { call: () => void; atMs: number }[] = [];
  readonly #open = new Map<number, number>();
  #numbers = 0;
  nowMs = 0;
  working = 0;
  needed = true;

  constructor() {
    const ports = {
      start: (slot: number): number => {
        this.running.push(slot);
        this.#open.set(slot, ++this.#numbers);
        return this.#numbers;
      },
      isNeeded: () => this.needed,
      working: () => this.working,
      later: (call: () => void, ms: number) => {
        const timer = { call, atMs: this.nowMs + ms };
        this.#timers.push(timer);
        return () => void this.#timers.splice(this.#timers.indexOf(timer), 1);
      },
      nowMs: () => this.nowMs,
    };
    this.starts = new Starts(ports, PROCESSORS);
  }

  request(count: number): void {
    for (let slot = 0; slot < count; slot++) this.starts.request(slot, 0);
  }

  over(slot: number): void {
    this.starts.over(this.#open.get(slot) ?? -1);
  }

  pass(ms: number): void {
    this.nowMs += ms;
    const due = this.#timers.filter(({ atMs }) => atMs <= this.nowMs);
    for (const timer of due) {
      this.#timers.splice(this.#timers.indexOf(timer), 1);
      timer.call();
    }
  }

  /** Makes a start take so long. */
  learn(costMs: number): void {
    this.starts.request(0, 0);
    this.pass(costMs);
    this.over(0);
    this.running.length = 0;
  }

  /** Workers die, one each so many ms. */
  die(times: number, everyMs: number): void {
    for (let i = 0; i < times; i++) {
      this.pass(everyMs);
      this.starts.died();
    }
  }
}

describe('the starts of workers', () => {
  it('come a few at a time [PL-053]', () => {
    const place = new Place();
    place.request(10);
    expect(place.running).toEqual([0, 1, 2, 3]);
    place.over(1);
    place.over(1);
    expect(place.running).toEqual([0, 1, 2, 3, 4]);
  });

  it('are put off for as long as they are asked to be [PL-022]', () => {
    const place = new Place();
    place.starts.request(3, 40);
    place.pass(39);
    expect(place.running).toEqual([]);
    place.pass(1);
    expect(place.running).toEqual([3]);
    place.starts.request(4, 40);
    place.needed = false;
    place.pass(40);
    expect(place.running).toEqual([3]);
  });

  it('wait while workers die faster than others start, and then come together [PL-053]', () => {
    const place = new Place();
    place.learn(100);
    place.working = PROCESSORS;
    place.die(8, 20);
    place.request(50);
    expect(place.running).toEqual([]);
    place.working = PROCESSORS - 1;
    place.starts.request(50, 0);
    expect(place.running).toHaveLength(32);
    place.pass(900);
    for (let slot = 0; slot < 31; slot++) place.over(slot);
    expect(place.running).toHaveLength(32);
    place.over(31);
    expect(place.running).toHaveLength(51);
  });

  it('do not wait when workers die seldom, or when the deaths are over [PL-053]', () => {
    const seldom = new Place();
    seldom.learn(100);
    seldom.working = PROCESSORS;
    seldom.die(20, 110);
    seldom.request(5);
    expect(seldom.running).toHaveLength(4);
    const calm = new Place();
    calm.learn(100);
    calm.working = PROCESSORS;
    calm.die(20, 10);
    calm.request(5);
    calm.pass(1000);
    expect(calm.running).toEqual([]);
    calm.pass(1001);
    expect(calm.running).toHaveLength(4);
  });

  it('wait for nothing while the thread blocks, and are dropped when not needed [PL-053]', () => {
    const place = new Place();
    place.starts.request(9, 1000);
    place.request(6);
    place.starts.block(true);
    expect(place.running).toEqual([0, 1, 2, 3, 4, 5, 9]);
    place.starts.block(false);
    place.request(3);
    place.needed = false;
    for (const slot of [0, 1, 2, 3, 4, 5, 9]) place.over(slot);
    expect(place.running).toHaveLength(7);
  });
});
