import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isCalicoError } from '../../src/base/index.js';
import { WORKLOAD_HOST_MAC } from '../../src/net/index.js';
import { netnsExists, openHostNetwork } from '../../src/netlink/index.js';
import type { HostNetwork } from '../../src/netlink/index.js';
import { createTestNet, eventually } from '../support/netns.js';

const net = createTestNet();
let host: HostNetwork;

beforeAll(async () => {
  const path = await net.add('host');
  await net.add('pod');
  host = await openHostNetwork({ netns: path });
});

afterAll(async () => {
  await net.remove();
  host.close();
});

const veth = (hostName: string) => ({
  hostName,
  hostMac: WORKLOAD_HOST_MAC,
  containerName: 'eth0',
  containerNetns: net.path('pod'),
  mtu: 1440,
});

function errorOf(attempt: () => unknown): unknown {
  try {
    attempt();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('a veth into another namespace', () => {
  test('has its names, MAC and MTU from the start, and both ends are down', async () => {
    const { host: end, containerIndex } = host.createVeth(veth('cali1'));
    expect(end).toMatchObject({ name: 'cali1', mac: WORKLOAD_HOST_MAC, mtu: 1440, up: false, kind: 'veth' });
    expect(host.linkByName('cali1')).toEqual(end);
    const [inPod] = await net.ipJson('pod', 'link', 'show', 'eth0');
    expect(inPod).toMatchObject({ ifindex: containerIndex, mtu: 1440, operstate: 'DOWN' });
    await host.deleteLink(end.index);
    expect(host.linkByName('cali1')).toBeUndefined();
    expect(await net.ipJson('pod', 'link', 'show', 'type', 'veth')).toEqual([]);
  });

  test('runs when both ends are up', async () => {
    const { host: end, containerIndex } = host.createVeth(veth('cali1'));
    host.setLinkUp(end.index);
    expect(host.linkByName('cali1')).toMatchObject({ up: true, running: false });
    const pod = host.enter(net.path('pod'));
    pod.setLinkUp(containerIndex);
    pod.close();
    // The kernel says so a moment after it is so.
    await eventually('it runs', () => host.linkByName('cali1')?.running === true);
    expect(host.linkByName('cali1')).toMatchObject({ up: true });
    host.setLinkDown(end.index);
    expect(host.linkByName('cali1')).toMatchObject({ up: false });
    await host.deleteLink(end.index);
  });

  test('whose name is taken fails with already-exists and says which name', async () => {
    const { host: end } = host.createVeth(veth('cali1'));
    const same = errorOf(() => host.createVeth(veth('cali1')));
    expect(isCalicoError(same, 'already-exists')).toBe(true);
    expect(String(same)).toContain(
      'create veth cali1 with eth0: there is an interface cali1 already (EEXIST)',
    );
    const other = errorOf(() => host.createVeth(veth('cali2')));
    expect(isCalicoError(other, 'already-exists')).toBe(true);
    expect(String(other)).toContain('there is an interface eth0 already');
    expect(host.linkByName('cali2')).toBeUndefined();
    await host.deleteLink(end.index);
  });

  test('is refused for a namespace that does not exist and for a name that is none', () => {
    const lost = errorOf(() => host.createVeth({ ...veth('cali1'), containerNetns: '/run/netns/none' }));
    expect(isCalicoError(lost, 'not-found')).toBe(true);
    const named = errorOf(() => host.createVeth(veth('a/b')));
    expect(isCalicoError(named, 'invalid')).toBe(true);
  });

  test('twenty are deleted at the same time', async () => {
    const ends = Array.from({ length: 20 }, (_, i) =>
      host.createVeth({ ...veth(`cali${String(i)}`), containerName: `e${String(i)}` }),
    );
    await Promise.all(ends.map(async ({ host: end }) => await host.deleteLink(end.index)));
    expect(host.links().filter(link => link.kind === 'veth')).toEqual([]);
  });

  test('that is not there is deleted without complaint', async () => {
    await expect(host.deleteLink(999_999)).resolves.toBeUndefined();
  });
});

describe('addresses, routes and neighbours', () => {
  let index = 0;
  beforeAll(() => {
    const { host: end, containerIndex } = host.createVeth(veth('calir'));
    index = end.index;
    host.setLinkUp(index);
    const pod = host.enter(net.path('pod'));
    pod.setLinkUp(containerIndex);
    pod.close();
  });
  afterAll(async () => {
    await host.deleteLink(index);
  });

  test('addresses of both versions are added, again without error, and listed', async () => {
    for (const address of ['10.9.0.1/24', '10.9.0.1/24', 'fd00:9::1/64']) host.addAddress(index, address);
    const listed = host.addresses().filter(({ interfaceIndex }) => interfaceIndex === index);
    expect(listed.map(({ address }) => address)).toEqual(
      expect.arrayContaining(['10.9.0.1/24', 'fd00:9::1/64']),
    );
    const [link] = await net.ipJson('host', 'addr', 'show', 'dev', 'calir', 'scope', 'global');
    expect(JSON.stringify(link)).not.toContain('tentative');
  });

  test('routes are added, replaced, listed with our protocol and deleted', async () => {
    for (const destination of ['10.1.0.1/32', 'fd00:1::1/128']) {
      host.replaceRoute({ destination, interfaceIndex: index });
      host.replaceRoute({ destination, interfaceIndex: index });
    }
    expect(await net.ipJson('host', 'route', 'show', 'proto', '80')).toMatchObject([
      { dst: '10.1.0.1', dev: 'calir', scope: 'link' },
    ]);
    expect(await net.ipJson('host', '-6', 'route', 'show', 'proto', '80')).toMatchObject([
      { dst: 'fd00:1::1', dev: 'calir' },
    ]);
    const ours = host.routes().filter(({ protocol }) => protocol === 80);
    expect(ours).toMatchObject([
      {
        destination: '10.1.0.1/32',
        interfaceIndex: index,
        scope: 253,
        table: 254,
        type: 'unicast',
        metric: 0,
      },
      { destination: 'fd00:1::1/128', interfaceIndex: index, table: 254, type: 'unicast' },
    ]);
    for (const destination of ['10.1.0.1/32', 'fd00:1::1/128']) {
      host.deleteRoute({ destination, interfaceIndex: index });
      host.deleteRoute({ destination, interfaceIndex: index });
    }
    expect(host.routes().filter(({ protocol }) => protocol === 80)).toEqual([]);
  });

  test('routes through a gateway, of type blackhole, with metric and source keep what was asked', () => {
    host.replaceRoute({ destination: '0.0.0.0/0', gateway: '10.9.0.9', interfaceIndex: index, metric: 7 });
    host.replaceRoute({ destination: '::/0', gateway: 'fd00:9::9', interfaceIndex: index });
    host.replaceRoute({ destination: '10.2.0.0/26', type: 'blackhole' });
    host.replaceRoute({
      destination: '10.3.0.0/26',
      gateway: '169.254.7.7',
      interfaceIndex: index,
      onlink: true,
    });
    host.replaceRoute({ destination: '10.4.0.0/26', interfaceIndex: index, source: '10.9.0.1' });
    const ours = host.routes().filter(({ protocol }) => protocol === 80);
    expect(ours).toHaveLength(5);
    expect(ours).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ destination: '0.0.0.0/0', gateway: '10.9.0.9', metric: 7, scope: 0 }),
        expect.objectContaining({ destination: '::/0', gateway: 'fd00:9::9' }),
        expect.objectContaining({ destination: '10.2.0.0/26', type: 'blackhole' }),
        expect.objectContaining({ destination: '10.3.0.0/26', gateway: '169.254.7.7' }),
      ]),
    );
    for (const { destination, type } of ours) {
      host.deleteRoute({ destination, ...(type === 'blackhole' ? { type } : {}) });
    }
    expect(host.routes().filter(({ protocol }) => protocol === 80)).toEqual([]);
  });

  test('a route of another protocol is not deleted', async () => {
    await net.run('host', 'ip', 'route', 'add', '10.5.0.0/24', 'dev', 'calir', 'proto', 'static');
    host.deleteRoute({ destination: '10.5.0.0/24', interfaceIndex: index });
    expect(await net.ipJson('host', 'route', 'show', '10.5.0.0/24')).toHaveLength(1);
  });

  test('200 routes come and go', () => {
    const destinations = Array.from({ length: 200 }, (_, i) => `10.77.${String(i)}.0/24`);
    for (const destination of destinations) host.replaceRoute({ destination, interfaceIndex: index });
    const ours = host.routes().filter(({ protocol }) => protocol === 80);
    expect(new Set(ours.map(route => route.destination))).toEqual(new Set(destinations));
    for (const destination of destinations) host.deleteRoute({ destination, interfaceIndex: index });
    expect(host.routes().filter(({ protocol }) => protocol === 80)).toEqual([]);
  });

  test("a refusal names the operation, the object and the kernel's own words", () => {
    const error = errorOf(() => {
      host.replaceRoute({ destination: '10.6.0.0/24', gateway: '198.51.100.1', interfaceIndex: index });
    });
    expect(String(error)).toContain(
      `replace route 10.6.0.0/24 via 198.51.100.1 on link ${String(index)}: Nexthop has invalid gateway (ENETUNREACH)`,
    );
    const absent = errorOf(() => {
      host.addAddress(999_999, '10.0.0.1/32');
    });
    expect(isCalicoError(absent, 'not-found')).toBe(true);
    const nonsense = errorOf(() => {
      host.replaceRoute({ destination: 'nonsense', interfaceIndex: index });
    });
    expect(isCalicoError(nonsense, 'invalid')).toBe(true);
  });

  test('neighbours are permanent and can be replaced', async () => {
    for (const mac of ['02:00:00:00:00:01', '02:00:00:00:00:02']) {
      host.replaceNeighbour(index, '10.9.0.7', mac);
      host.replaceNeighbour(index, 'fd00:9::7', mac);
    }
    for (const family of ['-4', '-6']) {
      expect(
        await net.ipJson('host', family, 'neigh', 'show', 'dev', 'calir', 'nud', 'permanent'),
      ).toMatchObject([{ lladdr: '02:00:00:00:00:02', state: ['PERMANENT'] }]);
    }
  });
});

describe('sysctls', () => {
  test('are those of the namespace, and interface names may have dots', async () => {
    const own = await openHostNetwork();
    const before = own.readSysctl(['ipv4', 'ip_forward']);
    host.writeSysctl(['ipv4', 'ip_forward'], '1');
    expect(host.readSysctl(['ipv4', 'ip_forward'])).toBe('1');
    host.writeSysctl(['ipv4', 'ip_forward'], '0');
    expect(host.readSysctl(['ipv4', 'ip_forward'])).toBe('0');
    expect(own.readSysctl(['ipv4', 'ip_forward'])).toBe(before);
    own.close();
    const { host: end } = host.createVeth({ ...veth('cali.1'), containerName: 'dotted' });
    host.writeSysctl(['ipv4', 'conf', 'cali.1', 'proxy_arp'], '1');
    expect(host.readSysctl(['ipv4', 'conf', 'cali.1', 'proxy_arp'])).toBe('1');
    await host.deleteLink(end.index);
    expect(host.readSysctl(['ipv4', 'conf', 'cali.1', 'proxy_arp'])).toBeUndefined();
  });

  test('outside /proc/sys/net, absent ones and wrong values are refused', () => {
    for (const path of [['..', 'kernel', 'hostname'], ['ipv4/../../kernel'], ['.'], [''], []]) {
      expect(
        isCalicoError(
          errorOf(() => host.readSysctl(path)),
          'invalid',
        ),
      ).toBe(true);
    }
    const absent = errorOf(() => {
      host.writeSysctl(['ipv4', 'conf', 'none', 'proxy_arp'], '1');
    });
    expect(isCalicoError(absent, 'not-found')).toBe(true);
    const wrong = errorOf(() => {
      host.writeSysctl(['ipv4', 'ip_forward'], 'x');
    });
    expect(isCalicoError(wrong, 'invalid')).toBe(true);
  });
});

describe('opening and closing', () => {
  test('leaves no descriptor behind and the thread in its own namespace', async () => {
    const fds = (): number => readdirSync('/proc/self/fd').length;
    const home = readlinkSync('/proc/thread-self/ns/net');
    const opened = await openHostNetwork();
    opened.close();
    const before = fds();
    for (let i = 0; i < 50; i++) {
      const pod = host.enter(net.path('pod'));
      pod.watch(() => undefined);
      pod.links();
      await pod.deleteLink(999_999);
      pod.close();
      pod.close();
      errorOf(() => host.enter('/run/netns/none'));
      errorOf(() => host.enter('/proc/self/status'));
      errorOf(() => host.createVeth({ ...veth('cali1'), containerNetns: '/proc/self/status' }));
    }
    expect(fds()).toBe(before);
    expect(readlinkSync('/proc/thread-self/ns/net')).toBe(home);
  });

  test('a namespace is told from any other file', () => {
    expect(netnsExists(net.path('pod'))).toBe(true);
    expect(netnsExists('/proc/self/ns/net')).toBe(true);
    expect(netnsExists('/proc/self/status')).toBe(false);
    expect(netnsExists('/run/netns/none')).toBe(false);
    expect(existsSync('/run/netns/none')).toBe(false);
  });
});
