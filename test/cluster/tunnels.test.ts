import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LabHost } from '../../src/lab/index.js';
import type { ResourceOf } from '../../src/resources/index.js';
import { createLabCluster } from '../support/lab-cluster.js';
import type { LabCluster } from '../support/lab-cluster.js';
import { eventually } from '../support/netns.js';

const POOL = '10.65.0.0/16';

/** A bridge called `tunl0` stands in for the tunnel: see `scripts/test-tunnels` for the real one. */
describe('a pool of a running cluster that is encapsulated', () => {
  let cluster: LabCluster;
  let host1: LabHost;
  let host2: LabHost;

  beforeAll(async () => {
    cluster = await createLabCluster('tt', 2);
    [host1, host2] = cluster.plan.hosts as readonly [LabHost, LabHost]; // as planned above
    for (const host of cluster.plan.hosts) await cluster.ip(host, 'link', 'add', 'tunl0', 'type', 'bridge');
  });

  afterAll(async () => {
    await cluster.remove();
  });

  async function encapsulate(ipip: ResourceOf<'ipPool'>['spec']['ipip']): Promise<void> {
    const spec = ipip === undefined ? {} : { ipip };
    const resource = { apiVersion: 'v1', kind: 'ipPool', metadata: { cidr: POOL }, spec } as const;
    await cluster.client.write([{ verb: 'apply', resource }]);
  }

  async function untilWays(protocol: string, device: string): Promise<void> {
    await cluster.untilWays(host1, POOL, [`${protocol} ${host2.ipv4} ${device}`]);
    await cluster.untilWays(host2, POOL, [`${protocol} ${host1.ipv4} ${device}`]);
  }

  async function addressesOf(host: LabHost): Promise<string> {
    return await cluster.ip(host, '-4', '-o', 'addr', 'show', 'dev', 'tunl0');
  }

  const told = async (host: LabHost): Promise<string | undefined> =>
    await cluster.client.getSetting({ component: 'felix', node: host.name, name: 'IpInIpTunnelAddr' });

  test('leads through the tunnel device, with an address on each host, and not through BIRD', async () => {
    await untilWays('bird', 'eth0');
    await encapsulate({ enabled: true });
    await untilWays('80', 'tunl0');
    for (const host of cluster.plan.hosts) {
      await eventually('the tunnel has its address', async () => {
        const address = await told(host);
        return address !== undefined && (await addressesOf(host)).includes(` ${address}/32 `);
      });
      expect(await cluster.complaints(host)).toEqual([]);
    }
    expect(await told(host1)).not.toBe(await told(host2));
  });

  test('leads straight to hosts of the same subnet in cross-subnet mode, and packets flow', async () => {
    await encapsulate({ enabled: true, mode: 'cross-subnet' });
    await untilWays('80', 'eth0');
    expect(await cluster.connects(host1, host2)).toBe(true);
  });

  test('changes hands between BIRD and the agent without the loss of a packet', async () => {
    const lost = await cluster.lostBetween(host1, host2, async () => {
      await encapsulate(undefined);
      await untilWays('bird', 'eth0');
      await encapsulate({ enabled: true, mode: 'cross-subnet' });
      await untilWays('80', 'eth0');
    });
    expect(lost).toBe(0);
  });

  test('says on the agent what is wrong when the device is lost for good, and recovers with it', async () => {
    await encapsulate({ enabled: true });
    await untilWays('80', 'tunl0');
    await cluster.ip(host1, 'link', 'del', 'tunl0');
    await eventually('it says so, or the kernel has made another', async () => {
      const { reasons } = await cluster.status(host1);
      const ways = await cluster.ways(host1, POOL);
      return reasons.some(reason => reason.includes('no IP-in-IP')) || ways.length === 1;
    });
    await cluster.ip(host1, 'link', 'add', 'tunl0', 'type', 'bridge').catch(() => '');
    await untilWays('80', 'tunl0');
    expect(await cluster.complaints(host1)).toEqual([]);
  });

  test('is BIRD’s again, and the addresses are released, when the encapsulation is switched off', async () => {
    await encapsulate(undefined);
    await untilWays('bird', 'eth0');
    await eventually('nobody has an address for a tunnel', async () => {
      const addresses = await Promise.all(cluster.plan.hosts.map(told));
      const devices = await Promise.all(cluster.plan.hosts.map(addressesOf));
      return addresses.every(address => address === undefined) && devices.join('').trim() === '';
    });
    expect(await cluster.connects(host1, host2)).toBe(true);
  });
});
