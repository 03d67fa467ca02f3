import { assert, asyncProperty, uniqueArray } from 'fast-check';
import { expect, test } from 'vitest';
import type { ResourceClient } from '../../src/datastore/index.js';
import { identify, kinds } from '../../src/resources/index.js';
import type { Kind, Metadata, Resource } from '../../src/resources/index.js';
import { resource as anyResource } from '../support/resources-arbitrary.js';
import { endpoint, node, policy, profile, resource } from './support/resources.js';

/** Which resources a listing has, and in which order. */
export function clientReadContract(client: () => ResourceClient): void {
  const create = async (...resources: readonly Resource[]): Promise<void> => {
    await client().write(resources.map(each => ({ verb: 'create', resource: each })));
  };
  const ids = async <K extends Kind>(kind: K, filter?: Partial<Metadata<K>>): Promise<readonly string[]> =>
    (await client().list(kind, filter)).map(identify);

  test.for(kinds)('an empty datastore has no %s', async kind => {
    expect(await client().list(kind)).toEqual([]);
  });

  test('names come in byte order, each level of the identity by itself', async () => {
    await create(...['b', 'a.b', 'a-b', 'a', 'B', 'a0'].map(name => policy(name)));
    expect((await client().list('policy')).map(each => each.metadata.name)).toEqual([
      'B',
      'a',
      'a-b',
      'a.b',
      'a0',
      'b',
    ]);
    await create(endpoint('n-1', 'w'), endpoint('n', 'w2'), endpoint('n', 'w-2'), endpoint('n', 'w', 'a'));
    expect(await ids('workloadEndpoint')).toEqual([
      'WorkloadEndpoint(node=n, orchestrator=a, workload=w, name=eth0)',
      'WorkloadEndpoint(node=n, orchestrator=cni, workload=w-2, name=eth0)',
      'WorkloadEndpoint(node=n, orchestrator=cni, workload=w2, name=eth0)',
      'WorkloadEndpoint(node=n-1, orchestrator=cni, workload=w, name=eth0)',
    ]);
  });

  test('pools come with IPv4 first and then by the text of their CIDR', async () => {
    const cidrs = ['10.0.1.0/24', '10.0.10.0/24', '10.0.2.0/24', '9.0.0.0/8', 'fd00::/64'];
    await create(...cidrs.toReversed().map(cidr => resource('ipPool', { cidr })));
    expect((await client().list('ipPool')).map(each => each.metadata.cidr)).toEqual(cidrs);
  });

  test('peers come with global ones first, IPv4 before IPv6, and are chosen by scope, node and address', async () => {
    await create(
      resource('bgpPeer', { scope: 'node', node: 'n', peerIP: '1.2.3.4' }),
      resource('bgpPeer', { scope: 'node', node: 'm', peerIP: 'fd00::1' }),
      resource('bgpPeer', { scope: 'global', peerIP: 'fd00::1' }),
      resource('bgpPeer', { scope: 'global', peerIP: '1.2.3.4' }),
    );
    const [global4, global6, m, n] = [
      'BGPPeer(global, ip=1.2.3.4)',
      'BGPPeer(global, ip=fd00::1)',
      'BGPPeer(node=m, ip=fd00::1)',
      'BGPPeer(node=n, ip=1.2.3.4)',
    ];
    expect(await ids('bgpPeer')).toEqual([global4, global6, m, n]);
    expect(await ids('bgpPeer', { peerIP: '1.2.3.4' })).toEqual([global4, n]);
    expect(await ids('bgpPeer', { node: 'm' })).toEqual([m]);
    expect(await ids('bgpPeer', { scope: 'node' })).toEqual([m, n]);
    expect(await ids('bgpPeer', { scope: 'global' })).toEqual([global4, global6]);
    expect(await ids('bgpPeer', { scope: 'global', node: 'n' })).toEqual([]);
  });

  test('endpoints are chosen by any of their identifiers; empty ones count for nothing', async () => {
    await create(
      endpoint('n1', 'w1'),
      endpoint('n1', 'w2', 'k8s'),
      endpoint('n2', 'w1', 'cni', 'eth1'),
      resource('hostEndpoint', { node: 'n1', name: 'eth0' }),
      resource('hostEndpoint', { node: 'n2', name: 'eth0' }),
    );
    const [a, b, c] = await ids('workloadEndpoint');
    expect(await ids('workloadEndpoint', { node: 'n1' })).toEqual([a, b]);
    expect(await ids('workloadEndpoint', { workload: 'w1' })).toEqual([a, c]);
    expect(await ids('workloadEndpoint', { orchestrator: 'k8s', name: '' })).toEqual([b]);
    expect(await ids('workloadEndpoint', { name: 'eth1', node: 'n2' })).toEqual([c]);
    expect(await ids('workloadEndpoint', { name: 'eth' })).toEqual([]);
    expect(await ids('hostEndpoint')).toHaveLength(2);
    expect(await ids('hostEndpoint', { node: 'n2' })).toEqual(['HostEndpoint(node=n2, name=eth0)']);
    expect(await ids('hostEndpoint', { name: 'eth0' })).toHaveLength(2);
  });

  test('a name is a whole name and no beginning of one', async () => {
    await create(node('a'), node('ab'), policy('a'), policy('ab'), profile('a'), profile('ab'));
    for (const kind of ['node', 'policy', 'profile'] as const) {
      expect((await client().list(kind, { name: 'a' })).map(each => each.metadata.name)).toEqual(['a']);
    }
  });

  test('a host that only has endpoints is listed as a node without bgp', async () => {
    await create(endpoint('host', 'w'));
    expect(await client().list('node')).toEqual([node('host')]);
    expect(await client().list('node', { name: 'host' })).toEqual([node('host')]);
  });

  test('whatever is written is listed again as it was', async () => {
    await assert(
      asyncProperty(uniqueArray(anyResource, { selector: identify, maxLength: 12 }), async written => {
        const writes = written.map(each => ({ verb: 'apply' as const, resource: each }));
        await client().write(writes);
        for (const each of written) {
          expect(await client().list(each.kind, each.metadata)).toEqual([each]);
        }
        // Deleting a node takes its endpoints along.
        await client().write(writes.map(write => ({ ...write, verb: 'delete', tolerant: true })));
      }),
      { numRuns: 30 },
    );
    for (const kind of kinds) expect(await client().list(kind)).toEqual([]);
  });
}
