import { expect, it } from 'vitest';
import type { NativeNode, NativeObject } from './native.ts';
import { NOT_YET, WaitLoop } from './wait.ts';

/** A node that never wakes anybody, as when every waker died on the way. */
const silent = {
  onWake() {},
  setPending() {},
  rearm() {},
  cancel() {},
} as unknown as NativeNode;
const object = { arm: () => 1 } as unknown as NativeObject;

it('a wait looks again by itself when no wake comes [WAI-007]', async () => {
  const loop = new WaitLoop(silent);
  for (const readyAfterMs of [5, 200, 900]) {
    const begin = performance.now();
    const look = () => (performance.now() - begin >= readyAfterMs ? 'ready' : NOT_YET);
    // What keeps a process alive is the doorbell, which the silent node does not have.
    const alive = setInterval(() => undefined, 1000);
    expect(await loop.wait(object, 0, look)).toBe('ready');
    clearInterval(alive);
    expect(performance.now() - begin).toBeLessThan(readyAfterMs + 1100);
  }
});
