import { describe, expect, test } from 'vitest';
import { silentLogger, systemClock } from '../base/index.js';
import type { TunnelPeers, TunnelSource } from '../dataplane/index.js';
import type { RoutingContent, RoutingPart } from './routing-view.js';
import { TunnelSync } from './tunnel-sync.js';

describe('routes of encapsulated pools', () => {
  const WORK_MS = 10;
  const everything: ReadonlySet<RoutingPart> = new Set(['node', 'ipPool', 'block']);

  const content = (vxlan: boolean): RoutingContent => ({
    nodes: [
      {
        apiVersion: 'v1',
        kind: 'node',
        metadata: { name: 'a' },
        spec: { bgp: { ipv4Address: '172.30.1.1', ipv6Address: 'fd30::1' } },
      },
    ],
    peers: [],
    pools: [
      {
        apiVersion: 'v1',
        kind: 'ipPool',
        metadata: { cidr: '10.64.0.0/16' },
        spec: vxlan ? { vxlan: { enabled: true } } : {},
      },
    ],
    blocks: [],
    settings: new Map(),
    nodeSettings: new Map(),
  });

  function started() {
    let now = 0;
    const sources: TunnelSource[] = [];
    const admitted: TunnelPeers[] = [];
    const sleeps: { readonly ms: number; readonly wake: () => void }[] = [];
    const sync = new TunnelSync({
      nodeName: 'a',
      vxlan: { vni: 4096, port: 4789, mtu: {} },
      apply: source => {
        now += WORK_MS;
        sources.push(source);
      },
      admit: async peers => {
        admitted.push(peers);
        await Promise.resolve();
      },
      ensureAddress: async () => await Promise.resolve(undefined),
      clock: {
        ...systemClock,
        monotonic: () => now,
        sleep: async ms => {
          await new Promise<void>(wake => sleeps.push({ ms, wake }));
        },
      },
      log: silentLogger,
    });
    return { sync, sources, admitted, sleeps };
  }

  test('follow one change at once, and many in a row with rests between', async () => {
    const { sync, sources, sleeps } = started();
    for (let i = 0; i < 5; i++) sync.update(content(true), everything);
    expect(sources).toHaveLength(1);
    expect(sleeps[0]?.ms).toBe(3 * WORK_MS);
    sync.update(content(false), everything);
    sleeps[0]?.wake();
    await Promise.resolve();
    await Promise.resolve();
    expect(sources.map(({ pools }) => pools.length)).toEqual([1, 0]);
  });

  test('let packets in from the hosts of the cluster, and tell that only when it changes', () => {
    const { sync, admitted } = started();
    sync.update(content(true), everything);
    sync.update(content(true), everything);
    sync.update(content(true), new Set(['block']));
    sync.update(content(false), everything);
    const hosts = new Set(['172.30.1.1', 'fd30::1']);
    expect(admitted).toEqual([
      { ipip: false, vxlan: true, hosts },
      { ipip: false, vxlan: false, hosts },
    ]);
  });

  test('have nothing to do with peers and settings', () => {
    const { sync, sources } = started();
    sync.update(content(true), new Set(['bgpPeer', 'setting']));
    expect(sources).toEqual([]);
  });
});
