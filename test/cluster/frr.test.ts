import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runProgram } from '../../src/base/index.js';
import type { BgpSource } from '../../src/bgp/index.js';
import { parseCidr } from '../../src/net/index.js';
import { configOf, createBirdNodes, untilRoutes } from '../support/bird-nodes.js';
import type { BirdNode, BirdNodes } from '../support/bird-nodes.js';
import { eventually } from '../support/netns.js';

const ROUTER_AS = 4_200_000_001;
const ROUTER = '172.31.9.3';
/** FRR takes none with spaces. */
const PASSWORD = 'to-the-router';
const SUBNETS = ['172.31.9.0/24'].flatMap(text => parseCidr(text) ?? []);

describe('a router with FRR that one node of the cluster peers with', () => {
  let cluster: BirdNodes;
  let a: BirdNode;
  let b: BirdNode;
  let folder: string;
  let bgpd: ChildProcess;

  beforeAll(async () => {
    cluster = await createBirdNodes(['a', 'b', 'router']);
    const [first, second] = cluster.nodes;
    if (first === undefined || second === undefined) throw new Error('three hosts');
    [a, b] = [first, second];
    folder = mkdtempSync(join(tmpdir(), 'calico-frr-'));
    const config = [
      `router bgp ${String(ROUTER_AS)}`,
      ` bgp router-id ${ROUTER}`,
      // Without it FRR takes nothing from another AS before it has a policy.
      ' no bgp ebgp-requires-policy',
      ' no bgp network import-check',
      ` neighbor ${a.ipv4} remote-as 64512`,
      ` neighbor ${a.ipv4} password ${PASSWORD}`,
      ` neighbor ${a.ipv4} timers connect 1`,
      // It has no zebra to ask whether the neighbour is on its link.
      ` neighbor ${a.ipv4} disable-connected-check`,
      ' network 198.51.100.0/24',
      '!',
      '',
    ];
    writeFileSync(join(folder, 'bgpd.conf'), config.join('\n'));
    const files = ['-f', join(folder, 'bgpd.conf'), '--vty_socket', folder, '-i', join(folder, 'bgpd.pid')];
    // Without the kernel and without zebra: what it knows is in its own table.
    const args = [...files, '-S', '-n', '-Z'];
    bgpd = spawn('nsenter', [`--net=${cluster.net.path('router')}`, '/usr/lib/frr/bgpd', ...args], {
      stdio: 'ignore',
    });
  });

  afterAll(async () => {
    const ended = new Promise(resolve => {
      bgpd.once('close', resolve);
    });
    bgpd.kill('SIGTERM');
    await ended;
    await cluster.remove();
    rmSync(folder, { recursive: true });
  });

  function source(nodeName: string, change: Partial<BgpSource> = {}): BgpSource {
    return {
      nodeName,
      nodes: [a, b].map(({ name, ipv4 }) => ({ metadata: { name }, spec: { bgp: { ipv4Address: ipv4 } } })),
      peers: [],
      pools: [{ metadata: { cidr: '10.65.0.0/16' } }],
      blocks: [
        { cidr: '10.65.1.0/26', node: 'a', confirmed: true },
        { cidr: '10.65.2.0/26', node: 'b', confirmed: true },
      ],
      settings: new Map(),
      ...change,
    };
  }

  /** `<network> <next hop>` of all that FRR was told, sorted. */
  async function learnt(): Promise<readonly string[]> {
    const asked = ['--vty_socket', folder, '-c', 'show bgp ipv4 unicast json'];
    const { stdout, exitCode } = await runProgram('vtysh', asked);
    // FRR's own words for its table; none before it listens.
    const { routes = {} } = JSON.parse(exitCode === 0 ? stdout : '{}') as {
      readonly routes?: Readonly<Record<string, readonly { readonly nexthops: readonly { ip: string }[] }[]>>;
    };
    return Object.entries(routes)
      .flatMap(([network, paths]) => paths.map(({ nexthops }) => `${network} ${nexthops[0]?.ip ?? ''}`))
      .filter(line => !line.startsWith('198.'))
      .sort();
  }

  test('learns each block whole and from its owner, over a session with a password and AS numbers of 4 bytes', async () => {
    const peers = [{ metadata: { scope: 'node', node: 'a', peerIP: ROUTER }, spec: { asNumber: ROUTER_AS } }];
    const nodeSettings = new Map([[`peer_password/${ROUTER}`, PASSWORD]]);
    await cluster.net.run('a', 'ip', 'link', 'add', 'cali1', 'type', 'bridge');
    await cluster.net.run('a', 'ip', 'link', 'set', 'cali1', 'up');
    await cluster.net.run('a', 'ip', 'route', 'add', '10.65.1.5/32', 'dev', 'cali1', 'proto', '80');
    await a.daemon.apply(configOf(source('a', { peers, nodeSettings, ownSubnets: SUBNETS })));
    await b.daemon.apply(configOf(source('b')));
    const expected = [`10.65.1.0/26 ${a.ipv4}`, `10.65.2.0/26 ${b.ipv4}`];
    let last: readonly string[] = [];
    await eventually('FRR knows both blocks', async () => {
      last = await learnt();
      return last.join() === expected.join();
    }).catch((error: unknown) => {
      throw new Error(`FRR has ${last.join(', ')}`, { cause: error });
    });
    expect(last).toEqual(expected);
  });

  test('tells its peer of a network outside, and the peer keeps that from the other nodes', async () => {
    await eventually('a has it', async () => (await a.birdRoutes()).includes(`198.51.100.0/24 ${ROUTER}`));
    await untilRoutes(b, ['10.65.1.0/26 172.31.9.1', '10.65.2.0/26 blackhole']);
    expect((await a.daemon.status()).peers).toHaveLength(2);
  });
});
