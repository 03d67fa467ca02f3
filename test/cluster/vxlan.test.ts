import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runChecked } from '../../src/base/index.js';
import { netnsPath } from '../../src/lab/index.js';
import type { LabHost } from '../../src/lab/index.js';
import type { ResourceOf } from '../../src/resources/index.js';
import { createLabCluster } from '../support/lab-cluster.js';
import type { LabCluster } from '../support/lab-cluster.js';
import { eventually } from '../support/netns.js';

const POOL = '10.65.0.0/16';

describe('a pool of a running cluster that travels inside VXLAN', () => {
  let cluster: LabCluster;
  let far: LabHost;
  let near: LabHost;
  let neighbour: LabHost;

  beforeAll(async () => {
    cluster = await createLabCluster('vx', 3);
    [far, near, neighbour] = cluster.plan.hosts as readonly [LabHost, LabHost, LabHost]; // as planned above
    // Their addresses end in 11, 12 and 13: networks of two addresses put the first one into a network of its own.
    const network = (host: LabHost): string => `${host.ipv4.replace(/\d$/, host === far ? '0' : '2')}/31`;
    for (const host of cluster.plan.hosts) {
      await cluster.ip(host, 'addr', 'add', `${host.ipv4}/31`, 'dev', 'eth0');
      await cluster.ip(host, 'addr', 'del', `${host.ipv4}/22`, 'dev', 'eth0');
      await cluster.ip(host, 'route', 'add', network(host === far ? near : far), 'dev', 'eth0');
    }
  });

  afterAll(async () => {
    await cluster.remove();
  });

  async function wrap(vxlan: ResourceOf<'ipPool'>['spec']['vxlan']): Promise<void> {
    const spec = vxlan === undefined ? {} : { vxlan };
    const resource = { apiVersion: 'v1', kind: 'ipPool', metadata: { cidr: POOL }, spec } as const;
    await cluster.client.write([{ verb: 'apply', resource }]);
  }

  /** Waits until all ways lead through the VXLAN, in cross-subnet mode those to the neighbour straight. */
  async function untilWrapped(mode: 'always' | 'cross-subnet'): Promise<void> {
    const link = mode === 'always' ? 'vxlan.calico' : 'eth0';
    await cluster.untilWays(
      far,
      POOL,
      [near, neighbour].map(({ ipv4 }) => `80 ${ipv4} vxlan.calico`),
    );
    await cluster.untilWays(near, POOL, [`80 ${far.ipv4} vxlan.calico`, `80 ${neighbour.ipv4} ${link}`]);
  }

  async function knownHosts(host: LabHost): Promise<number> {
    const netns = `--net=${netnsPath(host.netns)}`;
    const set = await runChecked('nsenter', [netns, 'nft', 'list', 'ruleset']);
    const [, members = ''] = /set hosts4 \{[^}]*elements = \{([^}]*)\}/.exec(set) ?? [];
    return members.split(',').filter(each => each.trim() !== '').length;
  }

  test('reaches every workload through it, with an address for each host, and not through BIRD', async () => {
    await wrap({ enabled: true });
    await untilWrapped('always');
    for (const host of cluster.plan.hosts) {
      await eventually('it has its address', async () => {
        const setting = { component: 'felix', node: host.name, name: 'IPv4VXLANTunnelAddr' } as const;
        const address = await cluster.client.getSetting(setting);
        const held = await cluster.ip(host, '-4', '-o', 'addr', 'show', 'dev', 'vxlan.calico');
        return address !== undefined && held.includes(` ${address}/32 `);
      });
      expect(await cluster.complaints(host)).toEqual([]);
    }
    expect(await cluster.connects(far, near)).toBe(true);
    expect(await cluster.connects(near, neighbour)).toBe(true);
    await eventually('strangers are kept out', async () => (await knownHosts(near)) === 3);
  });

  test('wraps only what leaves the subnet in cross-subnet mode', async () => {
    await wrap({ enabled: true, mode: 'cross-subnet' });
    await untilWrapped('cross-subnet');
    expect(await cluster.connects(near, neighbour)).toBe(true);
    expect(await cluster.connects(neighbour, far)).toBe(true);
  });

  test('changes between VXLAN and BIRD’s routes without the loss of a packet', async () => {
    const plain = [near, neighbour].map(({ ipv4 }) => `bird ${ipv4} eth0`);
    const lost = await cluster.lostBetween(far, near, async () => {
      await wrap(undefined);
      await cluster.untilWays(far, POOL, plain);
      await wrap({ enabled: true });
      await untilWrapped('always');
    });
    expect(lost).toBe(0);
  });

  test('forgets a host that is removed: its routes, and that its packets may come in', async () => {
    const resource = {
      apiVersion: 'v1',
      kind: 'node',
      metadata: { name: neighbour.name },
      spec: {},
    } as const;
    await cluster.client.write([{ verb: 'delete', resource }]);
    await cluster.untilWays(near, POOL, [`80 ${far.ipv4} vxlan.calico`]);
    await eventually('it is a stranger', async () => (await knownHosts(near)) === 2);
    expect(await cluster.connects(near, far)).toBe(true);
  });
});
