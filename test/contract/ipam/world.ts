import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../src/base/index.js';
import { createResourceClient, openStore } from '../../../src/datastore/index.js';
import type { ResourceClient, Store } from '../../../src/datastore/index.js';
import { createAllocator } from '../../../src/ipam/index.js';
import type { Allocator } from '../../../src/ipam/index.js';

/** Several allocators over one sqlite file, each with a connection of its own, as on several hosts. */
export interface IpamWorld {
  readonly store: Store;
  readonly client: ResourceClient;
  readonly allocators: readonly Allocator[];
  setPool(
    cidr: string,
    options?: { readonly disabled?: boolean; readonly blockSize?: number },
  ): Promise<void>;
  setConfig(config: object): Promise<void>;
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

export async function openIpamWorld(hosts = 1): Promise<IpamWorld> {
  const directory = await mkdtemp(join(tmpdir(), 'calico-ipam-'));
  const connections = await Promise.all(
    Array.from({ length: hosts + 1 }, async () =>
      openStore({ type: 'sqlite', directory, synchronous: 'normal' }),
    ),
  );
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
