import { CalicoError } from '../../../src/base/index.js';
import type { CniParts } from '../../../src/cni/index.js';

/**
 * `before`: the step fails and nothing is done. `after`: it fails, but it is done. `death`: it is done, and
 * nothing happens after it any more, as when the agent is killed.
 */
export type FaultMode = 'before' | 'after' | 'death';

/** Faults in the parts that the plugin works with: each call of a method is a step. */
export interface Faults {
  /** From now on the step with that number, counted from 1, goes wrong. */
  arm(step: number, mode: FaultMode): void;
  /** Ends that; returns whether the step came, or how many steps there were. */
  disarm(): { readonly struck: boolean; readonly steps: number };
  wrap(parts: CniParts): CniParts;
}

export function createFaults(): Faults {
  let fault: { step: number; mode: FaultMode } | undefined;
  let steps = 0;
  const failure = (what: string): CalicoError => new CalicoError('unavailable', `fault at ${what}`);
  const step = <T>(what: string, work: () => T): T => {
    steps++;
    if (fault === undefined || steps < fault.step) return work();
    if (steps > fault.step) {
      if (fault.mode === 'death') throw failure(what);
      return work();
    }
    if (fault.mode === 'before') throw failure(what);
    const result = work();
    if (result instanceof Promise) {
      return result.then(() => {
        throw failure(what);
      }) as T;
    }
    throw failure(what);
  };
  const wrapped = <P extends object>(name: string, part: P): P =>
    new Proxy(part, {
      get(target, key) {
        const member: unknown = Reflect.get(target, key, target);
        if (typeof member !== 'function') return member;
        const method = member.bind(target) as (...args: readonly unknown[]) => unknown;
        // Closing gives things back; what fails there is a leak of ours, not a fault of the world.
        if (key === 'close') return method;
        if (key === 'enter')
          return (...args: readonly unknown[]) =>
            step(`${name}.enter`, () => wrapped('container', method(...args) as object));
        return (...args: readonly unknown[]) => step(`${name}.${String(key)}`, () => method(...args));
      },
    });
  return {
    arm: (number, mode) => {
      fault = { step: number, mode };
      steps = 0;
    },
    disarm: () => {
      const result = { struck: fault !== undefined && steps >= fault.step, steps };
      fault = undefined;
      steps = 0;
      return result;
    },
    wrap: parts => ({
      ...parts,
      client: wrapped('client', parts.client),
      allocator: wrapped('allocator', parts.allocator),
      network: wrapped('network', parts.network),
      records: wrapped('records', parts.records),
    }),
  };
}
