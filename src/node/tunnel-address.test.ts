import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger, systemClock } from '../base/index.js';
import { createResourceClient, openStore } from '../datastore/index.js';
import type { ResourceClient, Store } from '../datastore/index.js';
import { createAllocator } from '../ipam/index.js';
import type { Allocator } from '../ipam/index.js';
import { ensureTunnelAddress } from './tunnel-address.js';
import type { AddressPool, TunnelAddressParts } from './tunnel-address.js';

describe('the address of a node for its end of the tunnel', () => {
  const pool: AddressPool = { cidr: '10.64.0.0/16', enabled: true };
  const other: AddressPool = { cidr: '10.70.0.0/16', enabled: true };
  let directory: string;
  let store: Store;
  let client: ResourceClient;
  let allocator: Allocator;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'calico-tunnel-'));
    store = await openStore({ type: 'sqlite', directory });
    client = createResourceClient(store);
    allocator = createAllocator({ store, clock: systemClock });
    await client.write(
      [pool, other].map(({ cidr }) => ({
        verb: 'create',
        resource: { apiVersion: 'v1', kind: 'ipPool', metadata: { cidr }, spec: {} },
      })),
    );
  });

  afterEach(async () => {
    await store.close();
    rmSync(directory, { recursive: true });
  });

  const parts = (nodeName = 'a'): TunnelAddressParts => ({
    nodeName,
    allocator,
    client,
    log: silentLogger,
  });
  const told = async (node = 'a'): Promise<string | undefined> =>
    await client.getSetting({ component: 'felix', node, name: 'IpInIpTunnelAddr' });

  test('is taken once, held under a handle that says what it is for, and told in the datastore', async () => {
    const address = await ensureTunnelAddress(parts(), 'tunl0', [pool]);
    expect(await ensureTunnelAddress(parts(), 'tunl0', [pool])).toBe(address);
    expect(await told()).toBe(address);
    expect(await allocator.lookup(address ?? '')).toMatchObject({
      handle: 'ipip-tunnel-addr-a',
      attributes: { node: 'a', type: 'ipipTunnelAddress' },
    });
  });

  test('is another one for each node', async () => {
    const first = await ensureTunnelAddress(parts('a'), 'tunl0', [pool]);
    expect(await ensureTunnelAddress(parts('b'), 'tunl0', [pool])).not.toBe(first);
  });

  test('is replaced when its pool no longer wants it, and released with the last pool', async () => {
    const first = await ensureTunnelAddress(parts(), 'tunl0', [pool]);
    const second = await ensureTunnelAddress(parts(), 'tunl0', [other]);
    expect(second).toMatch(/^10\.70\./);
    expect(await allocator.lookup(first ?? '')).toBeUndefined();
    expect(await ensureTunnelAddress(parts(), 'tunl0', [])).toBeUndefined();
    expect(await allocator.addressesOf('ipip-tunnel-addr-a')).toEqual([]);
    expect(await told()).toBeUndefined();
  });

  test('stays while its pool gives out no new addresses', async () => {
    const address = await ensureTunnelAddress(parts(), 'tunl0', [pool]);
    expect(await ensureTunnelAddress(parts(), 'tunl0', [{ ...pool, enabled: false }])).toBe(address);
  });

  test('is taken anew, and told, after somebody released it', async () => {
    const address = await ensureTunnelAddress(parts(), 'tunl0', [pool]);
    await allocator.releaseAddress(address ?? '');
    const next = await ensureTunnelAddress(parts(), 'tunl0', [pool]);
    expect(await told()).toBe(next);
    expect(await allocator.addressesOf('ipip-tunnel-addr-a')).toEqual([next]);
  });

  test('leaves alone what a workload has, though an old setting names it', async () => {
    const request = { node: 'a', handle: 'workload', count: { 4: 1, 6: 0 } } as const;
    const { addresses } = await allocator.assign(request);
    await client.setSetting({ component: 'felix', node: 'a', name: 'IpInIpTunnelAddr' }, addresses[0]);
    const address = await ensureTunnelAddress(parts(), 'tunl0', [pool]);
    expect(addresses).not.toContain(address);
    expect(await allocator.addressesOf('workload')).toEqual(addresses);
  });
});
