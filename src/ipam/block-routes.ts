import { formatCidr } from '../net/index.js';
import type { IpVersion } from '../net/index.js';
import type { Entry, Store, WatchEvent } from '../datastore/index.js';
import { heldAddresses, ownerOf } from './block.js';
import { nodeOf, parseAffinity, parseBlock } from './codec.js';
import type { AffinityState } from './codec.js';
import { affinityOfKey, blockOfKey, ipamPrefix } from './keys.js';

/** A block as routing sees it: what a node originates, and which of its addresses live elsewhere. */
export interface BlockRoutes {
  /** canonical */
  readonly cidr: string;
  readonly version: IpVersion;
  /** the owner; undefined for a block that lost it */
  readonly node: string | undefined;
  /** false while the claim is not completed: then it is neither advertised nor blackholed */
  readonly confirmed: boolean;
  /** addresses in use on another node than the owner: they need routes of their own */
  readonly borrowed: readonly { readonly address: string; readonly node: string }[];
}

export type BlockChange =
  | { readonly kind: 'updated'; readonly block: BlockRoutes }
  | { readonly kind: 'removed'; readonly cidr: string };

export interface BlockEvent {
  /** true exactly once: this batch holds all blocks there are */
  readonly inSync: boolean;
  /** each block at most once; only what matters to routing counts as a change */
  readonly changes: readonly BlockChange[];
}

/**
 * All blocks, then every change of what routing needs of them. After a gap in the store's own watch the
 * blocks are compared with what was told before: no event is repeated and none is missing.
 */
export async function* watchBlocks(
  store: Store,
  options: { readonly signal: AbortSignal },
): AsyncGenerator<BlockEvent> {
  const known = new BlockTable();
  let inSync = false;
  for await (const event of store.watch(ipamPrefix, options)) {
    known.apply(event);
    const changes = known.changes();
    if (inSync && changes.length === 0) continue;
    yield { inSync: !inSync, changes };
    inSync = true;
  }
}

/** Blocks and claims as stored, and what was last told of them. */
class BlockTable {
  readonly #blocks = new Map<string, Omit<BlockRoutes, 'confirmed'>>();
  /** by `<node> <cidr>`: a node name has no space */
  readonly #claims = new Map<string, AffinityState>();
  readonly #told = new Map<string, string>();
  readonly #touched = new Set<string>();

  apply(event: WatchEvent): void {
    if (event.kind === 'listing') {
      for (const cidr of this.#told.keys()) this.#touched.add(cidr);
      this.#blocks.clear();
      this.#claims.clear();
      for (const entry of event.listing.entries) this.#put(entry);
      return;
    }
    for (const change of event.changes) {
      if (change.kind === 'put') this.#put(change.entry);
      else this.#remove(change.key);
    }
  }

  /** What is different from what this function said before. */
  changes(): readonly BlockChange[] {
    const changes: BlockChange[] = [];
    for (const cidr of this.#touched) {
      const block = this.#routesOf(cidr);
      const text = block === undefined ? undefined : JSON.stringify(block);
      if (text === this.#told.get(cidr)) continue;
      if (block === undefined || text === undefined) {
        this.#told.delete(cidr);
        changes.push({ kind: 'removed', cidr });
      } else {
        this.#told.set(cidr, text);
        changes.push({ kind: 'updated', block });
      }
    }
    this.#touched.clear();
    return changes;
  }

  #routesOf(cidr: string): BlockRoutes | undefined {
    const block = this.#blocks.get(cidr);
    if (block === undefined) return undefined;
    const confirmed = block.node !== undefined && this.#claims.get(`${block.node} ${cidr}`) === 'confirmed';
    return { ...block, confirmed };
  }

  #put({ key, value }: Entry): void {
    const claim = affinityOfKey(key);
    if (claim !== undefined) {
      const cidr = formatCidr(claim.cidr);
      this.#claims.set(`${claim.node} ${cidr}`, parseAffinity(value));
      this.#touched.add(cidr);
      return;
    }
    const cidr = blockOfKey(key);
    if (cidr === undefined) return;
    const name = formatCidr(cidr);
    this.#touched.add(name);
    const block = parseBlock(value);
    // Values that cannot be read count as absent (resources.md 9.5).
    if (block === undefined || formatCidr(block.cidr) !== name) {
      this.#blocks.delete(name);
      return;
    }
    const node = ownerOf(block);
    const borrowed = heldAddresses(block).flatMap(({ address, holder }) => {
      const home = nodeOf(holder.attributes);
      return home === undefined || home === node ? [] : [{ address, node: home }];
    });
    this.#blocks.set(name, { cidr: name, version: cidr.version, node, borrowed });
  }

  #remove(key: string): void {
    const claim = affinityOfKey(key);
    const cidr = claim?.cidr ?? blockOfKey(key);
    if (cidr === undefined) return;
    const name = formatCidr(cidr);
    if (claim === undefined) this.#blocks.delete(name);
    else this.#claims.delete(`${claim.node} ${name}`);
    this.#touched.add(name);
  }
}
