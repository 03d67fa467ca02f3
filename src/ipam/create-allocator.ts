import { silentLogger } from '../base/index.js';
import type { Clock, Logger } from '../base/index.js';
import type { Store } from '../datastore/index.js';
import { Assigner } from './assign.js';
import {
  addressesOf,
  assignmentsOn,
  lookup,
  releaseAddress,
  releaseAffinities,
  releaseBlock,
  releaseByHandle,
} from './release.js';
import type { Allocator } from './allocator.js';

/**
 * An allocator over a store. Its changes go one after the other, so that only other processes can be in the
 * way; each is one commit, from a block that the node owns without a read before it.
 */
export function createAllocator(options: {
  readonly store: Store;
  readonly clock: Clock;
  readonly log?: Logger;
}): Allocator {
  const { store, clock, log = silentLogger } = options;
  const assigner = new Assigner({ store, clock, log });
  const releasing = { store, clock, log, changed: assigner.learn.bind(assigner) };
  const inTurn = serial();
  return {
    assign: async request => inTurn(async () => assigner.assign(request)),
    expectFree: async request => inTurn(async () => assigner.expectFree(request)),
    assignmentsOn: async node => assignmentsOn(store, node),
    assignAddress: async request => inTurn(async () => assigner.assignAddress(request)),
    releaseByHandle: async handle => inTurn(async () => releaseByHandle(releasing, handle)),
    releaseAddress: async (address, expected) =>
      inTurn(async () => releaseAddress(releasing, address, expected)),
    releaseBlock: async (node, cidr) => inTurn(async () => releaseBlock(releasing, node, cidr)),
    releaseAffinities: async node => inTurn(async () => releaseAffinities(releasing, node)),
    lookup: async address => lookup(store, address),
    addressesOf: async handle => addressesOf(store, handle),
  };
}

/** Runs jobs one after the other; a failed one does not stop the next. */
function serial(): <T>(job: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return async job => {
    const run = last.then(job, job);
    last = run;
    return await run;
  };
}
