import type { Clock } from '../base/index.js';
import { MultiMap } from '../base/index.js';
import type { ResourceClient, Store } from '../datastore/index.js';
import { contains, formatCidr, formatIp, overlaps, parseCidr, parseIp } from '../net/index.js';
import type { Attributes } from './allocator.js';
import { heldAddresses, ownerOf } from './block.js';
import { nodeOf, poolCovering } from './codec.js';
import type { IpamProblem } from './problems.js';
import { readRecords } from './records.js';
import type { IpamRecords } from './records.js';

/** What `checkIpam` found, to be shown, kept in a file, or handed to `repairIpam`. */
export interface IpamReport {
  /** ISO 8601 */
  readonly takenAt: string;
  /** of the store */
  readonly revision: number;
  readonly counts: {
    readonly pools: number;
    readonly blocks: number;
    readonly addresses: number;
    readonly handles: number;
    readonly endpoints: number;
    readonly hosts: number;
  };
  readonly problems: readonly IpamProblem[];
}

/** An address given out this short ago may still be waiting for its endpoint: an ADD takes up to a minute. */
const youngMs = 120_000;

interface Endpoints {
  /** `<node>/<orchestrator>/<workload>/<name>` of those that have an address, by canonical address */
  readonly byAddress: MultiMap<string, string>;
  readonly count: number;
}

/** Compares the records of addresses with each other, with the endpoints, and with the hosts. */
export async function checkIpam(parts: {
  readonly store: Store;
  readonly client: Pick<ResourceClient, 'list'>;
  readonly clock: Clock;
}): Promise<IpamReport> {
  const { store, client, clock } = parts;
  // Endpoints are read after the addresses: one that comes in between must not look like a leak.
  const records = await readRecords(store);
  const [endpoints, nodes] = [await readEndpoints(client), await client.list('node')];
  const hosts = new Set(nodes.map(({ metadata }) => metadata.name));
  const now = clock.now();
  const problems = [
    ...records.unreadable.map(key => ({ kind: 'unreadable' as const, key })),
    ...overlappingBlocks(records),
    ...claimProblems(records, hosts),
    ...addressProblems(records, { endpoints, hosts, now }),
    ...useProblems(records, endpoints),
    ...handleProblems(records),
  ];
  return {
    takenAt: new Date(now).toISOString(),
    revision: records.revision,
    counts: {
      pools: records.pools.length,
      blocks: records.blocks.size,
      addresses: [...records.blocks.values()].flatMap(({ value }) => heldAddresses(value)).length,
      handles: records.handles.size,
      endpoints: endpoints.count,
      hosts: hosts.size,
    },
    problems,
  };
}

async function readEndpoints(client: Pick<ResourceClient, 'list'>): Promise<Endpoints> {
  const list = await client.list('workloadEndpoint');
  const byAddress = new MultiMap<string, string>();
  for (const { metadata, spec } of list) {
    const { node, orchestrator, workload, name } = metadata;
    for (const network of spec.ipNetworks ?? []) {
      const cidr = parseCidr(network);
      if (cidr !== undefined) byAddress.add(formatIp(cidr), `${node}/${orchestrator}/${workload}/${name}`);
    }
  }
  return { byAddress, count: list.length };
}

function overlappingBlocks({ blocks }: IpamRecords): readonly IpamProblem[] {
  // Of neighbours in order of addresses, one that begins inside the one before overlaps it.
  const sorted = [...blocks.values()]
    .map(({ value }) => value.cidr)
    .sort((a, b) => a.version - b.version || (a.bits < b.bits ? -1 : 1));
  const found: IpamProblem[] = [];
  let outer = sorted[0];
  for (const cidr of sorted.slice(1)) {
    if (outer !== undefined && overlaps(outer, cidr)) {
      found.push({ kind: 'overlapping-blocks', blocks: [formatCidr(outer), formatCidr(cidr)] });
      if (contains(outer, cidr)) continue;
    }
    outer = cidr;
  }
  return found;
}

function claimProblems({ blocks, claims }: IpamRecords, hosts: ReadonlySet<string>): readonly IpamProblem[] {
  const confirmed = new Set<string>();
  const problems: IpamProblem[] = [];
  for (const { node, cidr, state } of claims) {
    const block = formatCidr(cidr);
    const known = blocks.get(block)?.value;
    const owner = known && ownerOf(known);
    if (owner !== node) problems.push({ kind: 'claim-without-block', node, block, owner });
    else if (state === 'confirmed') confirmed.add(`${node} ${block}`);
  }
  for (const [block, { value }] of blocks) {
    const node = ownerOf(value);
    if (node === undefined) continue;
    if (!hosts.has(node)) problems.push({ kind: 'block-of-removed-host', node, block });
    else if (!confirmed.has(`${node} ${block}`)) problems.push({ kind: 'block-without-claim', node, block });
  }
  return problems;
}

function addressProblems(
  { blocks, pools }: IpamRecords,
  world: { readonly endpoints: Endpoints; readonly hosts: ReadonlySet<string>; readonly now: number },
): readonly IpamProblem[] {
  const problems: IpamProblem[] = [];
  for (const [block, { value }] of blocks) {
    const owner = ownerOf(value);
    const isInPool = poolCovering(pools, value.cidr) !== undefined;
    for (const { address, holder, sequence } of heldAddresses(value)) {
      const { handle, attributes } = holder;
      if (!isInPool) problems.push({ kind: 'outside-pools', address, block, handle });
      if (world.endpoints.byAddress.has(address)) continue;
      const node = nodeOf(attributes) ?? owner;
      const isHostGone = node !== undefined && !world.hosts.has(node);
      if (!isHostGone && !isLeaked({ handle, attributes, now: world.now })) continue;
      problems.push({ kind: 'leaked', address, block, node, handle, sequence, attributes });
    }
  }
  return problems;
}

/** Whether an address without endpoint on a host that exists should have one. */
function isLeaked(of: {
  readonly handle: string | undefined;
  readonly attributes: Attributes;
  readonly now: number;
}): boolean {
  const { handle, attributes, now } = of;
  // Held by hand, by a tunnel, or by a network plugin other than ours, which makes no endpoints.
  if (handle === undefined || attributes['type'] !== undefined || attributes['plugin'] !== undefined)
    return false;
  const age = now - Date.parse(attributes['timestamp'] ?? '');
  return Number.isNaN(age) || age > youngMs;
}

function useProblems(records: IpamRecords, { byAddress }: Endpoints): readonly IpamProblem[] {
  const held = new Set(
    [...records.blocks.values()].flatMap(({ value }) => heldAddresses(value).map(({ address }) => address)),
  );
  return [...byAddress.keys()].flatMap((address): readonly IpamProblem[] => {
    const endpoints = [...byAddress.get(address)];
    const [endpoint = ''] = endpoints;
    if (endpoints.length > 1) return [{ kind: 'several-owners', address, endpoints }];
    const ip = parseIp(address);
    const isOurs = ip !== undefined && records.pools.some(({ cidr }) => contains(cidr, ip));
    if (held.has(address) || !isOurs) return [];
    const [node = '', , handle = ''] = endpoint.split('/');
    return [{ kind: 'not-allocated', address, endpoint, node, handle }];
  });
}

function handleProblems({ blocks, handles }: IpamRecords): readonly IpamProblem[] {
  const numbers = new Map<string, { handle: string; block: string; counted: number; held: number }>();
  const of = (handle: string, block: string): { counted: number; held: number } => {
    const key = JSON.stringify([handle, block]);
    const known = numbers.get(key) ?? { handle, block, counted: 0, held: 0 };
    numbers.set(key, known);
    return known;
  };
  for (const [block, { value }] of blocks) {
    for (const { holder } of heldAddresses(value)) {
      if (holder.handle !== undefined) of(holder.handle, block).held++;
    }
  }
  for (const [handle, counts] of handles) {
    for (const [block, count] of Object.entries(counts)) of(handle, block).counted = count;
    // One that counts nothing is left over as well.
    if (Object.keys(counts).length === 0) of(handle, '').counted = 1;
  }
  return [...numbers.values()]
    .filter(({ counted, held }) => counted !== held)
    .map(each => ({
      kind: each.counted > each.held ? 'handle-without-addresses' : 'addresses-without-handle',
      ...each,
    }));
}
