import { describe, expect, test } from 'vitest';
import { formatCidr, formatIp } from '../net/index.js';
import { parseNetworkConfig } from './netconf.js';

const parse = (config: object): ReturnType<typeof parseNetworkConfig> =>
  parseNetworkConfig(JSON.stringify({ name: 'net1', ...config }));

describe('a network configuration', () => {
  test('that says nothing asks for one IPv4 address, as version 0.2.0', () => {
    expect(parse({})).toEqual({
      cniVersion: '0.2.0',
      name: 'net1',
      type: '',
      mtu: undefined,
      ipam: { type: 'calico-ipam', count: { 4: 1, 6: 0 }, pools: undefined, routes: undefined },
      includeDefaultRoutes: false,
      wantedAddresses: [],
      wantedMac: undefined,
      labels: {},
      policyType: '',
      allowIpForwarding: false,
      prevResult: undefined,
      validAttachments: new Set(),
    });
  });

  test('may say yes and no as a text or as a boolean', () => {
    expect(parse({ ipam: { assign_ipv4: 'false', assign_ipv6: true } }).ipam.count).toEqual({ 4: 0, 6: 1 });
  });

  test('may name pools of both families', () => {
    const { pools } = parse({
      ipam: { ipv4_pools: ['10.0.0.0/16'], ipv6_pools: ['fd00::/48'] },
    }).ipam;
    expect(pools?.map(formatCidr)).toEqual(['10.0.0.0/16', 'fd00::/48']);
  });

  test('may have labels as a map or as a list', () => {
    const labels = { a: '1' };
    expect(parse({ args: { labels } }).labels).toEqual(labels);
    expect(parse({ args: { cni: { labels: [{ key: 'a', value: '1' }] } } }).labels).toEqual(labels);
  });

  test('may ask for certain addresses, by capability or by convention', () => {
    const ips = ['10.0.0.9/24', 'fd00::9'];
    for (const config of [{ runtimeConfig: { ips } }, { args: { cni: { ips } } }]) {
      expect(parse(config).wantedAddresses.map(formatIp)).toEqual(['10.0.0.9', 'fd00::9']);
    }
    expect(parse({ runtimeConfig: { mac: '02-00-00-00-00-AA' } }).wantedMac).toBe('02:00:00:00:00:aa');
  });

  test('may name another IPAM plugin, whose keys are its own', () => {
    const ipam = { type: 'host-local', assign_ipv4: 7, routes: [{ dst: '10.0.0.1/8', gw: '10.1.1.1' }] };
    expect(parse({ ipam }).ipam).toMatchObject({ type: 'host-local', routes: ['10.0.0.0/8'] });
  });

  test('may have keys that only other versions know', () => {
    const more = { nodename: 'n', nodename_file_optional: true, hostname: 'h', log_level: 'info', qps: 1 };
    expect(parse(more).name).toBe('net1');
  });

  test.each([
    [{ name: '' }, 'name is ""; expected the name of the network'],
    [{ mtu: 20 }, 'mtu is 20; expected a whole number from 68 to 65535, or 0 for the default'],
    [{ mtu: '1400' }, 'mtu is "1400"'],
    [{ ipam: 'calico-ipam' }, 'ipam is "calico-ipam"; expected an object'],
    [{ ipam: { assign_ipv4: 'yes' } }, 'ipam.assign_ipv4 is "yes"; expected "true" or "false"'],
    [{ ipam: { assign_ipv4: 'false' } }, 'at least one of assign_ipv4 and assign_ipv6'],
    [{ ipam: { ipv4_pools: ['fd00::/48'] } }, 'ipam.ipv4_pools[0] is "fd00::/48"; expected an IPv4 CIDR'],
    [{ args: { labels: 'x' } }, 'args.labels is "x"'],
    [{ args: { labels: { a: 1 } } }, 'args.labels is {"a":1}'],
    [{ ipam: { type: '../host-local' } }, 'ipam.type is "../host-local"; expected "calico-ipam" or the name'],
    [{ ipam: { type: 'calico' } }, 'ipam.type is "calico"'],
    [{ ipam: { routes: [{ dst: 'default' }] } }, 'ipam.routes[0].dst is "default"; expected a CIDR'],
    [{ runtimeConfig: { ips: ['10.0.0.1', '10.0.0.2'] } }, 'at most one of each IP version'],
    [{ runtimeConfig: { ips: ['10.0.0'] } }, 'runtimeConfig.ips is ["10.0.0"]'],
    [{ runtimeConfig: { mac: '01:00:00:00:00:00' } }, 'expected a hardware address of 6 bytes'],
    [{ 'cni.dev/valid-attachments': [{}] }, 'cni.dev/valid-attachments is {}'],
    [{ policy: { type: 1 } }, 'policy.type is 1; expected a text'],
  ])('%j is refused with its place and what is expected', (config, message) => {
    expect(() => parse(config)).toThrow(message);
  });
});
