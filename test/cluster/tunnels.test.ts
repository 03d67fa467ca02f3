import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askSocket, runChecked, systemClock } from '../../src/base/index.js';
import { createResourceClient, openStore } from '../../src/datastore/index.js';
import type { ResourceClient, Store } from '../../src/datastore/index.js';
import {
  connectInLab,
  controlSocket,
  labDown,
  labUp,
  planLab,
  plainTopology,
  storeDirectory,
} from '../../src/lab/index.js';
import type { LabHost, LabPlan } from '../../src/lab/index.js';
import type { AgentStatus } from '../../src/node/index.js';
import type { ResourceOf } from '../../src/resources/index.js';
import { builtInstallation } from '../support/installation.js';
import type { Installation } from '../support/installation.js';
import { eventually } from '../support/netns.js';

const plan: LabPlan = planLab(`tt${String(process.pid)}`, plainTopology(2, 1));
const [host1, host2] = plan.hosts as readonly [LabHost, LabHost]; // as planned above
const POOL = '10.65.0.0/16';

/** A bridge called `tunl0` stands in for the tunnel: see `npm run test:tunnels` for the real one. */
describe('a pool of a running cluster that is encapsulated', () => {
  let installation: Installation;
  let store: Store;
  let client: ResourceClient;

  const context = () => ({ paths: installation.paths, clock: systemClock, say: () => undefined });

  beforeAll(async () => {
    installation = await builtInstallation();
    await labUp(context(), plan);
    store = await openStore({ type: 'sqlite', directory: storeDirectory(installation.paths, plan) });
    client = createResourceClient(store);
    for (const { netns } of plan.hosts) {
      await runChecked('ip', ['-n', netns, 'link', 'add', 'tunl0', 'type', 'bridge']);
    }
  });

  afterAll(async () => {
    await store.close();
    await labDown(context(), plan);
    installation.remove();
  });

  async function encapsulate(ipip: ResourceOf<'ipPool'>['spec']['ipip']): Promise<void> {
    const spec = ipip === undefined ? {} : { ipip };
    await client.write([
      { verb: 'apply', resource: { apiVersion: 'v1', kind: 'ipPool', metadata: { cidr: POOL }, spec } },
    ]);
  }

  /** `<protocol> <device>` of the routes of a host to blocks of the other */
  async function waysToOther(host: LabHost): Promise<readonly string[]> {
    const text = await runChecked('ip', ['-n', host.netns, '-j', 'route', 'show', 'root', POOL]);
    // What iproute2 prints for routes.
    const routes = JSON.parse(text) as readonly Readonly<Record<string, string | undefined>>[];
    return routes
      .filter(({ gateway }) => gateway !== undefined)
      .map(({ protocol, dev }) => `${String(protocol)} ${String(dev)}`);
  }

  async function untilWays(expected: readonly string[]): Promise<void> {
    for (const host of plan.hosts) {
      let last: readonly string[] = [];
      await eventually(
        `ways of ${host.name} are ${expected.join(', ')}`,
        async () => {
          last = await waysToOther(host);
          return last.join() === expected.join();
        },
        10_000,
      ).catch((error: unknown) => {
        throw new Error(`${host.name} has ${last.join(', ')}`, { cause: error });
      });
    }
  }

  async function addressesOf(host: LabHost): Promise<string> {
    return await runChecked('ip', ['-n', host.netns, '-4', '-o', 'addr', 'show', 'dev', 'tunl0']);
  }

  const told = async (host: LabHost): Promise<string | undefined> =>
    await client.getSetting({ component: 'felix', node: host.name, name: 'IpInIpTunnelAddr' });

  async function reasons(host: LabHost): Promise<readonly string[]> {
    const { body } = await askSocket(controlSocket(installation.paths, plan, host), '/status');
    return (JSON.parse(body) as AgentStatus).reasons; // what the agent of this tree writes
  }

  test('leads through the tunnel device, with an address on each host, and not through BIRD', async () => {
    await untilWays(['bird eth0']);
    await encapsulate({ enabled: true });
    await untilWays(['80 tunl0']);
    for (const host of plan.hosts) {
      await eventually('the tunnel has its address', async () => {
        const address = await told(host);
        return address !== undefined && (await addressesOf(host)).includes(` ${address}/32 `);
      });
      expect(await reasons(host)).toEqual([]);
    }
    expect(await told(host1)).not.toBe(await told(host2));
  });

  test('leads straight to hosts of the same subnet in cross-subnet mode, and packets flow', async () => {
    await encapsulate({ enabled: true, mode: 'cross-subnet' });
    await untilWays(['80 eth0']);
    const [workload1, workload2] = [host1.workloads[0], host2.workloads[0]];
    if (workload1 === undefined || workload2 === undefined) throw new Error('one workload on each host');
    const endpoints = await client.list('workloadEndpoint', { node: host2.name });
    const address = endpoints[0]?.spec.ipNetworks?.[0]?.replace('/32', '') ?? '';
    const result = await connectInLab({
      node: process.execPath,
      program: installation.probe,
      fromNetns: workload1.netns,
      toNetns: workload2.netns,
      address,
      service: 'tcp:8080',
      timeoutMs: 2000,
    });
    expect(result.outcome).toBe('answered');
  });

  test('says on the agent what is wrong when the device is lost for good, and recovers with it', async () => {
    await encapsulate({ enabled: true });
    await untilWays(['80 tunl0']);
    await runChecked('ip', ['-n', host1.netns, 'link', 'del', 'tunl0']);
    await eventually('it says so, or the kernel has made another', async () => {
      const said = await reasons(host1);
      return said.some(reason => reason.includes('no IP-in-IP')) || (await waysToOther(host1)).length === 1;
    });
    await runChecked('ip', ['-n', host1.netns, 'link', 'add', 'tunl0', 'type', 'bridge']).catch(() => '');
    await untilWays(['80 tunl0']);
    expect(await reasons(host1)).toEqual([]);
  });

  test('is BIRD’s again, and the addresses are released, when the encapsulation is switched off', async () => {
    await encapsulate(undefined);
    await untilWays(['bird eth0']);
    await eventually('nobody has an address for a tunnel', async () => {
      const addresses = await Promise.all(plan.hosts.map(told));
      const devices = await Promise.all(plan.hosts.map(addressesOf));
      return addresses.every(address => address === undefined) && devices.join('').trim() === '';
    });
    expect(await waysToOther(host1)).toEqual(['bird eth0']);
  });
});
