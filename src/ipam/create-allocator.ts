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
import type { AssignRequest, Allocator } from './allocator.js';
import { Turns } from './turns.js';

/** Requests that share a commit: with a block or two for each it stays below what etcd takes. */
const mostTogether = 24;
/** A request for more than this shares nothing, as it may change many blocks. */
const largeRequest = 64;

/**
 * An allocator over a store. Its changes go one after the other, so that only other processes can be in the
 * way; those that wait at the same time share a commit, and from a block that the node owns it needs no read.
 */
export function createAllocator(options: {
  readonly store: Store;
  readonly clock: Clock;
  readonly log?: Logger;
}): Allocator {
  const { store, clock, log = silentLogger } = options;
  const assigner = new Assigner({ store, clock, log });
  const releasing = { store, clock, log, changed: assigner.learn.bind(assigner) };
  const turns = new Turns();
  const assign = turns.together({
    group: ({ node, count }: AssignRequest) => (count[4] + count[6] > largeRequest ? undefined : node),
    most: mostTogether,
    serve: async requests => assigner.assign(requests),
  });
  const release = turns.together({
    group: () => '',
    most: mostTogether,
    serve: async (handles: readonly string[]) => releaseByHandle(releasing, handles),
  });
  return {
    assign: async request =>
      request.count[4] + request.count[6] === 0 ? { addresses: [] } : await assign(request),
    expectFree: async request => turns.alone(async () => assigner.expectFree(request)),
    assignmentsOn: async node => assignmentsOn(store, node),
    assignAddress: async request => turns.alone(async () => assigner.assignAddress(request)),
    releaseByHandle: release,
    releaseAddress: async (address, expected) =>
      turns.alone(async () => releaseAddress(releasing, address, expected)),
    releaseBlock: async (node, cidr) => turns.alone(async () => releaseBlock(releasing, node, cidr)),
    releaseAffinities: async node => turns.alone(async () => releaseAffinities(releasing, node)),
    lookup: async address => lookup(store, address),
    addressesOf: async handle => addressesOf(store, handle),
  };
}
