import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ProgramResult } from '../../src/base/index.js';
import { eventually } from '../support/netns.js';
import { createCniHost, createPools } from './cni/agent.js';
import type { CniCall, CniHost } from './cni/agent.js';

let host: CniHost;

beforeEach(async () => {
  host = await createCniHost();
  await createPools(host.client, '10.65.0.0/24', 'fd65::/64');
  await host.startServer();
});

afterEach(async () => host.close());

const dual = { ipam: { type: 'calico-ipam', assign_ipv4: 'true', assign_ipv6: 'true' } };

interface Answer {
  readonly cniVersion: string;
  readonly interfaces: readonly { readonly name: string; readonly mac: string; readonly sandbox?: string }[];
  readonly ips: readonly { readonly address: string; readonly interface: number }[];
  readonly code: number;
  readonly msg: string;
}

function parsed(result: ProgramResult): Answer {
  return JSON.parse(result.stdout) as Answer;
}

async function add(pod: string, call: Partial<CniCall> = {}): Promise<Answer> {
  const result = await host.call({ command: 'ADD', netns: host.net.path(pod), ...call });
  expect(result).toMatchObject({ exitCode: 0 });
  return parsed(result);
}

const hostLinks = async (): Promise<readonly string[]> => host.links();

const endpoints = async () => host.client.list('workloadEndpoint');

const traces = async (): Promise<readonly string[]> => host.traces();

describe('ADD', () => {
  test('gives the container its addresses, its routes and the way to its router', async () => {
    await host.net.add('pod');
    const { ips, interfaces } = await add('pod', { config: dual });
    const [four, six] = ips.map(({ address }) => address);
    const linkOf = async () => (await host.net.ipJson('pod', 'addr', 'show', 'dev', 'eth0'))[0];
    // The kernel says so a moment after it is so.
    await eventually('the link is up', async () => (await linkOf())?.['operstate'] === 'UP');
    const link = await linkOf();
    expect(link).toMatchObject({ address: interfaces[1]?.mac });
    expect(link?.['addr_info']).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ local: four?.replace('/32', ''), prefixlen: 32 }),
        expect.objectContaining({ local: six?.replace('/128', ''), prefixlen: 128 }),
      ]),
    );
    expect(await host.net.ipJson('pod', 'route')).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ dst: 'default', gateway: '169.254.1.1', dev: 'eth0' }),
        expect.objectContaining({ dst: '169.254.1.1', scope: 'link', dev: 'eth0' }),
      ]),
    );
    expect(await host.net.ipJson('pod', '-6', 'route')).toContainEqual(
      expect.objectContaining({ dst: 'default', gateway: 'fe80::ecee:eeff:feee:eeee' }),
    );
    expect(await host.net.ipJson('pod', 'neigh', 'show', 'nud', 'permanent')).toContainEqual(
      expect.objectContaining({ dst: '169.254.1.1', lladdr: 'ee:ee:ee:ee:ee:ee' }),
    );
  });

  test('writes the endpoint with labels of every convention, and the profile of the network', async () => {
    await host.net.add('pod');
    const { ips, interfaces } = await add('pod', {
      config: {
        args: {
          labels: [{ key: 'role', value: 'db' }],
          cni: { labels: [{ key: 'tier', value: 'back' }] },
          'org.apache.mesos': { network_info: { labels: { labels: [{ key: 'app', value: 'shop' }] } } },
        },
      },
    });
    expect(await endpoints()).toEqual([
      {
        apiVersion: 'v1',
        kind: 'workloadEndpoint',
        metadata: {
          name: 'eth0',
          workload: 'c1',
          orchestrator: 'cni',
          node: 'n1',
          labels: { role: 'db', tier: 'back', app: 'shop' },
        },
        spec: {
          interfaceName: interfaces[0]?.name,
          ipNetworks: ips.map(({ address }) => address),
          mac: interfaces[1]?.mac,
          profiles: ['net1'],
        },
      },
    ]);
    const [profile] = await host.client.list('profile', { name: 'net1' });
    expect(profile).toMatchObject({
      metadata: { name: 'net1', tags: ['net1'] },
      spec: { ingress: [{ action: 'allow', source: { tag: 'net1' } }], egress: [{ action: 'allow' }] },
    });
  });

  test('leaves a profile that exists as it is, and makes none for a policy engine', async () => {
    await host.client.write([
      {
        verb: 'create',
        resource: { apiVersion: 'v1', kind: 'profile', metadata: { name: 'net1' }, spec: {} },
      },
    ]);
    await host.net.add('pod');
    await add('pod');
    await add('pod', { id: 'c2', ifName: 'eth1', config: { name: 'net2', policy: { type: 'k8s' } } });
    expect((await host.client.list('profile')).map(({ metadata, spec }) => [metadata.name, spec])).toEqual([
      ['net1', {}],
    ]);
  });

  test('stores a pod under its name, and says in IPAM who has the address', async () => {
    await host.net.add('pod');
    const args = 'IgnoreUnknown=1;K8S_POD_NAMESPACE=ns1;K8S_POD_NAME=pod1;K8S_POD_UID=7';
    await add('pod', { args });
    const [endpoint] = await endpoints();
    expect(endpoint?.metadata).toMatchObject({ orchestrator: 'k8s', workload: 'ns1.pod1', name: 'eth0' });
    const [block] = (await host.store.list('/calico/ipam/v2/assignment/')).entries;
    expect(JSON.parse(block?.value ?? '')).toMatchObject({
      affinity: 'host:n1',
      attributes: [
        {
          handle_id: 'net1.c1',
          secondary: { node: 'n1', containerid: 'c1', interface: 'eth0', pod: 'pod1', namespace: 'ns1' },
        },
      ],
    });
  });

  test('answers only when the endpoint of that revision is in the kernel', async () => {
    await host.net.add('pod');
    let isInKernel = false;
    host.onWait(async () => {
      await new Promise(resolve => setTimeout(resolve, 50));
      isInKernel = true;
    });
    await add('pod');
    expect(isInKernel).toBe(true);
    expect(host.waits.map(({ endpointId }) => endpointId)).toEqual(['workload:n1/cni/c1/eth0']);
    const [entry] = (await host.store.list('/calico/v1/host/n1/workload/')).entries;
    expect(host.waits[0]?.revision).toBe(entry?.modRevision);
  });

  test('again, as after a crash, keeps the addresses and makes the link anew', async () => {
    await host.net.add('pod');
    const first = await add('pod', { config: dual });
    const second = await add('pod', { config: dual });
    expect(second.ips).toEqual(first.ips);
    expect(await endpoints()).toHaveLength(1);
    expect(await hostLinks()).toEqual([first.interfaces[0]?.name]);
  });

  test('replaces a link of its name that is left over', async () => {
    const [old, young] = [await host.net.add('old'), await host.net.add('young')];
    const args = 'K8S_POD_NAMESPACE=ns1;K8S_POD_NAME=pod1';
    await add('old', { id: 'c1', netns: old, args });
    await add('young', { id: 'c2', netns: young, args });
    expect(await hostLinks()).toHaveLength(1);
    expect((await host.net.try('old', 'ip', 'link', 'show', 'eth0')).exitCode).not.toBe(0);
  });

  test('gives the address that is asked for, and says when it is taken or outside all pools', async () => {
    await host.net.add('pod');
    await host.net.add('other');
    const { ips } = await add('pod', { args: 'IP=10.65.0.77' });
    expect(ips.map(({ address }) => address)).toEqual(['10.65.0.77/32']);
    const other = { command: 'ADD', id: 'c2', netns: host.net.path('other') };
    expect(parsed(await host.call({ ...other, args: 'IP=10.65.0.77' })).code).toBe(102);
    expect(parsed(await host.call({ ...other, args: 'IP=10.99.0.1' })).code).toBe(103);
  });

  test('sets the MTU of both ends', async () => {
    await host.net.add('pod');
    const { interfaces } = await add('pod', { config: { mtu: 1400, cniVersion: '1.1.0' } });
    expect(interfaces).toEqual([
      expect.objectContaining({ mtu: 1400, mac: 'ee:ee:ee:ee:ee:ee' }),
      expect.objectContaining({ mtu: 1400, name: 'eth0', sandbox: host.net.path('pod') }),
    ]);
    expect(host.network.linkByName(interfaces[0]?.name ?? '')?.mtu).toBe(1400);
  });

  test('of twenty containers at the same time gives twenty addresses', async () => {
    const pods = Array.from({ length: 20 }, (_, i) => `p${String(i)}`);
    for (const pod of pods) await host.net.add(pod);
    const answers = await Promise.all(pods.map(async pod => add(pod, { id: pod, config: dual })));
    expect(new Set(answers.flatMap(({ ips }) => ips.map(({ address }) => address))).size).toBe(40);
    expect(new Set(await hostLinks()).size).toBe(20);
    expect(await endpoints()).toHaveLength(20);
    const deleted = await Promise.all(
      pods.map(async pod => host.call({ command: 'DEL', id: pod, netns: host.net.path(pod) })),
    );
    expect(deleted.map(({ stdout }) => stdout)).toEqual(pods.map(() => ''));
    expect(await traces()).toEqual([]);
    expect(await hostLinks()).toEqual([]);
  });
});

describe('a failed ADD leaves nothing behind', () => {
  async function failing(call: Partial<CniCall> = {}): Promise<Answer> {
    const result = await host.call({ command: 'ADD', netns: host.net.path('pod'), ...call });
    expect(result.exitCode).toBe(1);
    expect(await traces()).toEqual([]);
    expect(await hostLinks()).toEqual([]);
    return parsed(result);
  }

  test('when policy cannot be put into the kernel', async () => {
    await host.net.add('pod');
    host.onWait(async () => {
      throw new Error('nft says no');
    });
    expect(await failing({ config: dual })).toMatchObject({ code: 11, msg: 'nft says no' });
    expect((await host.net.try('pod', 'ip', 'link', 'show', 'eth0')).exitCode).not.toBe(0);
  });

  test('when the namespace does not exist', async () => {
    expect(await failing({ netns: '/run/netns/calico-never-was' })).toMatchObject({ code: 104 });
  });

  test('when the container has an interface of that name, which stays', async () => {
    await host.net.add('pod');
    await host.net.run('pod', 'ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'other');
    expect(await failing()).toMatchObject({ code: 4 });
    expect((await host.net.try('pod', 'ip', 'link', 'show', 'eth0')).exitCode).toBe(0);
  });

  test('when a label is none', async () => {
    await host.net.add('pod');
    const answer = await failing({ config: { args: { labels: { role: 'not a label!' } } } });
    expect(answer.code).toBe(7);
    expect(answer.msg).toContain('metadata.labels');
  });

  test('when one family has no pool', async () => {
    await host.net.add('pod');
    await host.client.write([
      {
        verb: 'delete',
        resource: { apiVersion: 'v1', kind: 'ipPool', metadata: { cidr: 'fd65::/64' }, spec: {} },
      },
    ]);
    expect(await failing({ config: dual })).toMatchObject({ code: 103 });
  });

  test('when the pool it is told to use does not exist', async () => {
    await host.net.add('pod');
    const answer = await failing({ config: { ipam: { type: 'calico-ipam', ipv4_pools: ['10.66.0.0/26'] } } });
    expect(answer).toMatchObject({ code: 103, msg: 'The given pool (10.66.0.0/26) does not exist' });
  });
});

describe('DEL', () => {
  test('removes link, endpoint and addresses, and says nothing', async () => {
    await host.net.add('pod');
    await add('pod', { config: dual });
    expect(await host.call({ command: 'DEL', netns: host.net.path('pod') })).toMatchObject({
      exitCode: 0,
      stdout: '',
    });
    expect(await traces()).toEqual([]);
    expect(await hostLinks()).toEqual([]);
  });

  test('succeeds again, and for what never was', async () => {
    await host.net.add('pod');
    await add('pod');
    for (const id of ['c1', 'c1', 'never']) {
      const { exitCode, stdout } = await host.call({ command: 'DEL', id, netns: host.net.path('pod') });
      expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
    }
  });

  test('cleans up without a namespace, and after the namespace is gone', async () => {
    await host.net.add('pod');
    await add('pod');
    expect((await host.call({ command: 'DEL', netns: '' })).exitCode).toBe(0);
    expect(await hostLinks()).toEqual([]);
    await add('pod');
    expect((await host.call({ command: 'DEL', netns: '/run/netns/calico-never-was' })).exitCode).toBe(0);
    expect(await traces()).toEqual([]);
    expect(await hostLinks()).toEqual([]);
  });

  test('of an old sandbox leaves the new sandbox of the pod alone', async () => {
    await host.net.add('old');
    await host.net.add('young');
    const args = 'K8S_POD_NAMESPACE=ns1;K8S_POD_NAME=pod1';
    await add('old', { id: 'c1', args });
    const young = await add('young', { id: 'c2', args });
    expect((await host.call({ command: 'DEL', id: 'c1', netns: host.net.path('old'), args })).exitCode).toBe(
      0,
    );
    const [endpoint] = await endpoints();
    expect(endpoint?.spec.ipNetworks).toEqual(young.ips.map(({ address }) => address));
    expect(await hostLinks()).toHaveLength(1);
    expect((await traces()).filter(key => key.includes('handle'))).toEqual([
      '/calico/ipam/v2/handle/net1.c2',
    ]);
  });

  test('keeps the other interface of the same container', async () => {
    await host.net.add('pod');
    await add('pod');
    const { ips } = await add('pod', { ifName: 'net1' });
    await host.call({ command: 'DEL', netns: host.net.path('pod') });
    expect((await endpoints()).map(({ spec }) => spec.ipNetworks)).toEqual([[ips[0]?.address]]);
    expect(await hostLinks()).toHaveLength(1);
  });
});

describe('calico-ipam', () => {
  test('assigns by itself, and gives back', async () => {
    const ipam = { program: 'calico-ipam', netns: '/run/netns/x', config: dual } as const;
    const answer = parsed(await host.call({ ...ipam, command: 'ADD' }));
    expect(answer).toMatchObject({ cniVersion: '1.0.0', ips: [{}, {}] });
    expect(answer.interfaces).toBeUndefined();
    expect(await traces()).toEqual(['/calico/ipam/v2/handle/net1.c1']);
    expect((await host.call({ ...ipam, command: 'DEL' })).exitCode).toBe(0);
    expect(await traces()).toEqual([]);
  });
});

describe('without an agent', () => {
  test('a DEL is queued, and carried out when the agent is back', async () => {
    await host.net.add('pod');
    await add('pod');
    await host.stopServer();
    for (let times = 0; times < 2; times++) {
      expect(await host.call({ command: 'DEL', netns: host.net.path('pod') })).toMatchObject({
        exitCode: 0,
        stdout: '',
      });
    }
    expect(await endpoints()).toHaveLength(1);
    expect(await host.replay()).toEqual({ done: 1, kept: 0 });
    expect(await traces()).toEqual([]);
    expect(await hostLinks()).toEqual([]);
    expect(await host.replay()).toEqual({ done: 0, kept: 0 });
  });
});
