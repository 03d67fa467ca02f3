import { CalicoError } from '../base/index.js';
import type { Clock, Logger } from '../base/index.js';
import { contains, formatCidr, networkOf, parseCidr, parseIp } from '../net/index.js';
import type { Cidr, Ip } from '../net/index.js';
import type { Commit, Condition, Store, Write } from '../datastore/index.js';
import type { Assignment, ExpectedHolder } from './allocator.js';
import {
  addressOf,
  defaultBlockLength,
  heldAddresses,
  holderOf,
  isEmpty,
  ordinalOf,
  ownerOf,
  release,
  sequenceOf,
  withoutAffinity,
} from './block.js';
import type { Block, Freed } from './block.js';
import { formatBlock, formatHandle, nodeOf, parseBlock, parseHandle } from './codec.js';
import {
  affinitiesPrefix,
  affinityKey,
  affinityOfKey,
  affinityPrefix,
  blockKey,
  blockPrefix,
  handleKey,
  poolPrefix,
} from './keys.js';
import { untilCommitted } from './retry.js';
import type { Outcome } from './turns.js';
import { blocksOf, poolsOf } from './view.js';
import type { Seen } from './view.js';

export interface ReleaseParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  /** told of every block written, with its new revision */
  readonly changed: (block: Block, modRevision: number) => void;
}

/** Handles and blocks that one commit for several handles may change: fewer than etcd takes in one. */
const mostKeys = 100;

/** Frees everything that handles hold, and the handles, in one commit; the addresses of each. */
export async function releaseByHandle(
  parts: ReleaseParts,
  handles: readonly string[],
): Promise<readonly Outcome<readonly string[]>[]> {
  const { store, clock } = parts;
  try {
    const freed = await untilCommitted(clock, `release ${handles.join(', ')}`, async () => {
      const keys = [...new Set(handles)].map(handleKey);
      const found = (await Promise.all(keys.map(async key => store.get(key)))).filter(e => e !== undefined);
      if (found.length === 0) return new Map<string, readonly string[]>();
      const cidrs = new Map(
        found.flatMap(({ value }) => cidrsOf(parseHandle(value))).map(cidr => [formatCidr(cidr), cidr]),
      );
      if (handles.length > 1 && found.length + cidrs.size > mostKeys) return 'too many';
      const seen = await Promise.all([...cidrs.values()].map(async cidr => readBlock(store, cidr)));
      const all = seen.filter(block => block !== undefined).map(block => releaseAll(block, handles));
      const changed = all.filter(each => each.freed.length > 0);
      const commit = {
        conditions: [...found, ...changed].map(({ key, modRevision }) => ({ key, modRevision })),
        writes: [
          ...found.map(({ key }) => ({ kind: 'delete' as const, key })),
          ...changed.map(({ block }) => writeOf(block)),
        ],
      };
      const blocks = changed.map(({ block }) => block);
      if (!(await commitBlocks(parts, commit, blocks))) return undefined;
      return addressesByHandle(changed.flatMap(each => each.freed));
    });
    if (freed === 'too many') return await oneByOne(parts, handles);
    // Asked for twice, it is freed for the first.
    return handles.map((handle, i) => ({
      kind: 'done',
      value: handles.indexOf(handle) === i ? (freed.get(handle) ?? []) : [],
    }));
  } catch (error) {
    return handles.map(() => ({ kind: 'failed', error }));
  }
}

async function oneByOne(
  parts: ReleaseParts,
  handles: readonly string[],
): Promise<readonly Outcome<readonly string[]>[]> {
  const outcomes: Outcome<readonly string[]>[] = [];
  for (const handle of handles) outcomes.push(...(await releaseByHandle(parts, [handle])));
  return outcomes;
}

interface ReleasedBlock {
  readonly key: string;
  readonly modRevision: number;
  readonly block: Block;
  readonly freed: readonly Freed[];
}

function releaseAll({ value, modRevision }: Seen<Block>, handles: readonly string[]): ReleasedBlock {
  const mine = new Set<string | undefined>(handles);
  const released = release(value, (_, holder) => holder.handle !== undefined && mine.has(holder.handle));
  return { key: blockKey(value.cidr), modRevision, ...released };
}

function addressesByHandle(freed: readonly Freed[]): ReadonlyMap<string, readonly string[]> {
  const by = new Map<string, readonly string[]>();
  for (const { handle = '', address } of freed) by.set(handle, [...(by.get(handle) ?? []), address]);
  return by;
}

/**
 * Frees one address, and lowers the count of its handle, in one commit; false when nobody holds it, `conflict`
 * when another than expected does.
 */
export async function releaseAddress(
  parts: ReleaseParts,
  address: string,
  expected: ExpectedHolder = {},
): Promise<boolean> {
  const { store, clock } = parts;
  const ip = parsedIp(address);
  return await untilCommitted(clock, `release ${address}`, async () => {
    const seen = await readBlockOf(store, ip);
    if (seen === undefined) return false;
    const wanted = ordinalOf(seen.value, ip) ?? -1;
    expectHolder(seen.value, wanted, expected);
    const result = release(seen.value, ordinal => ordinal === wanted);
    const [freed] = result.freed;
    if (freed === undefined) return false;
    const { cidr } = seen.value;
    const lowered = freed.handle === undefined ? undefined : await lowerHandle(parts, freed.handle, cidr);
    const commit = {
      conditions: [{ key: blockKey(cidr), modRevision: seen.modRevision }, ...(lowered?.conditions ?? [])],
      writes: [writeOf(result.block), ...(lowered?.writes ?? [])],
    };
    return (await commitBlocks(parts, commit, [result.block])) ? true : undefined;
  });
}

function expectHolder(block: Block, ordinal: number, expected: ExpectedHolder): void {
  const holder = holderOf(block, ordinal);
  if (holder === undefined) return;
  const isOther =
    ('handle' in expected && holder.handle !== expected.handle) ||
    (expected.sequence !== undefined && sequenceOf(block, ordinal) !== expected.sequence);
  if (isOther) {
    throw new CalicoError('conflict', `${addressOf(block, ordinal)} has another holder by now: not released`);
  }
}

function parsedIp(address: string): Ip {
  const ip = parseIp(address);
  if (ip === undefined) throw new CalicoError('invalid', `${address} is not an IP address`);
  return ip;
}

async function lowerHandle(
  { store, log }: ReleaseParts,
  handle: string,
  cidr: Cidr,
): Promise<{ readonly conditions: readonly Condition[]; readonly writes: readonly Write[] } | undefined> {
  const key = handleKey(handle);
  const name = formatCidr(cidr);
  const entry = await store.get(key);
  const counts = entry === undefined ? {} : parseHandle(entry.value);
  const count = counts[name];
  if (entry === undefined || count === undefined) {
    log.warn('a handle does not know of an address that names it: nothing to lower', { handle, block: name });
    return undefined;
  }
  const others = Object.fromEntries(Object.entries(counts).filter(([block]) => block !== name));
  const after = count > 1 ? { ...others, [name]: count - 1 } : others;
  return {
    conditions: [{ key, modRevision: entry.modRevision }],
    writes: [
      Object.keys(after).length === 0
        ? { kind: 'delete', key }
        : { kind: 'put', key, value: formatHandle(after) },
    ],
  };
}

/** Who holds an address; undefined when nobody does. */
export async function lookup(store: Store, address: string): Promise<Assignment | undefined> {
  const ip = parsedIp(address);
  const block = (await readBlockOf(store, ip))?.value;
  const ordinal = block === undefined ? undefined : ordinalOf(block, ip);
  if (block === undefined || ordinal === undefined) return undefined;
  const holder = holderOf(block, ordinal);
  return (
    holder && {
      address: addressOf(block, ordinal),
      block: formatCidr(block.cidr),
      ...holder,
      sequence: sequenceOf(block, ordinal),
    }
  );
}

/** Everything that is held on a node, wherever its block is. */
export async function assignmentsOn(store: Store, node: string): Promise<readonly Assignment[]> {
  const { blocks } = blocksOf((await store.list(blockPrefix)).entries);
  return [...blocks].flatMap(([name, { value }]) =>
    heldAddresses(value)
      .filter(({ holder }) => (nodeOf(holder.attributes) ?? ownerOf(value)) === node)
      .map(({ address, holder, sequence }) => ({ address, block: name, ...holder, sequence })),
  );
}

/** Canonical addresses that a handle holds, version 4 first. */
export async function addressesOf(store: Store, handle: string): Promise<readonly string[]> {
  const entry = await store.get(handleKey(handle));
  if (entry === undefined) return [];
  const cidrs = [...cidrsOf(parseHandle(entry.value))].sort((a, b) => a.version - b.version);
  const blocks = await Promise.all(cidrs.map(async cidr => readBlock(store, cidr)));
  return blocks.flatMap(seen =>
    seen === undefined
      ? []
      : heldAddresses(seen.value)
          .filter(({ holder }) => holder.handle === handle)
          .map(({ address }) => address),
  );
}

/** Ends every claim of a node: its empty blocks disappear, the others stay without an owner. */
export async function releaseAffinities(parts: ReleaseParts, node: string): Promise<void> {
  const claims = await parts.store.list(affinityPrefix(node));
  for (const { key } of claims.entries) await endClaim(parts, key);
}

/**
 * Ends the claims of all nodes on blocks inside a range, which is to be no pool any more: a pool that is there
 * would be claimed again.
 */
export async function releaseRange(parts: Pick<ReleaseParts, 'store' | 'clock'>, range: Cidr): Promise<void> {
  const claims = await parts.store.list(affinitiesPrefix);
  for (const { key } of claims.entries) {
    const claim = affinityOfKey(key);
    if (claim === undefined || !contains(range, claim.cidr)) continue;
    await endClaim({ ...parts, changed: () => undefined }, key);
  }
}

/** Ends one claim, and the ownership of its block, in one commit. */
async function endClaim(parts: Omit<ReleaseParts, 'log'>, key: string): Promise<void> {
  const { store, clock } = parts;
  const claim = affinityOfKey(key);
  if (claim === undefined) return;
  const { node, cidr } = claim;
  await untilCommitted(clock, `release block ${formatCidr(cidr)}`, async () => {
    const [entry, seen] = await Promise.all([store.get(key), readBlock(store, cidr)]);
    if (entry === undefined) return true;
    const conditions: Condition[] = [{ key, modRevision: entry.modRevision }];
    const writes: Write[] = [{ kind: 'delete', key }];
    const blocks: Block[] = [];
    if (seen !== undefined && ownerOf(seen.value) === node) {
      const orphan = withoutAffinity(seen.value);
      conditions.push({ key: blockKey(cidr), modRevision: seen.modRevision });
      writes.push(writeOf(orphan));
      blocks.push(orphan);
    }
    return (await commitBlocks(parts, { conditions, writes }, blocks)) ? true : undefined;
  });
}

/** Ends the claim of a node on one block that is empty; false when it is not its own, or in use. */
export async function releaseBlock(parts: ReleaseParts, node: string, name: string): Promise<boolean> {
  const { store, clock } = parts;
  const cidr = parseCidr(name);
  if (cidr === undefined) throw new CalicoError('invalid', `${name} is no block`);
  const key = affinityKey(node, cidr);
  return await untilCommitted(clock, `release block ${name}`, async () => {
    const [claim, seen] = await Promise.all([store.get(key), readBlock(store, cidr)]);
    if (seen === undefined || ownerOf(seen.value) !== node || !isEmpty(seen.value)) return false;
    const orphan = withoutAffinity(seen.value);
    const conditions = [
      { key: blockKey(cidr), modRevision: seen.modRevision },
      { key, modRevision: claim?.modRevision ?? 0 },
    ];
    const writes: Write[] = [writeOf(orphan), { kind: 'delete', key }];
    return (await commitBlocks(parts, { conditions, writes }, [orphan])) ? true : undefined;
  });
}

async function commitBlocks(
  parts: Pick<ReleaseParts, 'store' | 'changed'>,
  commit: Commit,
  blocks: readonly Block[],
): Promise<boolean> {
  const result = await parts.store.commit(commit);
  if (result.committed) for (const block of blocks) parts.changed(block, result.revision);
  return result.committed;
}

/** A block that nobody owns and nobody uses is deleted: its range can be claimed again. */
export function writeOf(block: Block): Write {
  const key = blockKey(block.cidr);
  return isEmpty(block) && block.affinity === undefined
    ? { kind: 'delete', key }
    : { kind: 'put', key, value: formatBlock(block) };
}

/** The block of that CIDR as stored; undefined when there is none, or none that can be read. */
export async function readBlock(store: Store, cidr: Cidr): Promise<Seen<Block> | undefined> {
  const entry = await store.get(blockKey(cidr));
  const block = entry === undefined ? undefined : parseBlock(entry.value);
  return entry === undefined || block === undefined
    ? undefined
    : { value: block, modRevision: entry.modRevision };
}

/** The block around an address: of the usual size, of its pool's, or of the size that a former pool had. */
export async function readBlockOf(store: Store, ip: Ip): Promise<Seen<Block> | undefined> {
  const usual = await readBlock(store, networkOf(ip, defaultBlockLength(ip.version)));
  if (usual !== undefined) return usual;
  const pool = poolsOf((await store.list(poolPrefix)).entries).find(({ cidr }) => contains(cidr, ip));
  const ofPool = pool && (await readBlock(store, networkOf(ip, pool.blockLength)));
  if (ofPool !== undefined) return ofPool;
  const { blocks } = blocksOf((await store.list(blockPrefix)).entries);
  return [...blocks.values()].find(({ value }) => contains(value.cidr, ip));
}

function cidrsOf(counts: Readonly<Record<string, number>>): readonly Cidr[] {
  return Object.keys(counts).flatMap(name => parseCidr(name) ?? []);
}
