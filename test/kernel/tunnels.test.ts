import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger, systemClock } from '../../src/base/index.js';
import { Tunnels } from '../../src/dataplane/index.js';
import type { TunnelSource } from '../../src/dataplane/index.js';
import { openHostNetwork } from '../../src/netlink/index.js';
import type { HostNetwork } from '../../src/netlink/index.js';
import { createTestNet, eventually } from '../support/netns.js';
import type { TestNet } from '../support/netns.js';

/**
 * A bridge with the name of the tunnel device stands in for it: routes, addresses, loss and return are the
 * same, and it needs no module. `npm run test:tunnels` has the real one.
 */
describe('encapsulated routes of a host', () => {
  let net: TestNet;
  let network: HostNetwork;
  let tunnels: Tunnels;

  beforeEach(async () => {
    net = createTestNet();
    const netns = await net.add('host');
    await ip('link', 'add', 'eth0', 'mtu', '1400', 'type', 'veth', 'peer', 'name', 'wire');
    await ip('addr', 'add', '172.31.9.1/24', 'dev', 'eth0');
    await ip('link', 'set', 'wire', 'up');
    await ip('link', 'set', 'eth0', 'up');
    await ip('link', 'add', 'tunl0', 'type', 'bridge');
    network = await openHostNetwork({ netns });
    tunnels = new Tunnels({ network, log: silentLogger, clock: systemClock });
    tunnels.start();
  });

  afterEach(async () => {
    tunnels.stop();
    network.close();
    await net.remove();
  });

  async function ip(...args: readonly string[]): Promise<string> {
    return await net.run('host', 'ip', ...args);
  }

  function source(change: Partial<TunnelSource> = {}): TunnelSource {
    return {
      nodeName: 'own',
      nodes: new Map([
        ['own', { 4: '172.31.9.1' }],
        ['near', { 4: '172.31.9.2' }],
        ['far', { 4: '172.31.8.2' }],
      ]),
      pools: [{ cidr: '10.64.0.0/16', encapsulation: 'ipip', mode: 'always' }],
      blocks: ['own', 'near', 'far'].map((node, i) => ({
        cidr: `10.64.${String(i + 1)}.0/26`,
        version: 4,
        node,
        confirmed: true,
        borrowed: [],
      })),
      tunnelAddresses: new Map([['tunl0', '10.64.1.1']]),
      vxlan: { vni: 4096, port: 4789, mtu: {} },
      ...change,
    };
  }

  async function routes(): Promise<readonly string[]> {
    const text = await ip('route', 'show', 'proto', '80');
    return text
      .split('\n')
      .map(line => line.replace(/ linkdown|(?<=\S) +$/g, '').trim())
      .filter(line => line !== '')
      .sort();
  }

  const ALWAYS = [
    '10.64.2.0/26 via 172.31.9.2 dev tunl0 onlink',
    '10.64.3.0/26 via 172.31.8.2 dev tunl0 onlink',
    'blackhole 10.64.1.0/26',
  ];

  async function untilRoutes(expected: readonly string[]): Promise<void> {
    await eventually(`routes are ${expected.join(', ')}`, async () => {
      const now = await routes();
      return JSON.stringify(now) === JSON.stringify(expected);
    });
  }

  test('lead through the device, which has the address, what fits the link as MTU, and is up', async () => {
    await ip('addr', 'add', '10.64.7.7/32', 'dev', 'tunl0');
    tunnels.apply(source());
    expect(await routes()).toEqual(ALWAYS);
    expect(tunnels.problems()).toEqual([]);
    const [device] = await net.ipJson('host', 'addr', 'show', 'dev', 'tunl0');
    expect(device).toMatchObject({ mtu: 1380, flags: expect.arrayContaining(['UP']) });
    expect(device?.addr_info).toEqual(
      expect.arrayContaining([expect.objectContaining({ local: '10.64.1.1', prefixlen: 32 })]),
    );
    expect(JSON.stringify(device)).not.toContain('10.64.7.7');
  });

  test('go straight to hosts of the same subnet where the pool says so', async () => {
    tunnels.apply(source({ pools: [{ cidr: '10.64.0.0/16', encapsulation: 'ipip', mode: 'cross-subnet' }] }));
    expect(await routes()).toEqual([
      '10.64.2.0/26 via 172.31.9.2 dev eth0',
      '10.64.3.0/26 via 172.31.8.2 dev tunl0 onlink',
      'blackhole 10.64.1.0/26',
    ]);
    tunnels.apply(source());
    expect(await routes()).toEqual(ALWAYS);
  });

  test('of an earlier run are taken over or removed, those of others stay', async () => {
    await ip('link', 'set', 'tunl0', 'up');
    await ip('route', 'add', '10.64.9.0/26', 'via', '172.31.9.9', 'dev', 'tunl0', 'onlink', 'proto', '80');
    await ip('route', 'add', '10.64.2.0/26', 'via', '172.31.9.9', 'dev', 'tunl0', 'onlink', 'proto', '80');
    await ip('route', 'add', '10.64.1.3/32', 'dev', 'eth0', 'proto', '80');
    await ip('route', 'add', '10.64.8.0/26', 'via', '172.31.9.9', 'proto', 'bird');
    tunnels.apply(source());
    expect(await routes()).toEqual(['10.64.1.3 dev eth0 scope link', ...ALWAYS]);
    expect(await ip('route', 'show', 'proto', 'bird')).toContain('10.64.8.0/26');
  });

  test('come back when somebody deletes them, or takes the device down', async () => {
    tunnels.apply(source());
    await ip('route', 'del', '10.64.2.0/26');
    await untilRoutes(ALWAYS);
    await ip('link', 'set', 'tunl0', 'down');
    await untilRoutes(ALWAYS);
    expect(tunnels.problems()).toEqual([]);
  });

  test('come back with the device, whose loss is said meanwhile', async () => {
    tunnels.apply(source());
    await ip('link', 'del', 'tunl0');
    // A kernel that has IP-in-IP gets a real device at once.
    await eventually('it was noticed', async () => {
      return tunnels.problems().length > 0 || (await routes()).length === ALWAYS.length;
    });
    await ip('link', 'add', 'tunl0', 'type', 'bridge').catch(() => undefined);
    await untilRoutes(ALWAYS);
    expect(tunnels.problems()).toEqual([]);
  });

  test('that need a device which the kernel cannot make are named, and the others are in place', async () => {
    await ip('link', 'del', 'tunl0');
    const probe = await net.try('host', 'ip', 'link', 'add', 'tunl0', 'type', 'ipip');
    if (probe.exitCode === 0) return;
    tunnels.apply(source({ pools: [{ cidr: '10.64.0.0/16', encapsulation: 'ipip', mode: 'cross-subnet' }] }));
    expect(tunnels.problems()).toEqual([
      'no tunnel for 10.64.0.0/16: this kernel has no IP-in-IP (module ipip, CONFIG_NET_IPIP); ' +
        'the routes to other hosts that need it are missing',
    ]);
    expect(await routes()).toEqual(['10.64.2.0/26 via 172.31.9.2 dev eth0', 'blackhole 10.64.1.0/26']);
  });

  test('are gone with the last pool that wants them, and so is the address', async () => {
    tunnels.apply(source());
    tunnels.apply(source({ pools: [], tunnelAddresses: new Map() }));
    // Not before BIRD had its chance to set its own.
    expect(await routes()).toEqual(ALWAYS);
    await untilRoutes([]);
    tunnels.apply(source({ pools: [], tunnelAddresses: new Map() }));
    expect(await ip('addr', 'show', 'dev', 'tunl0')).not.toContain('10.64.1.1');
  });

  test('wait for a workload of theirs to leave the host, and then come by themselves', async () => {
    const borrowed = [{ address: '10.64.1.9', node: 'near' }];
    const [own, ...rest] = source().blocks;
    if (own === undefined) throw new Error('the first block is ours');
    await ip('route', 'add', '10.64.1.9/32', 'dev', 'eth0', 'proto', '80');
    tunnels.apply(source({ blocks: [{ ...own, borrowed }, ...rest] }));
    expect(tunnels.problems()).toEqual([
      'the route to 10.64.1.9/32 waits: another route to it is in the way',
    ]);
    await ip('route', 'del', '10.64.1.9/32');
    await untilRoutes(['10.64.1.9 via 172.31.9.2 dev tunl0 onlink', ...ALWAYS]);
    expect(tunnels.problems()).toEqual([]);
  });
});
