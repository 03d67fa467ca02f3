import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger, systemClock } from '../../src/base/index.js';
import { createEndpointPlumbing } from '../../src/dataplane/endpoints/index.js';
import type { EndpointPlumbing, EndpointState } from '../../src/dataplane/endpoints/index.js';
import { openHostNetwork } from '../../src/netlink/index.js';
import type { HostNetwork } from '../../src/netlink/index.js';
import { addPod as addPodTo, idOf, removed, updated } from '../support/endpoints.js';
import type { PodOptions } from '../support/endpoints.js';
import { createTestNet, eventually, PATIENT_PING } from '../support/netns.js';
import type { TestNet } from '../support/netns.js';

let net: TestNet;
let host: HostNetwork;
let plumbing: EndpointPlumbing;

beforeEach(async () => {
  net = createTestNet();
  host = await openHostNetwork({ netns: await net.add('host') });
  for (const address of ['10.64.0.1/32', 'fd64::1/128']) host.addAddress(1, address);
  plumbing = newPlumbing();
});

afterEach(async () => {
  await net.remove();
  plumbing.stop();
  host.close();
});

function newPlumbing(): EndpointPlumbing {
  const config = { interfacePrefixes: ['cali'], ipv6: true };
  return createEndpointPlumbing({ network: host, config, log: silentLogger, clock: systemClock });
}

const addPod = async (name: string, addresses: readonly string[], options?: PodOptions) =>
  await addPodTo({ net, host }, name, { addresses, ...options });

const ours = (): readonly string[] =>
  host
    .routes()
    .filter(({ protocol }) => protocol === 80)
    .map(({ destination, interfaceIndex }) => {
      const name = host.links().find(({ index }) => index === interfaceIndex)?.name;
      return `${destination} ${name ?? '?'}`;
    })
    .sort();

const stateOf = (name: string): EndpointState | undefined => plumbing.states().get(idOf(name));

const isUp = (name: string) => () => stateOf(name)?.state === 'up';

async function pings(from: string, address: string): Promise<boolean> {
  const { exitCode } = await net.try(from, 'ping', '-n', ...PATIENT_PING, address);
  return exitCode === 0;
}

describe('traffic of local workloads', () => {
  test('flows between workloads and the host in both versions, with and without a default route', async () => {
    await addPod('a', ['10.65.0.1/32', 'fd65::1/128'], { permanent: true });
    await addPod('b', ['10.65.0.2/32', 'fd65::2/128']);
    plumbing.start();
    await plumbing.apply([
      updated('a', { addresses: ['10.65.0.1', 'fd65::1'] }),
      updated('b', { addresses: ['10.65.0.2', 'fd65::2'] }),
    ]);
    await eventually('both are up', () => isUp('a')() && isUp('b')());
    expect(ours()).toContain('169.254.1.1/32 lo');
    expect(await pings('a', '10.65.0.2')).toBe(true);
    expect(await pings('b', '10.65.0.1')).toBe(true);
    expect(await pings('a', 'fd65::2')).toBe(true);
    expect(await pings('host', '10.65.0.1')).toBe(true);
    expect(await pings('host', 'fd65::2')).toBe(true);

    await net.run('host', 'ip', 'link', 'add', 'uplink', 'type', 'veth', 'peer', 'name', 'far');
    await net.run('host', 'ip', 'link', 'set', 'uplink', 'up');
    await net.run('host', 'ip', 'route', 'add', 'default', 'dev', 'uplink');
    await eventually('the loopback route leaves', () => !ours().includes('169.254.1.1/32 lo'));
    await net.run('b', 'ip', 'neigh', 'flush', 'dev', 'eth0');
    expect(await pings('b', '10.65.0.1')).toBe(true);
    await net.run('host', 'ip', 'link', 'set', 'uplink', 'down');
    await eventually('the loopback route returns', () => ours().includes('169.254.1.1/32 lo'));
  });

  test('is possible as soon as the interface appears after its endpoint', async () => {
    plumbing.start();
    await plumbing.apply([updated('a', { addresses: ['10.65.0.1'] })]);
    expect(stateOf('a')).toEqual({ state: 'down', reason: 'there is no interface calia' });
    await addPod('a', ['10.65.0.1/32']);
    await eventually('it is up', isUp('a'));
    expect(ours()).toEqual(['10.65.0.1/32 calia', '169.254.1.1/32 lo']);
    expect(await pings('host', '10.65.0.1')).toBe(true);
    expect(await pings('a', '10.64.0.1')).toBe(true);
  });
});

describe("a workload's interface", () => {
  test('gets its settings before it is up, and the host forwards', async () => {
    plumbing.start();
    await plumbing.apply([updated('a', { addresses: ['10.65.0.1'] })]);
    await addPod('a', [], { hostUp: false });
    const read = (...path: readonly string[]) => host.readSysctl(path);
    await eventually('settings are made', () => read('ipv4', 'conf', 'calia', 'proxy_arp') === '1');
    expect(read('ipv4', 'neigh', 'calia', 'proxy_delay')).toBe('0');
    expect(read('ipv4', 'conf', 'calia', 'forwarding')).toBe('1');
    expect(read('ipv4', 'conf', 'calia', 'route_localnet')).toBe('0');
    expect(read('ipv6', 'conf', 'calia', 'accept_ra')).toBe('0');
    expect(read('ipv6', 'conf', 'calia', 'proxy_ndp')).toBe('1');
    expect(read('ipv6', 'conf', 'calia', 'forwarding')).toBe('1');
    expect(read('ipv4', 'ip_forward')).toBe('1');
    expect(read('ipv6', 'conf', 'all', 'forwarding')).toBe('1');
    expect(stateOf('a')).toEqual({ state: 'down', reason: 'interface calia is down' });
  });

  test('that goes down loses its routes and gets them back when it is up', async () => {
    const index = await addPod('a', ['10.65.0.1/32', 'fd65::1/128']);
    plumbing.start();
    await plumbing.apply([updated('a', { addresses: ['10.65.0.1', 'fd65::1'] })]);
    await eventually('it is up', isUp('a'));
    host.setLinkDown(index);
    await eventually('it is down', () => stateOf('a')?.state === 'down');
    expect(ours()).toEqual(['169.254.1.1/32 lo']);
    host.setLinkUp(index);
    await eventually('it is up', isUp('a'));
    expect(ours()).toEqual(['10.65.0.1/32 calia', '169.254.1.1/32 lo', 'fd65::1/128 calia']);
  });

  test('that is deleted and comes again is plumbed anew', async () => {
    plumbing.start();
    await plumbing.apply([updated('a', { addresses: ['10.65.0.1'] })]);
    const index = await addPod('a', ['10.65.0.1/32']);
    await eventually('it is up', isUp('a'));
    await host.deleteLink(index);
    await eventually('it is gone', () => stateOf('a')?.state === 'down');
    expect(stateOf('a')).toEqual({ state: 'down', reason: 'there is no interface calia' });
    await addPod('a2', ['10.65.0.1/32'], { hostUp: false });
    await net.run('host', 'ip', 'link', 'set', 'calia2', 'name', 'calia', 'up');
    await eventually('it is up', isUp('a'));
    expect(ours()).toContain('10.65.0.1/32 calia');
    expect(host.readSysctl(['ipv4', 'conf', 'calia', 'proxy_arp'])).toBe('1');
  });

  test('whose other end has a known MAC gets a permanent neighbour that follows a change', async () => {
    await addPod('a', ['10.65.0.1/32']);
    plumbing.start();
    for (const mac of ['02:00:00:00:00:0a', '02:00:00:00:00:0b']) {
      await plumbing.apply([updated('a', { addresses: ['10.65.0.1'], mac })]);
      await eventually('it is up', isUp('a'));
      const neighbours = await net.ipJson('host', '-4', 'neigh', 'show', 'dev', 'calia', 'nud', 'permanent');
      expect(neighbours).toMatchObject([{ dst: '10.65.0.1', lladdr: mac }]);
    }
  });

  test('answers for the router that its endpoint names, and no more for the one before', async () => {
    await addPod('a', ['fd65::1/64']);
    plumbing.start();
    const asks = async (gateway: string): Promise<boolean> => {
      await net.run('a', 'ip', '-6', 'neigh', 'flush', 'dev', 'eth0', 'nud', 'reachable', 'nud', 'stale');
      await net.try('a', 'ping', '-n', '-c', '1', '-W', '1', gateway);
      const { stdout } = await net.try('a', 'ip', '-6', 'neigh', 'show', gateway);
      return stdout.includes('lladdr ee:ee:ee:ee:ee:ee');
    };
    for (const [gateway, other] of [
      ['fd65::ff', 'fd65::fe'],
      ['fd65::fe', 'fd65::ff'],
    ] as const) {
      await plumbing.apply([updated('a', { addresses: ['fd65::1'], ipv6Gateway: gateway })]);
      await eventually('it is answered for', async () => await asks(gateway));
      const proxies = await net.run('host', 'ip', '-6', 'neigh', 'show', 'proxy', 'dev', 'calia');
      expect(proxies).toContain(gateway);
      expect(proxies).not.toContain(other);
    }
  });

  test('without a workload name is never touched', async () => {
    await net.run('host', 'ip', 'link', 'add', 'eth7', 'type', 'veth');
    await net.run('host', 'ip', 'link', 'set', 'eth7', 'up');
    plumbing.start();
    await plumbing.apply([updated('a', { addresses: ['10.65.0.1'], interfaceName: 'eth7' })]);
    expect(stateOf('a')).toMatchObject({ state: 'error' });
    expect(host.readSysctl(['ipv4', 'conf', 'eth7', 'proxy_arp'])).toBe('0');
    expect(ours()).not.toContain('10.65.0.1/32 eth7');
  });
});

describe('host routes', () => {
  test('that somebody else deletes or replaces are back at once', async () => {
    await addPod('a', ['10.65.0.1/32', 'fd65::1/128']);
    plumbing.start();
    await plumbing.apply([updated('a', { addresses: ['10.65.0.1', 'fd65::1'] })]);
    await eventually('it is up', isUp('a'));
    const all = ours();
    const restored = () => ours().join() === all.join();
    await net.run('host', 'ip', 'route', 'del', '10.65.0.1');
    await net.run('host', 'ip', '-6', 'route', 'del', 'fd65::1');
    expect(restored()).toBe(false);
    await eventually('deleted routes are back', restored);
    await net.run('host', 'ip', 'route', 'replace', '10.65.0.1', 'dev', 'lo', 'proto', 'static');
    expect(restored()).toBe(false);
    await eventually('the replaced route is back', restored);
  });

  test('are repaired when the events that told of it were lost', async () => {
    await addPod('a', ['10.65.0.1/32']);
    plumbing.stop();
    const deaf = await openHostNetwork({ netns: net.path('host'), watchBuffer: 4096 });
    const config = { interfacePrefixes: ['cali'], ipv6: true };
    plumbing = createEndpointPlumbing({ network: deaf, config, log: silentLogger, clock: systemClock });
    plumbing.start();
    await plumbing.apply([updated('a', { addresses: ['10.65.0.1'] })]);
    for (let i = 0; i < 300; i++) {
      host.replaceRoute({
        destination: `10.70.${String(i >> 8)}.${String(i & 255)}/32`,
        interfaceIndex: 1,
        protocol: 4,
      });
    }
    host.deleteRoute({ destination: '10.65.0.1/32' });
    expect(ours()).not.toContain('10.65.0.1/32 calia');
    await eventually('the route is back', () => ours().includes('10.65.0.1/32 calia'));
    plumbing.stop();
    deaf.close();
  });

  test('of other protocols stay, also on the interface of a workload', async () => {
    await addPod('a', ['10.65.0.1/32']);
    await net.run('host', 'ip', 'route', 'add', '10.99.0.1/32', 'dev', 'calia', 'proto', 'static');
    await net.run('host', 'ip', 'route', 'add', 'blackhole', '10.65.0.0/26', 'proto', '80');
    plumbing.start();
    await plumbing.apply([updated('a', { addresses: ['10.65.0.1'] })]);
    await plumbing.apply([removed('a')]);
    plumbing.resync();
    expect(await net.ipJson('host', 'route', 'show', '10.99.0.1')).toHaveLength(1);
    expect(await net.ipJson('host', 'route', 'show', '10.65.0.0/26')).toHaveLength(1);
    expect(ours().filter(route => route.includes('cali'))).toEqual([]);
  });

  test('follow the addresses of their endpoint and leave with it', async () => {
    await addPod('a', ['10.65.0.1/32']);
    plumbing.start();
    await plumbing.apply([updated('a', { addresses: ['10.65.0.1', '10.65.0.9'] })]);
    await eventually('it is up', isUp('a'));
    expect(ours()).toEqual(['10.65.0.1/32 calia', '10.65.0.9/32 calia', '169.254.1.1/32 lo']);
    await plumbing.apply([updated('a', { addresses: ['10.65.0.2'] })]);
    expect(ours()).toEqual(['10.65.0.2/32 calia', '169.254.1.1/32 lo']);
    await plumbing.apply([updated('a', { addresses: ['10.65.0.2'], adminUp: false })]);
    expect(ours().filter(route => route.includes('cali'))).toEqual([]);
    expect(stateOf('a')).toEqual({ state: 'down', reason: 'switched off' });
    await plumbing.apply([updated('a', { addresses: ['10.65.0.2'] })]);
    await plumbing.apply([removed('a')]);
    expect(ours()).toEqual([]);
    expect(plumbing.states().size).toBe(0);
  });

  test('go to the endpoint with the lowest id when two claim an address, in any order of arrival', async () => {
    await addPod('a', ['10.65.0.1/32']);
    await addPod('b', ['10.65.0.1/32']);
    plumbing.start();
    await plumbing.apply([updated('b', { addresses: ['10.65.0.1'] })]);
    expect(ours()).toContain('10.65.0.1/32 calib');
    await plumbing.apply([updated('a', { addresses: ['10.65.0.1'] })]);
    expect(ours()).toContain('10.65.0.1/32 calia');
    expect(stateOf('a')).toEqual({ state: 'up' });
    expect(stateOf('b')).toEqual({ state: 'error', reason: '10.65.0.1/32 belongs to endpoint a' });
    await plumbing.apply([removed('a')]);
    expect(ours()).toEqual(['10.65.0.1/32 calib', '169.254.1.1/32 lo']);
    expect(stateOf('b')).toEqual({ state: 'up' });
  });
});

describe('what the kernel refuses', () => {
  test('shows in the state of its endpoint alone, is logged once, and heals by itself', async () => {
    plumbing.stop();
    const lines: string[] = [];
    const log = { ...silentLogger, warn: (message: string) => lines.push(message) };
    const config = { interfacePrefixes: ['cali'], ipv6: true };
    plumbing = createEndpointPlumbing({ network: host, config, log, clock: systemClock });
    await addPod('a', ['10.65.0.1/32']);
    await addPod('b', ['10.65.0.2/32']);
    const heard: string[] = [];
    plumbing.onState((id, state) => heard.push(`${id} ${state?.state ?? 'gone'}`));
    plumbing.start();
    // Eight bytes: a hardware address, but not one of Ethernet.
    const full = { addresses: ['10.65.0.1'], mac: '02:00:00:00:00:00:00:01' };
    await plumbing.apply([updated('a', full), updated('b', { addresses: ['10.65.0.2'] })]);
    expect(stateOf('a')).toMatchObject({ state: 'error' });
    expect(stateOf('b')).toEqual({ state: 'up' });
    await new Promise(resolve => setTimeout(resolve, 1200));
    expect(lines).toEqual(['plumbing failed']);
    await plumbing.apply([updated('a', { addresses: ['10.65.0.1'], mac: '02:00:00:00:00:01' })]);
    expect(stateOf('a')).toEqual({ state: 'up' });
    await plumbing.apply([removed('a')]);
    expect(heard.filter(line => line.startsWith('a '))).toEqual(['a error', 'a up', 'a gone']);
  });
});

describe('a setting that somebody else writes', () => {
  test.each([
    'net.ipv4.ip_forward=1',
    'net.ipv4.conf.calia.proxy_arp=1',
    'net.ipv4.conf.calia.forwarding=1',
    'net.ipv6.conf.all.forwarding=1',
    'net.ipv6.conf.calia.proxy_ndp=1',
  ])('is %s again, without waiting for the next reading of everything', async wanted => {
    await addPod('a', ['10.65.0.1/32', 'fd65::1/128']);
    plumbing.start();
    await plumbing.apply([updated('a', { addresses: ['10.65.0.1', 'fd65::1'] })]);
    await eventually('the endpoint is up', isUp('a'));
    const [path = ''] = wanted.split('=');
    const name = path.replaceAll('.', '/');
    await net.run('host', 'sysctl', '-q', '-w', `${name}=0`);
    const value = (): string | undefined => host.readSysctl(name.split('/').slice(1));
    await eventually('it is back', () => value() !== '0');
    expect(value()).toBe('1');
  });
});

describe('a restart', () => {
  test('changes nothing that is right, and with the first full state removes what has no endpoint', async () => {
    await addPod('a', ['10.65.0.1/32']);
    await addPod('b', ['10.65.0.2/32']);
    plumbing.start();
    const both = [updated('a', { addresses: ['10.65.0.1'] }), updated('b', { addresses: ['10.65.0.2'] })];
    await plumbing.apply(both);
    await eventually('both are up', () => isUp('a')() && isUp('b')());
    const all = ours();
    plumbing.stop();
    expect(ours()).toEqual(all);

    const events: string[] = [];
    const watch = host.watch(change => {
      // Links that are new get addresses and routes of their own from the kernel, in IPv6 and a second later.
      for (const event of change.events) {
        if ('route' in event && !event.route.destination.includes(':')) events.push(event.kind);
      }
    });
    plumbing = newPlumbing();
    plumbing.start();
    await plumbing.apply(both);
    expect(ours()).toEqual(all);
    expect(isUp('a')() && isUp('b')()).toBe(true);
    plumbing.stop();

    plumbing = newPlumbing();
    plumbing.start();
    expect(ours()).toEqual(all);
    await plumbing.apply([updated('a', { addresses: ['10.65.0.1'] })]);
    expect(ours()).toEqual(['10.65.0.1/32 calia', '169.254.1.1/32 lo']);
    await eventually('the removal is seen', () => events.length > 0);
    expect(events).toEqual(['route-gone']);
    watch.close();
  });

  test('ends with every descriptor closed', async () => {
    const fds = (): number => readdirSync('/proc/self/fd').length;
    plumbing.start();
    plumbing.stop();
    const before = fds();
    for (let i = 0; i < 20; i++) {
      plumbing = newPlumbing();
      plumbing.start();
      await plumbing.apply([updated('a')]);
      plumbing.stop();
    }
    expect(fds()).toBe(before);
  });
});
