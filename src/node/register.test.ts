import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../base/index.js';
import type { Logger } from '../base/index.js';
import { createResourceClient, openStore } from '../datastore/index.js';
import type { ResourceClient, Store } from '../datastore/index.js';
import type { LinkInfo } from '../netlink/index.js';
import type { HostView } from './choose-address.js';
import { readAgentConfig } from './config.js';
import { ensureDefaultPools } from './ensure-default-pools.js';
import type { Environment } from './environment-reader.js';
import { registerNode } from './register.js';

function viewWith(...addresses: readonly string[]): HostView {
  const link: LinkInfo = {
    index: 2,
    name: 'eth0',
    up: true,
    mac: '02:00:00:00:00:01',
    mtu: 1500,
    running: true,
    kind: undefined,
  };
  return {
    links: [link],
    addresses: addresses.map(address => ({ interfaceIndex: 2, address, scope: 0 })),
    routes: [],
  };
}

let directory: string;
let store: Store;
let client: ResourceClient;
let said: string[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'calico-register-'));
  store = await openStore({ type: 'sqlite', directory });
  client = createResourceClient(store);
  said = [];
});

afterEach(async () => {
  await store.close();
  rmSync(directory, { recursive: true });
});

const log: Logger = {
  ...silentLogger,
  info: message => said.push(message),
  warn: (message, fields) => said.push(`${message} ${JSON.stringify(fields)}`),
};

async function register(env: Environment, view = viewWith('10.0.0.5/24', 'fd00::5/64')): Promise<unknown> {
  said = [];
  const config = readAgentConfig(env, 'host-a');
  await registerNode({ config, client, view, log });
  const [node] = await client.list('node', { name: config.nodeName });
  return node?.spec;
}

describe('a node that starts', () => {
  test('finds its address, and says which and how', async () => {
    expect(await register({})).toEqual({ bgp: { ipv4Address: '10.0.0.5' } });
    expect(said).toEqual([
      'Using auto-detected IPv4 address: 10.0.0.5',
      'No IPv6 address configured',
      'Using global AS number',
      'Calico node name:  host-a',
    ]);
  });

  test('takes what the operator says', async () => {
    const env = { IP: '10.0.0.5', IP6: 'autodetect', AS: '64086.59904', NODENAME: 'n' };
    expect(await register(env)).toEqual({
      bgp: { ipv4Address: '10.0.0.5', ipv6Address: 'fd00::5', asNumber: 4_200_000_000 },
    });
    expect(said).toEqual([
      'Using IPv4 address from IP environment: 10.0.0.5',
      'Using auto-detected IPv6 address: fd00::5',
      'Using AS number from AS environment: 4200000000',
      'Calico node name:  n',
    ]);
  });

  test('keeps what is stored, whatever else comes to the host', async () => {
    await register({ AS: '65001' });
    const view = viewWith('10.0.0.1/24', '10.0.0.5/24');
    expect(await register({}, view)).toEqual({ bgp: { ipv4Address: '10.0.0.5', asNumber: 65_001 } });
    expect(said).toContain('Using configured IPv4 address: 10.0.0.5');
    expect(said).toContain('Using configured AS number: 65001');
  });

  test('stays a route reflector', async () => {
    const bgp = { ipv4Address: '10.0.0.5', routeReflectorClusterID: '1.0.0.1' };
    const resource = { apiVersion: 'v1', kind: 'node', metadata: { name: 'host-a' }, spec: { bgp } } as const;
    await client.write([{ verb: 'create', resource }]);
    expect(await register({ AS: '65001' })).toEqual({ bgp: { ...bgp, asNumber: 65_001 } });
  });

  test('looks anew, with a warning, when its address has left the host', async () => {
    await register({});
    expect(await register({}, viewWith('10.0.0.9/24'))).toEqual({ bgp: { ipv4Address: '10.0.0.9' } });
    expect(said.join('\n')).toMatch(/10\.0\.0\.5, which the datastore has .* is not on this host any more/);
    expect(said.join('\n')).toContain('"before":"10.0.0.5","now":"10.0.0.9"');
  });

  test('looks anew at every start when told to', async () => {
    await register({});
    const view = viewWith('10.0.0.1/24', '10.0.0.5/24');
    expect(await register({ IP: 'autodetect' }, view)).toEqual({ bgp: { ipv4Address: '10.0.0.1' } });
  });

  test('warns of an address that no interface has', async () => {
    await register({ IP: '10.9.9.9' });
    expect(said.join('\n')).toContain('10.9.9.9 is on no interface of this host');
  });

  test('refuses an address that another node has, by name', async () => {
    await register({ NODENAME: 'other' });
    await expect(register({})).rejects.toMatchObject({
      code: 'already-exists',
      message: expect.stringContaining('node other has the address 10.0.0.5 already'),
    });
  });

  test('refuses to start routing without an address', async () => {
    await expect(register({}, viewWith())).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('set IP to it'),
    });
  });

  test('needs no address for policy alone', async () => {
    expect(await register({ CALICO_NETWORKING_BACKEND: 'none' })).toEqual({});
  });

  test('finds the address that the kernel uses towards another one', async () => {
    const env = { IP_AUTODETECTION_METHOD: 'can-reach=127.0.0.2' };
    expect(await register(env)).toMatchObject({ bgp: { ipv4Address: '127.0.0.1' } });
    const nowhere = { NODENAME: 'b', IP_AUTODETECTION_METHOD: 'can-reach=no-such-host.invalid' };
    await expect(register(nowhere)).rejects.toMatchObject({ code: 'invalid' });
  });
});

describe('a cluster without pools', () => {
  async function pools(env: Environment, view = viewWith('10.0.0.5/24'), ipv6 = true): Promise<unknown> {
    await register({});
    const { startup } = readAgentConfig(env, 'host-a');
    await ensureDefaultPools({ pools: startup.pools, client, view, ipv6, log });
    const found = await client.list('ipPool');
    return found.map(({ metadata, spec }) => [metadata.cidr, spec]);
  }

  const ipv6Pool = [expect.stringMatching(/^fd[0-9a-f:]+::\/48$/), {}];

  test('gets one of each version, those of IPv4 with a way out', async () => {
    expect(await pools({})).toEqual([['192.168.0.0/16', { 'nat-outgoing': true }], ipv6Pool]);
    expect(said).toContain('Created default pool 192.168.0.0/16');
  });

  test.each([
    ['192.168.1.5/24', '172.16.0.0/16'],
    ['172.16.3.1/20', '192.168.0.0/16'],
  ])('gets one that is not the network of a host at %s', async (address, expected) => {
    expect(await pools({}, viewWith(address))).toEqual([[expected, expect.anything()], ipv6Pool]);
  });

  test('gets none over IPv6 where hosts do not speak it', async () => {
    expect(await pools({}, viewWith('10.0.0.5/24'), false)).toHaveLength(1);
  });

  test('gets what the operator said of them', async () => {
    const env = {
      CALICO_IPV4POOL_CIDR: '10.9.0.0/16',
      CALICO_IPV4POOL_IPIP: 'Always',
      CALICO_IPV4POOL_NAT_OUTGOING: 'false',
    };
    expect(await pools(env)).toEqual([['10.9.0.0/16', { ipip: { enabled: true } }], ipv6Pool]);
  });

  test('is wrapped in VXLAN where the operator says so', async () => {
    const env = { CALICO_IPV4POOL_VXLAN: 'CrossSubnet', CALICO_IPV6POOL_VXLAN: 'Always' };
    expect(await pools(env)).toEqual([
      ['192.168.0.0/16', { 'nat-outgoing': true, vxlan: { enabled: true, mode: 'cross-subnet' } }],
      [expect.stringMatching(/^fd/), { vxlan: { enabled: true } }],
    ]);
  });

  test('gets none when told so, and no second ones', async () => {
    expect(await pools({ NO_DEFAULT_POOLS: 'true' })).toEqual([]);
    await pools({ CALICO_IPV4POOL_CIDR: '10.9.0.0/16' });
    expect(await pools({})).toEqual([['10.9.0.0/16', expect.anything()], ipv6Pool]);
  });

  test('gets the same ones whichever host comes first', async () => {
    await register({});
    const { startup } = readAgentConfig({}, 'host-a');
    const make = async (): Promise<void> => {
      await ensureDefaultPools({ pools: startup.pools, client, view: viewWith(), ipv6: true, log });
    };
    await Promise.all([make(), make(), make()]);
    expect(await client.list('ipPool')).toHaveLength(2);
  });
});
