import { describe, expect, test } from 'vitest';
import type { AddressInfo, LinkInfo, RouteInfo } from '../netlink/index.js';
import { parseDetection } from './address-detection.js';
import { chooseAddress } from './choose-address.js';

function link(index: number, name: string, up = true): LinkInfo {
  return { index, name, up, mac: '02:00:00:00:00:01', mtu: 1500, running: true, kind: undefined };
}

function address(interfaceIndex: number, text: string): AddressInfo {
  return { interfaceIndex, address: text, scope: 0 };
}

function defaultRoute(interfaceIndex: number, metric: number): RouteInfo {
  return {
    destination: '0.0.0.0/0',
    gateway: '10.0.0.1',
    interfaceIndex,
    protocol: 3,
    scope: 0,
    table: 254,
    type: 'unicast',
    metric,
  };
}

describe('the address that a host is known by', () => {
  const links = [link(1, 'lo'), link(2, 'eth0'), link(3, 'eth1'), link(4, 'docker0'), link(5, 'cali123')];
  const addresses = [
    address(1, '127.0.0.1/8'),
    address(4, '172.17.0.1/16'),
    address(2, '192.168.1.5/24'),
    address(3, '10.0.0.5/24'),
    address(3, 'fe80::1/64'),
  ];

  test('is the one on the interface of the default route', () => {
    expect(chooseAddress({ links, addresses, routes: [defaultRoute(3, 0)] }, 4)).toBe('10.0.0.5');
  });

  test('is that of the better default route where there are two', () => {
    expect(chooseAddress({ links, addresses, routes: [defaultRoute(3, 100), defaultRoute(2, 10)] }, 4)).toBe(
      '192.168.1.5',
    );
  });

  test('is the first on an interface of the host itself where there is no default route', () => {
    expect(chooseAddress({ links, addresses, routes: [] }, 4)).toBe('192.168.1.5');
  });

  test('is never that of a bridge, a workload, loopback or a link-local one', () => {
    const few = addresses.filter(item => item.interfaceIndex !== 2 && item.address !== '10.0.0.5/24');
    expect(chooseAddress({ links, addresses: few, routes: [] }, 4)).toBeUndefined();
    expect(chooseAddress({ links, addresses: few, routes: [] }, 6)).toBeUndefined();
  });

  test('is not on an interface that is down', () => {
    const down = [link(2, 'eth0', false), link(3, 'eth1')];
    expect(chooseAddress({ links: down, addresses, routes: [] }, 4)).toBe('10.0.0.5');
  });

  test.each([
    ['interface=eth.*', '10.0.0.5'],
    ['interface=^eth0$', '192.168.1.5'],
    ['interface=wlan.*,eth0', '192.168.1.5'],
    ['interface=docker0', '172.17.0.1'],
    ['interface=wlan.*', undefined],
    ['skip-interface=eth1', '192.168.1.5'],
    ['skip-interface=eth0,eth1', undefined],
    ['cidr=192.168.0.0/16', '192.168.1.5'],
    ['cidr=172.17.0.0/16', '172.17.0.1'],
    ['cidr=11.0.0.0/8,192.168.0.0/16', '192.168.1.5'],
    ['cidr=10.0.0.0/16', '10.0.0.5'],
    ['cidr=11.0.0.0/8', undefined],
    ['first-found', '10.0.0.5'],
  ])('is by %s the one that the operator means', (method, expected) => {
    const detection = parseDetection(method);
    if (detection === undefined || detection.kind === 'can-reach') throw new Error('a local method');
    expect(chooseAddress({ links, addresses, routes: [defaultRoute(3, 0)] }, 4, detection)).toBe(expected);
  });
});
