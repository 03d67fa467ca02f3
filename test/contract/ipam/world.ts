import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../src/base/index.js';
import { createResourceClient, openStore } from '../../../src/datastore/index.js';
import type { ResourceClient, Store, StoreConfig, Write } from '../../../src/datastore/index.js';
import { createAllocator } from '../../../src/ipam/index.js';
import type { Allocator } from '../../../src/ipam/index.js';
import { addressAt, formatIp, parseCidr } from '../../../src/net/index.js';

/** Several allocators over one store, each with a connection of its own, as on several hosts. */
export interface IpamWorld {
  readonly store: Store;
  readonly client: ResourceClient;
  readonly allocators: readonly Allocator[];
  setPool(
    cidr: string,
    options?: { readonly disabled?: boolean; readonly blockSize?: number },
  ): Promise<void>;
  setConfig(config: object): Promise<void>;
  /** Gives each of so many other hosts a block of a pool (10.x.0.0/16) with one address in use. */
  fillPool(cidr: string, hosts: number): Promise<void>;
  /** every block record as stored, by canonical CIDR */
  blocks(): Promise<ReadonlyMap<string, StoredBlock>>;
  /** every handle as stored, by handle */
  handles(): Promise<ReadonlyMap<string, Readonly<Record<string, number>>>>;
  /** keys of all claims */
  claims(): Promise<readonly string[]>;
  close(): Promise<void>;
}

export interface StoredBlock {
  readonly cidr: string;
  readonly affinity: string | null;
  readonly allocations: readonly (number | null)[];
  readonly unallocated: readonly number[];
  readonly attributes: readonly { readonly handle_id: string | null }[];
}

/** By default over an embedded store of its own; an etcd is to be empty. */
export async function openIpamWorld(hosts = 1, etcd?: { readonly endpoint: string }): Promise<IpamWorld> {
  const directory = await mkdtemp(join(tmpdir(), 'calico-ipam-'));
  const place: StoreConfig =
    etcd === undefined
      ? { type: 'sqlite', directory, synchronous: 'normal' }
      : { type: 'etcdv3', endpoints: [etcd.endpoint] };
  const connections = await Promise.all(Array.from({ length: hosts + 1 }, async () => openStore(place)));
  const [store, ...others] = connections;
  if (store === undefined) throw new Error('no store');
  const listed = async (prefix: string): Promise<readonly (readonly [string, unknown])[]> =>
    (await store.list(prefix)).entries.map(({ key, value }) => [key, JSON.parse(value)]);
  return {
    store,
    client: createResourceClient(store),
    allocators: others.map(other => createAllocator({ store: other, clock: systemClock })),
    setPool: async (cidr, { disabled = false, ...more } = {}) => {
      const key = `/calico/v1/ipam/${cidr.includes(':') ? 'v6' : 'v4'}/pool/${cidr.replace('/', '-')}`;
      const value = JSON.stringify({ cidr, ipip: '', masquerade: false, ipam: !disabled, disabled, ...more });
      await store.commit({ writes: [{ kind: 'put', key, value }] });
    },
    setConfig: async config => {
      const key = '/calico/ipam/v2/config';
      await store.commit({ writes: [{ kind: 'put', key, value: JSON.stringify(config) }] });
    },
    fillPool: async (cidr, count) => {
      const range = parseCidr(cidr);
      if (range === undefined) throw new Error(`bad pool ${cidr}`);
      const writes = Array.from({ length: count }, (_, i) =>
        blockRecords(`${formatIp(addressAt(range, i * 64))}/26`, `other${String(i)}`),
      ).flat();
      // As much as etcd takes at once.
      for (let at = 0; at < writes.length; at += 120)
        await store.commit({ writes: writes.slice(at, at + 120) });
    },
    blocks: async () => {
      const blocks = (await listed('/calico/ipam/v2/assignment/')) as readonly (readonly [
        string,
        StoredBlock,
      ])[];
      return new Map(blocks.map(([, block]) => [block.cidr, block]));
    },
    handles: async () => {
      const prefix = '/calico/ipam/v2/handle/';
      const handles = (await listed(prefix)) as readonly (readonly [
        string,
        { block: Record<string, number> },
      ])[];
      return new Map(handles.map(([key, { block }]) => [key.slice(prefix.length), block]));
    },
    claims: async () => (await listed('/calico/ipam/v2/host/')).map(([key]) => key),
    close: async () => {
      await Promise.all(connections.map(async connection => connection.close()));
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A block of a node with its claim and one address in use, as a busy host writes them. */
function blockRecords(cidr: string, node: string): readonly Write[] {
  const block = {
    cidr,
    affinity: `host:${node}`,
    affinity_claim_time: new Date(0).toISOString(),
    strictAffinity: false,
    allocations: Array.from({ length: 64 }, (_, i) => (i === 0 ? 0 : null)),
    unallocated: Array.from({ length: 63 }, (_, i) => i + 1),
    attributes: [{ handle_id: `of-${node}`, secondary: { node } }],
    sequenceNumber: 1,
    sequenceNumberForAllocation: { '0': 1 },
  };
  const name = cidr.replace('/', '-');
  return [
    ['assignment', block] as const,
    [`host/${node}`, { state: 'confirmed', deleted: false }] as const,
  ].map(([folder, value]) => ({
    kind: 'put',
    key: `/calico/ipam/v2/${folder}/ipv4/block/${name}`,
    value: JSON.stringify(value),
  }));
}
