import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger, systemClock } from '../../src/base/index.js';
import type { Clock } from '../../src/base/index.js';
import { Tunnels } from '../../src/dataplane/index.js';
import type { TunnelPool, TunnelSource } from '../../src/dataplane/index.js';
import { openHostNetwork } from '../../src/netlink/index.js';
import type { HostNetwork } from '../../src/netlink/index.js';
import { createTestNet, PATIENT_PING, eventually } from '../support/netns.js';
import type { TestNet } from '../support/netns.js';

const POOL: TunnelPool = { cidr: '10.64.0.0/16', encapsulation: 'vxlan', mode: 'always' };
const POOL6: TunnelPool = { cidr: 'fd64::/48', encapsulation: 'vxlan', mode: 'always' };
const LINK_MTU = 1400;

/** `a` and `b` are neighbours, `c` is behind a router; each has a workload's addresses on a link of its own. */
const HOSTS = {
  a: { ipv4: '172.31.9.1', ipv6: 'fd31:9::1', router: 'near', workload: '10.64.1.2', workload6: 'fd64::1:2' },
  b: { ipv4: '172.31.9.2', ipv6: 'fd31:9::2', router: 'near', workload: '10.64.2.2', workload6: 'fd64::2:2' },
  c: { ipv4: '172.31.8.3', ipv6: 'fd31:8::3', router: 'far', workload: '10.64.3.2', workload6: 'fd64::3:2' },
} as const;
type Name = keyof typeof HOSTS;
const NAMES: readonly Name[] = ['a', 'b', 'c'];
const ROUTER = { near: ['172.31.9.254', 'fd31:9::fe'], far: ['172.31.8.254', 'fd31:8::fe'] } as const;

/** Ten times as fast: what waits for seconds should not take them. */
const fastClock: Clock = {
  ...systemClock,
  monotonic: () => systemClock.monotonic() * 10,
  sleep: async (ms, signal) => {
    await systemClock.sleep(ms / 10, signal);
  },
};

describe('VXLAN between three hosts', () => {
  let net: TestNet;
  const networks = new Map<Name, HostNetwork>();
  const tunnels = new Map<Name, Tunnels>();

  async function ip(host: string, ...args: readonly string[]): Promise<string> {
    return await net.run(host, 'ip', ...args);
  }

  async function buildRouter(): Promise<void> {
    await net.add('router');
    await net.run('router', 'sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
    for (const bridge of ['near', 'far'] as const) {
      const [ipv4, ipv6] = ROUTER[bridge];
      await ip('router', 'link', 'add', bridge, 'type', 'bridge');
      await ip('router', 'addr', 'add', `${ipv4}/24`, 'dev', bridge);
      await ip('router', 'addr', 'add', `${ipv6}/64`, 'dev', bridge, 'nodad');
      await ip('router', 'link', 'set', bridge, 'up', 'mtu', String(LINK_MTU));
    }
  }

  async function buildHost(name: Name): Promise<void> {
    const { ipv4, ipv6, router, workload, workload6 } = HOSTS[name];
    const path = await net.add(name);
    await net.run(name, 'sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
    const mtu = ['mtu', String(LINK_MTU)];
    const end = ['type', 'veth', 'peer', 'name', 'eth0', ...mtu, 'netns', path];
    await ip('router', 'link', 'add', `to-${name}`, ...mtu, ...end);
    await ip('router', 'link', 'set', `to-${name}`, 'master', router, 'up');
    await ip(name, 'addr', 'add', `${ipv4}/24`, 'dev', 'eth0');
    await ip(name, 'addr', 'add', `${ipv6}/64`, 'dev', 'eth0', 'nodad');
    await ip(name, 'link', 'set', 'eth0', 'up');
    await ip(name, 'route', 'add', 'default', 'via', ROUTER[router][0]);
    await ip(name, '-6', 'route', 'add', 'default', 'via', ROUTER[router][1]);
    await ip(name, 'link', 'add', 'cali1', 'type', 'bridge');
    await ip(name, 'link', 'set', 'cali1', 'up');
    await ip(name, 'addr', 'add', `${workload}/32`, 'dev', 'cali1');
    await ip(name, 'addr', 'add', `${workload6}/128`, 'dev', 'cali1', 'nodad');
  }

  beforeAll(async () => {
    net = createTestNet();
    await buildRouter();
    for (const name of NAMES) await buildHost(name);
    // What the tunnels run over: in its first seconds IPv6 has no link-local address to ask for neighbours with.
    for (const name of NAMES) {
      for (const to of [HOSTS.a.ipv6, HOSTS.c.ipv6]) expect(await pings(name, to)).toBe(true);
    }
  });

  afterAll(async () => {
    await net.remove();
  });

  beforeEach(async () => {
    for (const name of NAMES) {
      const network = await openHostNetwork({ netns: net.path(name) });
      const started = new Tunnels({ network, log: silentLogger, clock: fastClock });
      started.start();
      networks.set(name, network);
      tunnels.set(name, started);
    }
  });

  afterEach(() => {
    for (const name of NAMES) {
      tunnels.get(name)?.stop();
      networks.get(name)?.close();
    }
  });

  /** Gives every host of `members` what the datastore would say with these pools. */
  function tell(
    pools: readonly TunnelPool[],
    members: readonly Name[] = NAMES,
    mtu: TunnelSource['vxlan']['mtu'] = {},
  ): void {
    const nodes = new Map(members.map(name => [name, { 4: HOSTS[name].ipv4, 6: HOSTS[name].ipv6 }]));
    const blocks = members.flatMap(name => {
      const n = String(NAMES.indexOf(name) + 1);
      const block = { node: name, confirmed: true, borrowed: [] } as const;
      return [
        { ...block, cidr: `10.64.${n}.0/26`, version: 4 as const },
        { ...block, cidr: `fd64::${n}:0/122`, version: 6 as const },
      ];
    });
    for (const name of members) {
      const n = String(NAMES.indexOf(name) + 1);
      const source: TunnelSource = {
        nodeName: name,
        nodes,
        pools,
        blocks,
        tunnelAddresses: new Map([
          ['vxlan.calico', `10.64.${n}.1`],
          ['vxlan-v6.calico', `fd64::${n}:1`],
        ]),
        vxlan: { vni: 4096, port: 4789, mtu },
      };
      tunnels.get(name)?.apply(source);
    }
  }

  async function pings(from: Name, to: string, ...options: readonly string[]): Promise<boolean> {
    const args = ['-n', ...PATIENT_PING, ...options, to];
    return (await net.try(from, 'ping', ...args)).exitCode === 0;
  }

  const between = async (from: Name, to: Name): Promise<boolean> =>
    await pings(from, HOSTS[to].workload, '-I', HOSTS[from].workload);

  async function ways(name: Name, ...family: readonly string[]): Promise<readonly string[]> {
    const text = await ip(name, ...family, 'route', 'show', 'proto', '80');
    const lines = text
      .split('\n')
      .map(line => line.replace(/ (linkdown|metric 1024|pref medium)| +$/g, '').trim());
    return lines.filter(line => line.includes(' via ')).toSorted();
  }

  const problems = (): readonly string[] => NAMES.flatMap(name => tunnels.get(name)?.problems() ?? []);

  test('carries packets of workloads, and of hosts to workloads, also through a router', async () => {
    tell([POOL]);
    expect(problems()).toEqual([]);
    expect(await ways('a')).toEqual([
      '10.64.2.0/26 via 172.31.9.2 dev vxlan.calico onlink',
      '10.64.3.0/26 via 172.31.8.3 dev vxlan.calico onlink',
    ]);
    for (const [from, to] of [
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'a'],
    ] as const) {
      expect(await between(from, to)).toBe(true);
      expect(await pings(from, HOSTS[to].workload)).toBe(true);
    }
  });

  test('wraps what fits and no more, in packets with a checksum', async () => {
    tell([POOL]);
    const [device] = await net.ipJson('a', 'link', 'show', 'dev', 'vxlan.calico');
    expect(device).toMatchObject({ mtu: LINK_MTU - 50, linkinfo: { info_data: { id: 4096, port: 4789 } } });
    expect(device).toMatchObject({ linkinfo: { info_data: { learning: false, udp_csum: true } } });
    const fits = LINK_MTU - 50 - 28;
    expect(await pings('a', HOSTS.c.workload, '-M', 'do', '-s', String(fits))).toBe(true);
    expect(await pings('a', HOSTS.c.workload, '-M', 'do', '-s', String(fits + 1), '-w', '1')).toBe(false);
    tell([POOL], NAMES, { tunl0: 1200, 'vxlan.calico': 1300 });
    const [smaller] = await net.ipJson('a', 'link', 'show', 'dev', 'vxlan.calico');
    expect(smaller).toMatchObject({ mtu: 1300 });
  });

  test('is for hosts of other subnets only where the pool says so', async () => {
    tell([{ ...POOL, mode: 'cross-subnet' }]);
    expect(await ways('a')).toEqual([
      '10.64.2.0/26 via 172.31.9.2 dev eth0',
      '10.64.3.0/26 via 172.31.8.3 dev vxlan.calico onlink',
    ]);
    expect(await ip('a', 'neigh', 'show', 'dev', 'vxlan.calico', 'nud', 'permanent')).not.toContain(
      '172.31.9.2',
    );
    expect([await between('a', 'b'), await between('a', 'c'), await between('c', 'b')]).toEqual([
      true,
      true,
      true,
    ]);
  });

  test('forgets a host that is removed, and knows it again when it returns', async () => {
    tell([POOL]);
    tell([POOL], ['a', 'b']);
    expect(await ways('a')).toEqual(['10.64.2.0/26 via 172.31.9.2 dev vxlan.calico onlink']);
    const forwarding = async (): Promise<string> =>
      await net.run('a', 'bridge', 'fdb', 'show', 'dev', 'vxlan.calico');
    expect(await forwarding()).not.toContain(HOSTS.c.ipv4);
    expect(await between('a', 'b')).toBe(true);
    tell([POOL]);
    expect(await forwarding()).toContain(HOSTS.c.ipv4);
    expect(await between('a', 'c')).toBe(true);
  });

  test('carries IPv6 inside of IPv6', async () => {
    tell([POOL, POOL6]);
    expect(problems()).toEqual([]);
    expect(await ways('a', '-6')).toEqual([
      expect.stringMatching(/^fd64::2:0\/122 via fe80::\S+ dev vxlan-v6.calico onlink$/),
      expect.stringMatching(/^fd64::3:0\/122 via fe80::\S+ dev vxlan-v6.calico onlink$/),
    ]);
    expect(await pings('a', HOSTS.c.workload6, '-I', HOSTS.a.workload6)).toBe(true);
    expect(await pings('b', HOSTS.a.workload6)).toBe(true);
    expect(await pings('a', HOSTS.c.workload6, '-M', 'do', '-s', String(LINK_MTU - 70 - 48))).toBe(true);
    expect(await between('a', 'c')).toBe(true);
  });

  test('recovers from what others do to its device, its neighbours and its routes', async () => {
    tell([POOL]);
    await ip('a', 'link', 'set', 'vxlan.calico', 'down');
    await eventually('packets flow again', async () => await between('a', 'c'));
    await ip('a', 'link', 'del', 'vxlan.calico');
    await eventually('packets flow again', async () => await between('a', 'c'));
    await ip('a', 'link', 'del', 'vxlan.calico');
    await ip('a', 'link', 'add', 'vxlan.calico', 'type', 'vxlan', 'id', '7', 'dstport', '4789').catch(
      () => '',
    );
    await eventually('packets flow again', async () => await between('a', 'c'));
    await ip('a', 'neigh', 'del', HOSTS.c.ipv4, 'dev', 'vxlan.calico');
    await eventually('packets flow again', async () => await between('a', 'c'));
    expect(problems()).toEqual([]);
  });

  test('leaves a device of another kind alone, and says that it has its name', async () => {
    tell([], ['a']);
    await ip('a', 'link', 'del', 'vxlan.calico').catch(() => '');
    await ip('a', 'link', 'add', 'vxlan.calico', 'type', 'bridge');
    tell([POOL]);
    expect(tunnels.get('a')?.problems()).toEqual([
      'no tunnel for 10.64.0.0/16: create VXLAN device vxlan.calico: a bridge interface has that name; ' +
        'the routes to other hosts that need it are missing',
    ]);
    await ip('a', 'link', 'del', 'vxlan.calico');
    await eventually('it has its device', async () => await between('a', 'c'));
    expect(problems()).toEqual([]);
  });

  test('is gone some seconds after the last pool that wants it, and comes back with one', async () => {
    tell([POOL, POOL6]);
    tell([]);
    await eventually('nothing is left of it', async () => {
      const [links, routes] = [await ip('a', '-br', 'link'), await ways('a')];
      return !links.includes('vxlan') && routes.length === 0;
    });
    tell([POOL]);
    expect(await between('a', 'c')).toBe(true);
  });
});
