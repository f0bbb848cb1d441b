/**
 * The functions that a pool's calls name, each with a number.
 *
 * A worker is told a function's reference until it has it, and then only the number.
 */
import { resolveTarget, type Target, type TargetReference, targetKey } from '../targets.ts';
import type { Call } from './chunks.ts';

interface Calls {
  readonly spread: Call;
  readonly single: Call;
}

export class Functions {
  readonly #byTarget = new WeakMap<object, Calls>();
  readonly #byKey = new Map<string, Calls>();

  /** The call of a target. Throws ERR_TARGET_NOT_FOUND when nothing exports it. */
  call(target: Target, spread: boolean): Call {
    let calls = typeof target === 'function' ? this.#byTarget.get(target) : undefined;
    if (calls === undefined) {
      calls = this.#named(resolveTarget(target));
      if (typeof target === 'function') this.#byTarget.set(target, calls);
    }
    return spread ? calls.spread : calls.single;
  }

  #named(reference: TargetReference): Calls {
    const key = targetKey(reference);
    let calls = this.#byKey.get(key);
    if (calls === undefined) {
      const id = this.#byKey.size;
      calls = { spread: { id, reference, spread: true }, single: { id, reference, spread: false } };
      this.#byKey.set(key, calls);
    }
    return calls;
  }
}
