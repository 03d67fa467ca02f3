import { formatCidr, parseCidr } from '../net/index.js';
import type { Cidr } from '../net/index.js';
import type { Entry, Store } from '../datastore/index.js';
import { ownerOf } from './block.js';
import type { Block } from './block.js';
import { parseAffinity, parseBlock, parseConfig, parsePool, parseReservations } from './codec.js';
import type { AffinityState, IpamConfig, PoolRecord } from './codec.js';
import {
  affinityKey,
  affinityOfKey,
  affinityPrefix,
  blockKey,
  blockOfKey,
  blockPrefix,
  ipamConfigKey,
  poolPrefix,
  reservationsKey,
} from './keys.js';

/** What was read, with the revision that a commit based on it must find unchanged. */
export interface Seen<T> {
  readonly value: T;
  readonly modRevision: number;
}

export interface SeenPool extends PoolRecord {
  readonly key: string;
  readonly modRevision: number;
}

/** What one node knows of pools and blocks: enough to decide an assignment. */
export interface View {
  readonly node: string;
  readonly pools: readonly SeenPool[];
  readonly config: Seen<IpamConfig>;
  /** not to be given out unless asked for by address */
  readonly reserved: Seen<readonly Cidr[]>;
  /** by canonical CIDR */
  readonly blocks: ReadonlyMap<string, Seen<Block>>;
  /** what claims exist for the node, by canonical CIDR of the block */
  readonly affinities: ReadonlyMap<string, Seen<AffinityState>>;
  /** CIDRs of block records in that scope; more than `blocks` where the content of one is not known */
  readonly recorded: ReadonlySet<string>;
  /**
   * What is known of blocks. `own`: those that the node owns; `free`: also where there are others;
   * `all`: the content of all of them.
   */
  readonly scope: 'own' | 'free' | 'all';
}

/**
 * Reads the pools, the switches, the blocks that the node has a claim on, and which others there are: enough to
 * find a free one, without the content of all others.
 */
export async function readFreeView(store: Store, node: string): Promise<View> {
  const [read, keys] = await Promise.all([
    readCommon(store, node),
    store.list(blockPrefix, { keysOnly: true }),
  ]);
  const recorded = keys.entries.flatMap(({ key }) => blockOfKey(key) ?? []).map(formatCidr);
  const blocks = await readClaimed(store, read);
  return { ...common(read), blocks, recorded: new Set(recorded), scope: 'free' };
}

/** Reads all blocks there are, as borrowing needs. */
export async function readWholeView(store: Store, node: string): Promise<View> {
  const [read, blocks] = await Promise.all([readCommon(store, node), store.list(blockPrefix)]);
  return { ...common(read), ...blocksOf(blocks.entries), scope: 'all' };
}

interface CommonRead {
  readonly node: string;
  readonly pools: readonly Entry[];
  readonly config: Entry | undefined;
  readonly reserved: Entry | undefined;
  /** of the node */
  readonly claims: readonly Entry[];
}

async function readCommon(store: Store, node: string): Promise<CommonRead> {
  const [pools, config, reserved, claims] = await Promise.all([
    store.list(poolPrefix),
    store.get(ipamConfigKey),
    store.get(reservationsKey),
    store.list(affinityPrefix(node)),
  ]);
  return { node, pools: pools.entries, config, reserved, claims: claims.entries };
}

/** The blocks that the node has a claim on. */
async function readClaimed(store: Store, { claims }: CommonRead): Promise<View['blocks']> {
  const keys = claims.flatMap(({ key }) => {
    const claim = affinityOfKey(key);
    return claim === undefined ? [] : [blockKey(claim.cidr)];
  });
  const entries = await Promise.all(keys.map(async key => store.get(key)));
  return blocksOf(entries.filter(entry => entry !== undefined)).blocks;
}

/** The node's own part of a view: what is worth keeping for its next assignment. */
export function ownPart(view: View): View {
  const blocks = [...view.blocks].filter(([, { value }]) => ownerOf(value) === view.node);
  return {
    ...view,
    blocks: new Map(blocks),
    recorded: new Set(blocks.map(([cidr]) => cidr)),
    scope: 'own',
  };
}

/** Claims whose block belongs to somebody else: left over by a lost race, never to be advertised. */
export function staleClaims(view: View): readonly { readonly key: string; readonly modRevision: number }[] {
  return [...view.affinities].flatMap(([cidr, { modRevision }]) => {
    const block = view.blocks.get(cidr)?.value;
    return block === undefined || ownerOf(block) === view.node
      ? []
      : [{ key: affinityKey(view.node, block.cidr), modRevision }];
  });
}

function common({
  node,
  pools,
  config,
  reserved,
  claims,
}: CommonRead): Omit<View, 'blocks' | 'recorded' | 'scope'> {
  const ranges = parseReservations(reserved?.value).flatMap(({ cidrs }) =>
    cidrs.flatMap(c => parseCidr(c) ?? []),
  );
  return {
    node,
    pools: poolsOf(pools),
    config: { value: parseConfig(config?.value), modRevision: config?.modRevision ?? 0 },
    reserved: { value: ranges, modRevision: reserved?.modRevision ?? 0 },
    affinities: affinitiesOf(claims),
  };
}

/** The pools among entries, with what a commit needs to hold on to them. */
export function poolsOf(entries: readonly Entry[]): readonly SeenPool[] {
  return entries.flatMap(({ key, value, modRevision }) => {
    const pool = parsePool(value);
    return pool === undefined ? [] : [{ ...pool, key, modRevision }];
  });
}

function affinitiesOf(entries: readonly Entry[]): View['affinities'] {
  const claims = new Map<string, Seen<AffinityState>>();
  for (const { key, value, modRevision } of entries) {
    const claim = affinityOfKey(key);
    if (claim !== undefined) claims.set(formatCidr(claim.cidr), { value: parseAffinity(value), modRevision });
  }
  return claims;
}

/** The blocks among entries by canonical CIDR, and the CIDRs of all records, readable or not. */
export function blocksOf(entries: readonly Entry[]): Pick<View, 'blocks' | 'recorded'> {
  const blocks = new Map<string, Seen<Block>>();
  const recorded = new Set<string>();
  for (const { key, value, modRevision } of entries) {
    const cidr = blockOfKey(key);
    if (cidr === undefined) continue;
    const name = formatCidr(cidr);
    recorded.add(name);
    const block = parseBlock(value);
    // A record that names another block than its key is as good as unreadable.
    if (block !== undefined && formatCidr(block.cidr) === name)
      blocks.set(name, { value: block, modRevision });
  }
  return { blocks, recorded };
}
