import type { Entry, Store } from '../datastore/index.js';
import { formatCidr } from '../net/index.js';
import type { Cidr } from '../net/index.js';
import type { Block } from './block.js';
import { parseAffinity, parseConfig, parseHandle, parseReservations } from './codec.js';
import type { AffinityState, HandleCounts, IpamConfig, Reservation } from './codec.js';
import {
  affinityOfKey,
  blockOfKey,
  blockPrefix,
  handlePrefix,
  ipamConfigKey,
  ipamPrefix,
  poolPrefix,
  reservationsKey,
} from './keys.js';
import { blocksOf, poolsOf } from './view.js';
import type { Seen, SeenPool } from './view.js';

/** A node's claim on a block. */
export interface Claim {
  readonly node: string;
  readonly cidr: Cidr;
  readonly state: AffinityState;
}

/** All that is stored about addresses, as of one revision. */
export interface IpamRecords {
  readonly revision: number;
  readonly pools: readonly SeenPool[];
  readonly config: IpamConfig;
  readonly reservations: readonly Reservation[];
  /** by canonical CIDR */
  readonly blocks: ReadonlyMap<string, Seen<Block>>;
  /** keys of block records that cannot be read */
  readonly unreadable: readonly string[];
  readonly claims: readonly Claim[];
  readonly handles: ReadonlyMap<string, HandleCounts>;
}

/** Reads everything at once, so that what is compared is of the same moment. */
export async function readRecords(store: Store): Promise<IpamRecords> {
  const { revision, entries } = await store.list([poolPrefix, ipamPrefix]);
  const below = (prefix: string): readonly Entry[] => entries.filter(({ key }) => key.startsWith(prefix));
  const blockEntries = below(blockPrefix);
  const { blocks } = blocksOf(blockEntries);
  const valueOf = (key: string): string | undefined => entries.find(entry => entry.key === key)?.value;
  return {
    revision,
    pools: poolsOf(below(poolPrefix)),
    config: parseConfig(valueOf(ipamConfigKey)),
    reservations: parseReservations(valueOf(reservationsKey)),
    blocks,
    unreadable: blockEntries.flatMap(({ key }) => {
      const cidr = blockOfKey(key);
      return cidr !== undefined && blocks.has(formatCidr(cidr)) ? [] : [key];
    }),
    claims: entries.flatMap(({ key, value }) => {
      const claim = affinityOfKey(key);
      return claim === undefined ? [] : [{ ...claim, state: parseAffinity(value) }];
    }),
    handles: new Map(
      below(handlePrefix).map(({ key, value }) => [key.slice(handlePrefix.length), parseHandle(value)]),
    ),
  };
}
