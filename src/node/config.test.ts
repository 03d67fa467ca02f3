import { describe, expect, test } from 'vitest';
import { readAgentConfig } from './config.js';

describe('the configuration of the agent', () => {
  test('is complete without any variable', () => {
    expect(readAgentConfig({}, 'host-a')).toMatchObject({
      nodeName: 'host-a',
      stateDir: '/var/lib/calico',
      store: { type: 'sqlite', directory: '/var/lib/calico/store' },
      backend: 'bird',
      nftApplier: 'netlink',
    });
  });

  test('knows two ways for the ruleset into the kernel', () => {
    expect(readAgentConfig({ CALICO_NFT_APPLIER: 'program' }, 'h').nftApplier).toBe('program');
    expect(() => readAgentConfig({ CALICO_NFT_APPLIER: 'iptables' }, 'h')).toThrow(
      /CALICO_NFT_APPLIER='iptables': expected one of netlink, program/,
    );
  });

  test('takes a variable that is set but empty as not set', () => {
    expect(readAgentConfig({ NODENAME: '', IP: '' }, 'host-a')).toMatchObject({
      nodeName: 'host-a',
      startup: { addresses: { 4: undefined } },
    });
  });

  test('normalises addresses and AS numbers', () => {
    const config = readAgentConfig(
      {
        IP6: 'FD00:0::1',
        AS: '1.10',
      },
      'host-a',
    );
    expect(config.startup).toMatchObject({ addresses: { 6: 'fd00::1' }, asNumber: 65_546 });
  });

  test('chooses etcd by its type or by its endpoints, and a variable with CALICO_ before it wins', () => {
    const store = (env: Readonly<Record<string, string>>): unknown => readAgentConfig(env, 'h').store;
    const ETCD_ENDPOINTS = 'https://a:1,https://b:2';
    expect(store({ DATASTORE_TYPE: 'etcdv3' })).toMatchObject({ endpoints: ['http://127.0.0.1:2379'] });
    expect(store({ DATASTORE_TYPE: 'sqlite', ETCD_ENDPOINTS })).toMatchObject({ type: 'sqlite' });
    expect(store({ ETCD_AUTHORITY: 'a:1', CALICO_ETCD_SCHEME: 'https' })).toMatchObject({
      endpoints: ['https://a:1'],
    });
    expect(
      store({
        ETCD_ENDPOINTS,
        CALICO_ETCD_USERNAME: 'u',
        ETCD_USERNAME: 'v',
        ETCD_PASSWORD: 'p',
        ETCD_CA_CERT_FILE: '/ca',
        ETCD_CERT_FILE: '/cert',
        ETCD_KEY: 'PEM',
      }),
    ).toEqual({
      type: 'etcdv3',
      endpoints: ['https://a:1', 'https://b:2'],
      username: 'u',
      password: 'p',
      ca: { file: '/ca' },
      cert: { file: '/cert' },
      key: { text: 'PEM' },
    });
  });

  test('says everything that is wrong at once, with name, value and expectation', () => {
    const read = (): unknown =>
      readAgentConfig({ IP: 'aa::1', AS: 'x', CALICO_NETWORKING_BACKEND: 'ospf' }, 'h');
    expect(read).toThrow(/IP='aa::1': expected an IPv4 address or autodetect/);
    expect(read).toThrow(/AS='x': expected an AS number/);
    expect(read).toThrow(/CALICO_NETWORKING_BACKEND='ospf': expected one of bird, gobgp, none/);
  });

  test.each([
    ['AS', '0', 'an AS number from 1 to 4294967295'],
    ['AS', '99999999999999999999999', 'an AS number'],
    ['IP_AUTODETECTION_METHOD', 'best', 'first-found, can-reach='],
    ['IP_AUTODETECTION_METHOD', 'interface=eth[', 'first-found'],
    ['IP_AUTODETECTION_METHOD', 'interface=eth0,', 'first-found'],
    ['IP_AUTODETECTION_METHOD', 'can-reach=a b', 'first-found, can-reach='],
    ['IP6_AUTODETECTION_METHOD', 'cidr=10.0.0.0', 'first-found'],
    ['CALICO_IPV4POOL_CIDR', '10.0.0.0/27', 'an IPv4 network of at least 64 addresses'],
    ['CALICO_IPV4POOL_IPIP', 'sometimes', 'one of Never, Always, CrossSubnet'],
    ['CALICO_IPV6POOL_VXLAN', 'sometimes', 'one of Never, Always, CrossSubnet'],
    ['NO_DEFAULT_POOLS', 'yes', 'one of true, false'],
  ])('refuses %s=%s in one line', (name, value, expected) => {
    const read = (): unknown => readAgentConfig({ [name]: value }, 'h');
    expect(read).toThrow(`${name}='${value}': expected ${expected}`);
  });

  test('makes no default pools when told so, else by the variables for them', () => {
    expect(readAgentConfig({ NO_DEFAULT_POOLS: 'true' }, 'h').startup.pools).toBeUndefined();
    const env = { CALICO_IPV4POOL_CIDR: '10.9.0.0/16', CALICO_IPV4POOL_IPIP: 'CrossSubnet' };
    expect(readAgentConfig(env, 'h').startup.pools).toEqual({
      4: { cidr: '10.9.0.0/16', ipip: 'cross-subnet', vxlan: 'off', natOutgoing: true },
      6: { cidr: undefined, ipip: 'off', vxlan: 'off', natOutgoing: false },
    });
    const both = { CALICO_IPV4POOL_IPIP: 'Always', CALICO_IPV4POOL_VXLAN: 'Always' };
    expect(() => readAgentConfig(both, 'h')).toThrow(
      "CALICO_IPV4POOL_VXLAN='Always': expected Never beside CALICO_IPV4POOL_IPIP",
    );
  });

  test('takes CALICO_NETWORKING=false, as manifests had it, for policy without routing', () => {
    expect(readAgentConfig({ CALICO_NETWORKING: 'false' }, 'h').backend).toBe('none');
  });
});
