import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createCniHost, createPools } from './cni/agent.js';
import type { AddResult, CniCall, CniHost } from './cni/agent.js';

let host: CniHost;

beforeEach(async () => {
  host = await createCniHost();
  await createPools(host.client, '10.65.0.0/24', 'fd65::/64');
  await host.startServer();
});

afterEach(async () => host.close());

const ipam = { type: 'calico-ipam', assign_ipv4: 'true', assign_ipv6: 'true' };
const config = { cniVersion: '1.1.0', ipam };

/** Adds and plays the dataplane, which sets the host's routes. */
async function add(pod: string, call: Partial<CniCall> = {}): Promise<AddResult> {
  await host.net.add(pod);
  const { exitCode, stdout } = await host.call({
    command: 'ADD',
    id: pod,
    netns: host.net.path(pod),
    config,
    ...call,
  });
  expect({ exitCode, stdout }).toMatchObject({ exitCode: 0 });
  const result = JSON.parse(stdout) as AddResult;
  host.setHostRoutes(result);
  return result;
}

async function says(call: CniCall): Promise<string> {
  const { exitCode, stdout } = await host.call(call);
  if (exitCode === 0) return stdout;
  const { code, msg } = JSON.parse(stdout) as { readonly code: number; readonly msg: string };
  return `${String(code)}: ${msg}`;
}

describe('CHECK', () => {
  let result: AddResult;
  let check: (more?: object) => Promise<string>;

  beforeEach(async () => {
    result = await add('pod');
    check = async more =>
      says({
        command: 'CHECK',
        id: 'pod',
        netns: host.net.path('pod'),
        config: { ...config, prevResult: result, ...more },
      });
  });

  test('says nothing while all is as ADD made it', async () => {
    expect(await check()).toBe('');
  });

  test.each([
    ['an address', ['ip', 'addr', 'flush', 'dev', 'eth0', 'scope', 'global'], 'is missing on eth0'],
    [
      'the default route',
      ['ip', 'route', 'del', 'default'],
      'the route to 0.0.0.0/0 is missing in the container',
    ],
    [
      'the IPv6 default route',
      ['ip', '-6', 'route', 'del', 'default'],
      'the route to ::/0 is missing in the container',
    ],
    ['the MTU', ['ip', 'link', 'set', 'eth0', 'mtu', '1300'], 'eth0 has MTU 1300, not 1500'],
    ['the hardware address', ['ip', 'link', 'set', 'eth0', 'address', '02:00:00:00:00:01'], 'eth0 has the'],
    ['the link', ['ip', 'link', 'set', 'eth0', 'down'], 'interface eth0 is missing or down in the container'],
  ])('notices that %s changed in the container', async (_, [program = '', ...args], message) => {
    await host.net.run('pod', program, ...args);
    expect(await check()).toContain(message);
  });

  test('notices what is missing on the host', async () => {
    const [name = ''] = result.interfaces.map(each => each.name);
    const interfaceIndex = host.network.linkByName(name)?.index ?? 0;
    const [address = ''] = result.ips.map(each => each.address);
    host.network.deleteRoute({ destination: address, interfaceIndex });
    expect(await check()).toBe(`100: pod: the host has no route to ${address} through ${name}`);
    await host.net.run('host', 'ip', 'link', 'del', name);
    expect(await check()).toContain(`interface ${name} is missing or down`);
  });

  test('notices what is missing in the datastore', async () => {
    const [endpoint] = await host.client.list('workloadEndpoint');
    if (endpoint === undefined) throw new Error('no endpoint');
    await host.client.write([
      {
        verb: 'apply',
        resource: {
          ...endpoint,
          spec: { ...endpoint.spec, ipNetworks: ['10.65.0.250/32'], mac: '02:00:00:00:00:09' },
        },
      },
    ]);
    expect(await check()).toContain(`the workload endpoint lacks ${result.ips[0]?.address ?? ''}`);
    expect(await check()).toContain('the workload endpoint has the address 02:00:00:00:00:09');
    await host.client.write([{ verb: 'delete', resource: endpoint }]);
    expect(await check()).toContain('the workload endpoint is missing');
  });

  test('notices that the address is not assigned any more', async () => {
    await host.call({ command: 'DEL', id: 'pod', program: 'calico-ipam', config });
    expect(await check()).toBe('100: no address is assigned to pod');
  });

  test('looks only at its own among the interfaces of a chain', async () => {
    const prevResult = {
      ...result,
      interfaces: [{ name: 'other', sandbox: '/x' }, ...result.interfaces],
      ips: [
        { address: '1.1.1.1/32', interface: 0 },
        ...result.ips.map(({ address }) => ({ address, interface: 2 })),
      ],
    };
    expect(await check({ prevResult })).toBe('');
  });
});

describe('STATUS', () => {
  const status = async (more: object = {}): Promise<string> =>
    says({ command: 'STATUS', config: { ...config, ...more } });

  test('says nothing when an ADD would find an address of each family', async () => {
    expect(await status()).toBe('');
    expect(await host.traces()).toEqual([]);
  });

  test('says that no address is left, or no pool', async () => {
    await createPools(host.client, '10.66.0.0/26');
    const one = { ipam: { ...ipam, assign_ipv6: 'false', ipv4_pools: ['10.66.0.0/26'] } };
    for (let i = 0; i < 64; i++) {
      await host.call({
        command: 'ADD',
        program: 'calico-ipam',
        id: `c${String(i)}`,
        netns: '/x',
        config: one,
      });
    }
    expect(await status(one)).toContain('50: Assigned 0 out of 1 requested IPv4 addresses');
    const none = { ipam: { ...ipam, ipv4_pools: ['10.67.0.0/26'] } };
    expect(await status(none)).toBe('50: The given pool (10.67.0.0/26) does not exist');
  });
});

describe('GC', () => {
  const collect = async (valid: readonly string[], more: Partial<CniCall> = {}): Promise<string> =>
    says({
      command: 'GC',
      id: '',
      ifName: '',
      config: {
        ...config,
        'cni.dev/valid-attachments': valid.map(containerID => ({ containerID, ifname: 'eth0' })),
      },
      ...more,
    });

  test('removes what is not in use any more, with all that belongs to it', async () => {
    await add('kept');
    await add('stale');
    await add('pod', { args: 'K8S_POD_NAMESPACE=ns;K8S_POD_NAME=pod' });
    const before = await host.traces();
    expect(await collect(['kept'])).toBe('');
    const after = await host.traces();
    expect(before.length).toBe(9);
    expect(after).toHaveLength(3);
    expect(after.join()).toContain('/workload/cni/kept/');
    expect(await host.links()).toHaveLength(1);
  });

  test('leaves other networks alone', async () => {
    await add('other', { config: { ...config, name: 'net2' } });
    const before = await host.traces();
    expect(await collect([])).toBe('');
    expect(await host.traces()).toEqual(before);
  });

  test('finds addresses, endpoints and links of which there is no record', async () => {
    await add('a');
    for (const record of host.records.list()) host.records.remove(record.request);
    await host.call({ command: 'ADD', program: 'calico-ipam', id: 'b', netns: '/x', config: { ...config } });
    await host.net.run('host', 'ip', 'link', 'add', 'cali0123456789a', 'type', 'veth');
    expect(await collect([])).toBe('');
    expect(await host.traces()).toEqual([]);
    expect(await host.links()).toEqual([]);
  });

  test('of calico-ipam gives back addresses only', async () => {
    await host.call({
      command: 'ADD',
      program: 'calico-ipam',
      id: 'a',
      netns: '/x',
      config: { ...config, type: 'bridge' },
    });
    const bridge = { type: 'bridge' };
    expect(await collect([])).toBe('');
    expect(await host.traces()).toHaveLength(1);
    expect(await collect([], { program: 'calico-ipam', config: { ...config, ...bridge } })).toBe('');
    expect(await host.traces()).toEqual([]);
  });
});

describe('what the runtime asks for', () => {
  test('may be addresses and a hardware address, by capability', async () => {
    const runtimeConfig = { ips: ['10.65.0.33/24', 'fd65::33'], mac: '02:00:00:00:00:33' };
    const { ips, interfaces } = await add('pod', { config: { ...config, runtimeConfig } });
    expect(ips.map(({ address }) => address)).toEqual(['10.65.0.33/32', 'fd65::33/128']);
    expect(interfaces[1]?.mac).toBe('02:00:00:00:00:33');
  });

  test('may be routes in the place of the default route', async () => {
    const routes = [{ dst: '10.0.0.0/8' }, { dst: 'fd00::/8', gw: 'fe80::1' }];
    await add('pod', { config: { ...config, ipam: { ...ipam, routes } } });
    const four = await host.net.ipJson('pod', 'route');
    expect(four.map(({ dst }) => dst)).toEqual(['10.0.0.0/8', '169.254.1.1']);
    const six = (await host.net.ipJson('pod', '-6', 'route')).map(({ dst }) => dst);
    expect(six).toContain('fd00::/8');
    expect(six).not.toContain('default');
  });

  test('is added to the answer of the plugins before', async () => {
    const prevResult = {
      cniVersion: '1.1.0',
      interfaces: [{ name: 'net0', sandbox: '/x' }],
      ips: [{ address: '1.1.1.1/24', interface: 0 }],
      dns: { nameservers: ['1.1.1.1'] },
    };
    const result = await add('pod', { config: { ...config, prevResult } });
    expect(result).toMatchObject({
      interfaces: [{ name: 'net0' }, { mac: 'ee:ee:ee:ee:ee:ee' }, { name: 'eth0' }],
      ips: [{ address: '1.1.1.1/24' }, { interface: 2 }, { interface: 2 }],
      dns: { nameservers: ['1.1.1.1'] },
    });
  });

  test('is not an address that another interface of the host has', async () => {
    const first = await add('a');
    const [address = ''] = first.ips.map(each => each.address.replace('/32', ''));
    // The record of the assignment is lost; the route is not.
    await host.call({ command: 'DEL', id: 'a', program: 'calico-ipam', config });
    const taken = await says({
      command: 'ADD',
      id: 'b',
      netns: await host.net.add('b'),
      args: `IP=${address}`,
      config,
    });
    expect(taken).toBe(`102: ${address} is in use by another endpoint of this host`);
    const answers = await Promise.all(
      Array.from({ length: 63 }, async (_, i) =>
        host.call({
          command: 'ADD',
          program: 'calico-ipam',
          id: `c${String(i)}`,
          netns: '/x',
          config: { ...config, ipam: { type: 'calico-ipam' } },
        }),
      ),
    );
    expect(answers.map(({ stdout }) => stdout).join()).not.toContain(`"${address}/32"`);
  });
});
