import { CalicoError, isCalicoError } from '../../base/index.js';
import type { Clock } from '../../base/index.js';
import type { Store } from '../../datastore/index.js';
import { createAllocator, releaseRange } from '../../ipam/index.js';
import { formatIp, parseCidr } from '../../net/index.js';
import type { Cidr } from '../../net/index.js';
import type { Resource } from '../../resources/index.js';
import type { Datastore } from '../command.js';

/** An address that an endpoint of a node to be deleted uses, and who held it before the delete. */
interface HeldAddress {
  readonly address: string;
  readonly handle: string | undefined;
  readonly sequence: number | undefined;
}

async function addressesOfNode(
  { client, store }: Datastore,
  node: string,
  clock: Clock,
): Promise<readonly HeldAddress[]> {
  const allocator = createAllocator({ store, clock });
  const endpoints = await client.list('workloadEndpoint', { node });
  const networks = endpoints.flatMap(({ spec }) => spec.ipNetworks ?? []);
  const found: HeldAddress[] = [];
  for (const network of networks) {
    const cidr = parseCidr(network);
    const held = cidr === undefined ? undefined : await allocator.lookup(formatIp(cidr));
    // An address that a workload of another node holds by now is not this endpoint's any more.
    if (held === undefined || (held.attributes['node'] ?? node) !== node) continue;
    found.push({ address: held.address, handle: held.handle, sequence: held.sequence });
  }
  return found;
}

/**
 * Deletes resources and gives back the addresses that nodes and pools among them have (`calicoctl.md` 3.3).
 *
 * The resources go first, in one commit, then the addresses. So a delete that is refused has changed nothing,
 * and no address is free while an endpoint still uses it. Nothing new is taken in between: an assignment holds
 * on to its pool as it was, so a pool that is gone refuses it. What a crash leaves after the first commit is
 * addresses and blocks of nobody, which a repetition with `--skip-not-exists`, or `ipam check --repair`,
 * gives back. An address is released only from the holder that it had before.
 */
export async function deleteReleasing(
  datastore: Datastore,
  {
    resources,
    clock,
    write,
  }: {
    readonly resources: readonly Pick<Resource, 'kind' | 'metadata'>[];
    readonly clock: Clock;
    /** deletes all of them, or fails */
    readonly write: () => Promise<void>;
  },
): Promise<void> {
  const nodes = resources.flatMap(({ kind, metadata }) =>
    kind === 'node' && 'name' in metadata ? [metadata.name] : [],
  );
  const pools = resources.flatMap(({ metadata }) =>
    'cidr' in metadata ? (parseCidr(metadata.cidr) ?? []) : [],
  );
  const held: HeldAddress[] = [];
  for (const node of nodes) held.push(...(await addressesOfNode(datastore, node, clock)));
  await write();
  try {
    await giveBack({ held, nodes, pools }, { store: datastore.store, clock });
  } catch (error) {
    if (!isCalicoError(error)) throw error;
    throw new CalicoError(
      error.code,
      `deleted, but not all addresses were given back (run 'calicoctl ipam check --repair'): ${error.message}`,
      { cause: error },
    );
  }
}

async function giveBack(
  what: {
    readonly held: readonly HeldAddress[];
    readonly nodes: readonly string[];
    readonly pools: readonly Cidr[];
  },
  parts: { readonly store: Store; readonly clock: Clock },
): Promise<void> {
  const allocator = createAllocator(parts);
  for (const { address, ...holder } of what.held) {
    try {
      await allocator.releaseAddress(address, holder);
    } catch (error) {
      // Somebody else holds it by now: that is how it should be.
      if (!isCalicoError(error, 'conflict')) throw error;
    }
  }
  for (const node of what.nodes) await allocator.releaseAffinities(node);
  for (const pool of what.pools) await releaseRange(parts, pool);
}
