import { contains, formatCidr, parseCidr } from '../net/index.js';
import type { Cidr, IpVersion } from '../net/index.js';
import type { Commit, Condition, Write } from '../datastore/index.js';
import type { AssignRequest } from './allocator.js';
import { newBlock, ownerOf, takeNext } from './block.js';
import type { Block } from './block.js';
import { inWalkOrder, nextFreeBlock } from './choose.js';
import { formatAffinity, formatBlock, formatHandle, poolCovering } from './codec.js';
import type { HandleCounts } from './codec.js';
import { affinityKey, blockKey, handleKey, ipamConfigKey } from './keys.js';
import type { Seen, SeenPool, View } from './view.js';

/** Blocks as they will be, not yet committed. */
export interface Plan {
  readonly addresses: readonly string[];
  readonly changes: readonly BlockChange[];
}

export interface BlockChange {
  readonly block: Block;
  /** how many addresses were taken from it */
  readonly taken: number;
  /** the pool that allows it, and must not have changed when it is committed */
  readonly pool: SeenPool;
}

export type PlanResult =
  | { readonly kind: 'planned'; readonly plan: Plan }
  /** not enough addresses in sight */
  | {
      readonly kind: 'short';
      readonly version: IpVersion;
      readonly got: number;
      readonly pools: readonly string[];
    }
  | { readonly kind: 'no-pool'; readonly message: string };

/**
 * Decides which addresses a request gets: from the node's own blocks, then from blocks newly claimed, then
 * borrowed from blocks of others; the latter two need a complete view. All of the request or nothing.
 */
export function planAssignment(view: View, request: AssignRequest, now: number): PlanResult {
  const holder = { handle: request.handle, attributes: request.attributes ?? {} };
  const addresses: string[] = [];
  const changes: BlockChange[] = [];
  for (const version of [4, 6] as const) {
    let missing = request.count[version];
    if (missing === 0) continue;
    const pools = eligiblePools(view, version, request.pools);
    if (typeof pools === 'string') return { kind: 'no-pool', message: pools };
    for (const { block, pool } of candidates(view, pools, now)) {
      const next = takeNext(block, missing, holder);
      if (next.addresses.length === 0) continue;
      addresses.push(...next.addresses);
      changes.push({ block: next.block, taken: next.addresses.length, pool });
      missing -= next.addresses.length;
      if (missing === 0) break;
    }
    if (missing > 0) {
      const got = request.count[version] - missing;
      return { kind: 'short', version, got, pools: pools.map(pool => formatCidr(pool.cidr)) };
    }
  }
  return { kind: 'planned', plan: { addresses, changes } };
}

/** The pools that may serve a request, or why there is none. */
function eligiblePools(
  view: View,
  version: IpVersion,
  requested: readonly Cidr[] | undefined,
): readonly SeenPool[] | string {
  const enabled = view.pools.filter(pool => pool.enabled && pool.cidr.version === version);
  if (requested === undefined) {
    return enabled.length > 0 ? enabled : `No configured Calico pools for IPv${String(version)}`;
  }
  const chosen: SeenPool[] = [];
  for (const wanted of requested.filter(cidr => cidr.version === version)) {
    const name = formatCidr(wanted);
    const pool = view.pools.find(({ cidr }) => formatCidr(cidr) === name);
    if (pool === undefined) return `The given pool (${name}) does not exist`;
    if (!pool.enabled) return `The given pool (${name}) is disabled`;
    chosen.push(pool);
  }
  return chosen.length > 0 ? chosen : `None of the given pools is of IPv${String(version)}`;
}

interface Candidate {
  readonly block: Block;
  readonly pool: SeenPool;
}

/** Blocks to take from, best first. Lazy: each new block it yields is one that the node will claim. */
function* candidates(view: View, pools: readonly SeenPool[], now: number): Generator<Candidate> {
  const known = [...view.blocks.values()].flatMap(({ value: block }) => {
    const pool = poolCovering(pools, block.cidr);
    return pool === undefined ? [] : [{ block, pool }];
  });
  yield* known.filter(({ block }) => ownerOf(block) === view.node);
  if (!view.complete) return;
  const { autoAllocateBlocks, strictAffinity } = view.config.value;
  if (autoAllocateBlocks) yield* claimable(view, pools, now);
  if (strictAffinity) return;
  const others = known.filter(({ block }) => ownerOf(block) !== view.node);
  const order = inWalkOrder(
    others.map(({ block }) => block.cidr),
    pools.map(({ cidr }) => cidr),
    view.node,
  );
  for (const cidr of order) yield* others.filter(({ block }) => block.cidr === cidr);
}

/** New blocks; first those that the node has a claim on without a block, as a crash of another writer leaves. */
function* claimable(view: View, pools: readonly SeenPool[], now: number): Generator<Candidate> {
  const taken = new Set(view.recorded);
  const halfClaimed = [...view.affinities.keys()].filter(name => !taken.has(name)).map(parseCidr);
  const ranges = pools.map(({ cidr }) => cidr);
  for (;;) {
    const cidr = halfClaimed.shift() ?? nextFreeBlock(ranges, view.node, taken);
    if (cidr === undefined) return;
    taken.add(formatCidr(cidr));
    const pool = pools.find(range => contains(range.cidr, cidr));
    if (pool !== undefined) yield { block: newBlock(cidr, view.node, now), pool };
  }
}

/** The commit that carries a plan out, valid only if nothing it was decided by has changed. */
export function commitOf(options: {
  readonly view: View;
  readonly plan: Plan;
  readonly handle: string;
  /** the handle as it was seen; modRevision 0 when it does not exist */
  readonly counts: Seen<HandleCounts>;
}): Commit {
  const { view, plan, handle, counts } = options;
  const after: Record<string, number> = { ...counts.value };
  const conditions = new Map<string, Condition>();
  const require = (key: string, modRevision: number): void => {
    conditions.set(key, { key, modRevision });
  };
  const writes: Write[] = [];
  if (view.complete) require(ipamConfigKey, view.config.modRevision);
  for (const { block, taken, pool } of plan.changes) {
    const name = formatCidr(block.cidr);
    require(pool.key, pool.modRevision);
    require(blockKey(block.cidr), view.blocks.get(name)?.modRevision ?? 0);
    writes.push({ kind: 'put', key: blockKey(block.cidr), value: formatBlock(block) });
    after[name] = (after[name] ?? 0) + taken;
    const claim = view.affinities.get(name);
    if (ownerOf(block) !== view.node || claim?.value === 'confirmed') continue;
    const key = affinityKey(view.node, block.cidr);
    require(key, claim?.modRevision ?? 0);
    writes.push({ kind: 'put', key, value: formatAffinity('confirmed') });
  }
  require(handleKey(handle), counts.modRevision);
  writes.push({ kind: 'put', key: handleKey(handle), value: formatHandle(after) });
  return { conditions: [...conditions.values()], writes };
}

/** The view as it is once the plan was committed at `revision`: the next assignment needs no reading. */
export function viewAfter(view: View, plan: Plan, revision: number): View {
  const blocks = new Map(view.blocks);
  const affinities = new Map(view.affinities);
  const recorded = new Set(view.recorded);
  for (const { block } of plan.changes) {
    const name = formatCidr(block.cidr);
    blocks.set(name, { value: block, modRevision: revision });
    recorded.add(name);
    if (ownerOf(block) === view.node && affinities.get(name)?.value !== 'confirmed') {
      affinities.set(name, { value: 'confirmed', modRevision: revision });
    }
  }
  return { ...view, blocks, affinities, recorded };
}
