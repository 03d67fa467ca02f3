import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runChecked, runProgram } from '../../src/base/index.js';
import { agentPid, plainTopology } from '../../src/lab/index.js';
import type { LabHost } from '../../src/lab/index.js';
import type { Resource, ResourceOf } from '../../src/resources/index.js';
import { note } from '../support/bird-nodes.js';
import { createLabCluster } from '../support/lab-cluster.js';
import type { LabCluster } from '../support/lab-cluster.js';
import { eventually } from '../support/netns.js';

const POOL = '10.65.0.0/16';
const OUTSIDE_AS = 65_001;

describe('BGP of a running cluster', () => {
  let cluster: LabCluster;
  let host1: LabHost;
  let host2: LabHost;
  let host3: LabHost;

  beforeAll(async () => {
    const bgp = {
      daemon: 'bird',
      asNumber: String(OUTSIDE_AS),
      routeReflector: false,
      announces: [],
    } as const;
    const routers = [{ name: 'outside', networks: ['lan'], bgp }];
    cluster = await createLabCluster('tb', { ...plainTopology(3, 1), routers });
    [host1, host2, host3] = cluster.plan.hosts as readonly [LabHost, LabHost, LabHost]; // as planned above
  });

  afterAll(async () => {
    await cluster.remove();
  });

  const apply = async (resource: Resource): Promise<void> => {
    await cluster.client.write([{ verb: 'apply', resource }]);
  };
  const mesh = async (enabled: boolean): Promise<void> => {
    await cluster.client.setSetting({ component: 'bgp', name: 'node_mesh' }, JSON.stringify({ enabled }));
  };
  const nodeOf = (host: LabHost, more: object = {}): ResourceOf<'node'> => ({
    apiVersion: 'v1',
    kind: 'node',
    metadata: { name: host.name },
    spec: { bgp: { ipv4Address: host.ipv4, ipv6Address: host.ipv6, ...more } },
  });
  const peerOf = (peerIP: string, asNumber: number, node?: LabHost): ResourceOf<'bgpPeer'> => ({
    apiVersion: 'v1',
    kind: 'bgpPeer',
    metadata: node === undefined ? { scope: 'global', peerIP } : { scope: 'node', node: node.name, peerIP },
    spec: { asNumber },
  });
  const remove = async (resource: Resource): Promise<void> => {
    await cluster.client.write([{ verb: 'delete', resource }]);
  };

  /** Waits for each host's routes to the blocks of the two others, by the straight way. */
  async function untilAllReach(): Promise<void> {
    for (const host of cluster.plan.hosts) {
      const others = cluster.plan.hosts.filter(({ name }) => name !== host.name);
      await cluster.untilWays(
        host,
        POOL,
        others.map(({ ipv4 }) => `bird ${ipv4} eth0`),
      );
    }
  }

  async function untilAlone(host: LabHost): Promise<void> {
    await cluster.untilWays(host, POOL, []);
  }

  /** `<type> <address> <info>` of the IPv4 sessions of a host, sorted. */
  async function sessions(host: LabHost): Promise<readonly string[]> {
    const { peers = [] } = await cluster.bgp(host);
    return peers
      .filter(({ version }) => version === 4)
      .map(({ type, address, info }) => `${type} ${address} ${info}`)
      .sort();
  }

  async function untilSessions(host: LabHost, expected: readonly string[]): Promise<void> {
    let last: readonly string[] = [];
    await eventually('sessions', async () => {
      last = await sessions(host);
      return JSON.stringify(last) === JSON.stringify(expected);
    }).catch((error: unknown) => {
      throw new Error(`${host.name} has ${JSON.stringify(last)}`, { cause: error });
    });
  }

  test('meshes all hosts, and workloads reach each other', async () => {
    await untilAllReach();
    await untilSessions(host1, [
      `node-to-node mesh ${host2.ipv4} Established`,
      `node-to-node mesh ${host3.ipv4} Established`,
    ]);
    expect(await cluster.connects(host1, host3)).toBe(true);
  });

  test('goes on between hosts of different AS numbers, one of them with 4 bytes', async () => {
    await apply(nodeOf(host2, { asNumber: 4_200_000_000 }));
    await untilSessions(host1, [
      `node-to-node mesh ${host2.ipv4} Established`,
      `node-to-node mesh ${host3.ipv4} Established`,
    ]);
    await untilAllReach();
    await apply(nodeOf(host2));
    await untilAllReach();
    expect(await cluster.connects(host1, host2)).toBe(true);
  });

  test('brings routes back by a route reflector when the mesh is off, with the true host as next hop', async () => {
    await mesh(false);
    for (const host of cluster.plan.hosts) await untilAlone(host);
    await untilSessions(host1, []);
    await apply(nodeOf(host3, { routeReflectorClusterID: '1.0.0.1' }));
    await apply(peerOf(host3.ipv4, 64_512));
    await untilAllReach();
    await untilSessions(host1, [`global ${host3.ipv4} Established`]);
    expect(await cluster.connects(host1, host2)).toBe(true);
  });

  test('takes a reflector out of the mesh, and back into it when it is none any more', async () => {
    await mesh(true);
    await untilSessions(host1, [
      `global ${host3.ipv4} Established`,
      `node-to-node mesh ${host2.ipv4} Established`,
    ]);
    await apply(nodeOf(host3));
    await remove(peerOf(host3.ipv4, 64_512));
    await untilSessions(host3, [
      `node-to-node mesh ${host1.ipv4} Established`,
      `node-to-node mesh ${host2.ipv4} Established`,
    ]);
    await untilAllReach();
    await untilSessions(host2, [
      `node-to-node mesh ${host1.ipv4} Established`,
      `node-to-node mesh ${host3.ipv4} Established`,
    ]);
    expect(await cluster.connects(host1, host2)).toBe(true);
  });

  test('joins hosts by peers of their own where there is no mesh', async () => {
    await mesh(false);
    for (const host of cluster.plan.hosts) await untilAlone(host);
    await apply(peerOf(host2.ipv4, 64_512, host1));
    await apply(peerOf(host1.ipv4, 64_512, host2));
    await cluster.untilWays(host1, POOL, [`bird ${host2.ipv4} eth0`]);
    await untilAlone(host3);
    expect(await sessions(host1)).toEqual([`node specific ${host2.ipv4} Established`]);
    await remove(peerOf(host2.ipv4, 64_512, host1));
    await remove(peerOf(host1.ipv4, 64_512, host2));
    await untilAlone(host1);
    await mesh(true);
    await untilAllReach();
  });

  test('does without a host that is removed, and with it again when it returns', async () => {
    await remove(nodeOf(host3));
    await cluster.untilWays(host1, POOL, [`bird ${host2.ipv4} eth0`]);
    await untilAlone(host3);
    await apply(nodeOf(host3));
    await untilAllReach();
    expect(await cluster.complaints(host3)).toEqual([]);
  });

  const lostDuring = async (work: () => Promise<void>): Promise<number> =>
    await cluster.lostBetween(host1, host2, work);

  const birdPid = async (host: LabHost): Promise<number> => {
    const { stdout } = await runProgram('ip', ['netns', 'pids', host.netns]);
    for (const pid of stdout.trim().split('\n')) {
      const { stdout: name } = await runProgram('cat', [`/proc/${pid}/comm`]);
      if (name.trim() === 'bird') return Number(pid);
    }
    return 0;
  };

  test('loses no packet when a BIRD is killed, and has another one running', async () => {
    const before = await birdPid(host2);
    expect(before).toBeGreaterThan(0);
    const lost = await lostDuring(async () => {
      process.kill(before, 'SIGKILL');
      await eventually('another BIRD runs', async () => ![0, before].includes(await birdPid(host2)));
      await untilSessions(host2, [
        `node-to-node mesh ${host1.ipv4} Established`,
        `node-to-node mesh ${host3.ipv4} Established`,
      ]);
    });
    expect(lost).toBe(0);
    await untilAllReach();
  });

  test('loses no packet when an agent is killed and started again, and its BIRD goes on', async () => {
    const bird = await birdPid(host2);
    const lost = await lostDuring(async () => {
      cluster.kill(host2, 'SIGKILL');
      await eventually('the agent is gone', () => agentPid(host2) === undefined);
      await cluster.heal();
    });
    expect(lost).toBe(0);
    expect(await birdPid(host2)).toBe(bird);
  });

  test('loses no packet when a BIRD restarts gracefully', async () => {
    // One that restarts before it has recovered from the last time is dropped by its neighbours (RFC 4724, 4.2).
    const isRecovered = async (): Promise<boolean> => (await cluster.bgp(host2)).recovering === false;
    await eventually('the kill before is over', isRecovered);
    const before = await birdPid(host2);
    const { stdout: words } = await runProgram('cat', [`/proc/${String(before)}/cmdline`]);
    const [, socket = ''] = /\0-s\0([^\0]+)/.exec(words) ?? [];
    const lost = await lostDuring(async () => {
      await runChecked('birdc', ['-s', socket, 'graceful', 'restart']);
      await eventually('another BIRD runs', async () => ![0, before].includes(await birdPid(host2)));
      await untilSessions(host2, [
        `node-to-node mesh ${host1.ipv4} Established`,
        `node-to-node mesh ${host3.ipv4} Established`,
      ]);
    });
    expect(lost).toBe(0);
    await untilAllReach();
  });

  test('goes on with the addresses of a pool that is disabled', async () => {
    const pool = { apiVersion: 'v1', kind: 'ipPool', metadata: { cidr: POOL } } as const;
    const lost = await lostDuring(async () => {
      await apply({ ...pool, spec: { disabled: true } });
      // A change that comes after it is through, so that one is, too.
      await apply(nodeOf(host3, { asNumber: 64_999 }));
      await untilAllReach();
      await apply(nodeOf(host3));
      await apply({ ...pool, spec: {} });
      await untilAllReach();
    });
    expect(lost).toBe(0);
  });

  test('names on the agent what it cannot use, and goes on with the rest', async () => {
    const wrong: readonly Resource[] = [
      peerOf('172.30.3.200', 0),
      {
        apiVersion: 'v1',
        kind: 'node',
        metadata: { name: 'zz-twin' },
        spec: { bgp: { ipv4Address: host3.ipv4 } },
      },
    ];
    for (const resource of wrong) await apply(resource);
    const expected = [
      `BGP does without node(zz-twin).spec.bgp.ipv4Address '${host3.ipv4}': expected an address of its own: node ${host3.name} has this one`,
      "BGP does without bgpPeer(global, 172.30.3.200).spec.asNumber '0': expected an AS number from 1 to 4294967295",
    ];
    await eventually('it says so', async () => (await cluster.status(host1)).reasons.length === 2);
    expect((await cluster.status(host1)).reasons).toEqual(expected);
    await untilAllReach();
    for (const resource of wrong) await remove(resource);
    await eventually('all is well', async () => (await cluster.status(host1)).reasons.length === 0);
  });

  describe('with a router outside that is in another AS', () => {
    async function learnt(): Promise<readonly string[]> {
      const args = ['-n', cluster.router('outside').netns, 'route', 'show', 'root', POOL, 'proto', 'bird'];
      const text = await runChecked('ip', args);
      return text
        .split('\n')
        .flatMap(line => /via (\S+)/.exec(line)?.[1] ?? [])
        .sort();
    }

    test('tells it each block from its owner, seconds after it is made a peer of all', async () => {
      const [link] = cluster.router('outside').links;
      const peer = peerOf(link?.ipv4 ?? '', OUTSIDE_AS);
      const start = performance.now();
      await apply(peer);
      const isUp = async (host: LabHost): Promise<boolean> =>
        (await sessions(host)).some(text => text.startsWith('global ') && text.endsWith(' Established'));
      await eventually('a session is up', async () => await isUp(host1));
      note(`from the bgpPeer to Established: ${(performance.now() - start).toFixed(0)} ms`);
      const owners = cluster.plan.hosts.map(({ ipv4 }) => ipv4).toSorted();
      await eventually(
        'all blocks are known',
        async () => JSON.stringify(await learnt()) === JSON.stringify(owners),
      );
      await remove(peer);
      await eventually('all are forgotten', async () => (await learnt()).length === 0);
      await untilAllReach();
      expect((await sessions(host1)).some(text => text.startsWith('global '))).toBe(false);
    });
  });
});
