import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createPolicyGraph, modelOf } from '../../src/policy/index.js';
import { StrictDataplane } from '../support/dataplane-image.js';
import { naiveImage } from '../support/naive-graph.js';
import { arbitraryBatches } from '../support/policy-arbitrary.js';
import type { ModelChange, Pool } from '../../src/policy/index.js';
import type { DataplaneImage } from '../support/dataplane-image.js';

function poolsOf(changes: readonly ModelChange[]): readonly Pool[] {
  const pools = new Map<string, Pool>();
  for (const change of changes) {
    if (change.kind !== 'pool') continue;
    if (change.pool === undefined) pools.delete(change.id);
    else pools.set(change.id, change.pool);
  }
  return [...pools.values()];
}

/** Just the data, so that a class and a plain object compare. */
function content({ sets, policies, profiles, endpoints, pools }: DataplaneImage): DataplaneImage {
  return { sets, policies, profiles, endpoints, pools };
}

describe('the calculation graph, on random changes', () => {
  test('keeps its promises of order and always holds what the whole model demands', () => {
    fc.assert(
      fc.property(arbitraryBatches(), batches => {
        const graph = createPolicyGraph('here');
        const dataplane = new StrictDataplane();
        for (const [index, batch] of batches.entries()) {
          dataplane.apply(graph.apply(batch));
          const past = batches.slice(0, index + 1).flat();
          expect(content(dataplane)).toEqual(naiveImage(modelOf(past), poolsOf(past), 'here'));
        }
      }),
      { numRuns: 100 },
    );
  });

  test('does not care how the same changes are cut into batches', () => {
    fc.assert(
      fc.property(arbitraryBatches(), batches => {
        const after = (cut: readonly (readonly ModelChange[])[]): DataplaneImage => {
          const graph = createPolicyGraph('here');
          const dataplane = new StrictDataplane();
          for (const batch of cut) dataplane.apply(graph.apply(batch));
          return content(dataplane);
        };
        const changes = batches.flat();
        expect(after([changes])).toEqual(after(changes.map(change => [change])));
      }),
      { numRuns: 100 },
    );
  });

  test('says nothing when told again what it knows', () => {
    fc.assert(
      fc.property(arbitraryBatches(), batches => {
        const graph = createPolicyGraph('here');
        const changes = batches.flat();
        graph.apply(changes);
        expect(graph.apply(structuredClone(changes))).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});
