import { contains, formatCidr, parseCidr, parseIp } from '../net/index.js';
import type { Cidr, IpVersion } from '../net/index.js';
import type { Commit, Condition, Write } from '../datastore/index.js';
import type { AssignRequest } from './allocator.js';
import { claimedBy, isEmpty, newBlock, ownerOf, takeNext } from './block.js';
import type { Block } from './block.js';
import { TakenRanges, inWalkOrder, nextFreeBlock } from './choose.js';
import { formatAffinity, formatBlock, formatHandle, poolCovering } from './codec.js';
import type { HandleCounts } from './codec.js';
import { affinityKey, blockKey, handleKey, ipamConfigKey, reservationsKey } from './keys.js';
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
  /** the node that loses the block */
  readonly lostBy?: string | undefined;
}

export type PlanResult =
  | { readonly kind: 'planned'; readonly plan: Plan }
  /** not enough addresses in sight */
  | {
      readonly kind: 'short';
      readonly version: IpVersion;
      readonly got: number;
      readonly pools: readonly string[];
      /** why no further block could be claimed, where it is not that there is none */
      readonly reason: string | undefined;
    }
  | { readonly kind: 'no-pool'; readonly message: string };

/**
 * Decides which addresses a request gets: from the node's own blocks, then from blocks newly claimed, then from
 * empty blocks of others, then borrowed from blocks of others; a view of own blocks serves the first only, one of free ranges the second too. All of
 * the request or nothing.
 */
export function planAssignment(view: View, request: AssignRequest, now: number): PlanResult {
  const holder = { handle: request.handle, attributes: request.attributes ?? {} };
  const avoid = avoidance(view, request);
  const addresses: string[] = [];
  const changes: BlockChange[] = [];
  for (const version of [4, 6] as const) {
    let missing = request.count[version];
    if (missing === 0) continue;
    const pools = eligiblePools(view, version, request.pools);
    if (typeof pools === 'string') return { kind: 'no-pool', message: pools };
    for (const candidate of candidates(view, pools, now)) {
      const next = takeNext(candidate.block, { count: missing, holder, avoid });
      if (next.addresses.length === 0) continue;
      addresses.push(...next.addresses);
      changes.push({ ...candidate, block: next.block, taken: next.addresses.length });
      missing -= next.addresses.length;
      if (missing === 0) break;
    }
    if (missing > 0) {
      const got = request.count[version] - missing;
      const reason = hasAllItMay(view, version)
        ? 'cannot allocate new block due to per host block limit'
        : undefined;
      return { kind: 'short', version, got, pools: pools.map(pool => formatCidr(pool.cidr)), reason };
    }
  }
  return { kind: 'planned', plan: { addresses, changes } };
}

/** Which free addresses are passed over: reserved ones, and those the caller knows to be in use. */
function avoidance({ reserved }: View, { avoid }: AssignRequest): (address: string) => boolean {
  const ranges = reserved.value;
  if (ranges.length === 0) return avoid ?? (() => false);
  return address => {
    const ip = parseIp(address);
    return (ip !== undefined && ranges.some(range => contains(range, ip))) || avoid?.(address) === true;
  };
}

/** Whether the node owns as many blocks of a version as it may. */
function hasAllItMay(view: View, version: IpVersion): boolean {
  const most = view.config.value.maxBlocksPerHost;
  if (most === undefined) return false;
  const own = [...view.blocks.values()].filter(
    ({ value }) => value.cidr.version === version && ownerOf(value) === view.node,
  );
  return own.length >= most;
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

type Candidate = Omit<BlockChange, 'taken'>;

/** How long a block must have been its owner's before another may take it while it is empty. */
const reclaimAfterMs = 60_000;

/** Blocks to take from, best first. Lazy: each new block it yields is one that the node will claim. */
function* candidates(view: View, pools: readonly SeenPool[], now: number): Generator<Candidate> {
  const known = [...view.blocks.values()].flatMap(({ value: block }) => {
    const pool = poolCovering(pools, block.cidr);
    return pool === undefined ? [] : [{ block, pool }];
  });
  yield* known.filter(({ block }) => ownerOf(block) === view.node);
  const [version] = pools.map(({ cidr }) => cidr.version);
  // Who has all the blocks it may does not get round the limit by borrowing.
  if (view.scope === 'own' || version === undefined || hasAllItMay(view, version)) return;
  const { autoAllocateBlocks, strictAffinity } = view.config.value;
  if (autoAllocateBlocks) yield* claimable(view, pools, now);
  if (view.scope === 'free') return;
  const foreign = new Map(
    known.filter(({ block }) => ownerOf(block) !== view.node).map(each => [each.block.cidr, each]),
  );
  const order = inWalkOrder([...foreign.keys()], pools, view.node);
  const others = order.flatMap(cidr => foreign.get(cidr) ?? []);
  if (autoAllocateBlocks) yield* reclaimable(view, others, now);
  if (!strictAffinity) yield* others;
}

/** New blocks; first those that the node has a claim on without a block, as a crash of another writer leaves. */
function* claimable(view: View, pools: readonly SeenPool[], now: number): Generator<Candidate> {
  const recorded = [...view.recorded].flatMap(name => parseCidr(name) ?? []);
  const taken = new TakenRanges(recorded, view.reserved.value);
  const halfClaimed = [...view.affinities.keys()]
    .flatMap(name => parseCidr(name) ?? [])
    .filter(cidr => taken.inTheWayOf(cidr) === undefined);
  for (;;) {
    const cidr = halfClaimed.shift() ?? nextFreeBlock(pools, view.node, taken);
    if (cidr === undefined) return;
    taken.add(cidr);
    const pool = pools.find(range => contains(range.cidr, cidr));
    if (pool !== undefined) yield { block: newBlock(cidr, view.node, now), pool };
  }
}

/** Blocks that others do not use: without an owner, or empty and not claimed just now. */
function* reclaimable(view: View, others: readonly Candidate[], now: number): Generator<Candidate> {
  for (const { block, pool } of others) {
    const lostBy = ownerOf(block);
    const isIdle = isEmpty(block) && now - (block.claimedAt ?? 0) > reclaimAfterMs;
    if (lostBy === undefined || isIdle) yield { block: claimedBy(block, view.node, now), pool, lostBy };
  }
}

/** A plan with the handle that it is for. */
export interface PlannedRequest {
  readonly handle: string;
  readonly plan: Plan;
}

/**
 * The commit that carries out plans of which each was made on the view as the one before left it; valid only if
 * nothing they were decided by has changed since `view` was read.
 */
export function commitOf(options: {
  readonly view: View;
  readonly planned: readonly PlannedRequest[];
  /** the handles that exist, as they were seen */
  readonly counts: ReadonlyMap<string, Seen<HandleCounts>>;
}): Commit {
  const { view, planned, counts } = options;
  const conditions = new Map<string, Condition>();
  const require = (key: string, modRevision: number): void => {
    conditions.set(key, { key, modRevision });
  };
  const writes: Write[] = [];
  require(reservationsKey, view.reserved.modRevision);
  if (view.scope !== 'own') require(ipamConfigKey, view.config.modRevision);
  for (const [name, { block, pool, lostBy }] of lastChanges(planned)) {
    require(pool.key, pool.modRevision);
    require(blockKey(block.cidr), view.blocks.get(name)?.modRevision ?? 0);
    writes.push({ kind: 'put', key: blockKey(block.cidr), value: formatBlock(block) });
    if (lostBy !== undefined) writes.push({ kind: 'delete', key: affinityKey(lostBy, block.cidr) });
    const claim = view.affinities.get(name);
    if (ownerOf(block) !== view.node || claim?.value === 'confirmed') continue;
    const key = affinityKey(view.node, block.cidr);
    require(key, claim?.modRevision ?? 0);
    writes.push({ kind: 'put', key, value: formatAffinity('confirmed') });
  }
  for (const [handle, after] of countsAfter(planned, counts)) {
    require(handleKey(handle), counts.get(handle)?.modRevision ?? 0);
    writes.push({ kind: 'put', key: handleKey(handle), value: formatHandle(after) });
  }
  return { conditions: [...conditions.values()], writes };
}

/** Each block as the last plan leaves it, by canonical CIDR, and who lost it to the first. */
function lastChanges(planned: readonly PlannedRequest[]): ReadonlyMap<string, BlockChange> {
  const last = new Map<string, BlockChange>();
  for (const change of planned.flatMap(({ plan }) => plan.changes)) {
    const name = formatCidr(change.block.cidr);
    last.set(name, { ...change, lostBy: change.lostBy ?? last.get(name)?.lostBy });
  }
  return last;
}

function countsAfter(
  planned: readonly PlannedRequest[],
  counts: ReadonlyMap<string, Seen<HandleCounts>>,
): ReadonlyMap<string, HandleCounts> {
  const after = new Map<string, Record<string, number>>();
  for (const { handle, plan } of planned) {
    const of = after.get(handle) ?? { ...counts.get(handle)?.value };
    for (const { block, taken } of plan.changes) {
      const name = formatCidr(block.cidr);
      of[name] = (of[name] ?? 0) + taken;
    }
    after.set(handle, of);
  }
  return after;
}

/** The view as a plan leaves it before it is committed, for the next plan of the same commit. */
export function viewDuring(view: View, { changes }: Plan): View {
  const blocks = new Map(view.blocks);
  const recorded = new Set(view.recorded);
  for (const { block } of changes) {
    const name = formatCidr(block.cidr);
    blocks.set(name, { value: block, modRevision: blocks.get(name)?.modRevision ?? 0 });
    recorded.add(name);
  }
  return { ...view, blocks, recorded };
}

/** The view as it is once plans were committed at `revision`: the next assignment needs no reading. */
export function viewAfter(view: View, planned: readonly PlannedRequest[], revision: number): View {
  const blocks = new Map(view.blocks);
  const affinities = new Map(view.affinities);
  const recorded = new Set(view.recorded);
  for (const [name, { block }] of lastChanges(planned)) {
    blocks.set(name, { value: block, modRevision: revision });
    recorded.add(name);
    if (ownerOf(block) === view.node && affinities.get(name)?.value !== 'confirmed') {
      affinities.set(name, { value: 'confirmed', modRevision: revision });
    }
  }
  return { ...view, blocks, affinities, recorded };
}
