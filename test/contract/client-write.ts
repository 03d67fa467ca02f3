import { expect, test } from 'vitest';
import { isCalicoError } from '../../src/base/index.js';
import type { ResourceClient, Verb } from '../../src/datastore/index.js';
import type { Resource } from '../../src/resources/index.js';
import { endpoint, node, policy, profile, resource } from './support/resources.js';

/** The verbs, their errors, what they bring along, and that they cannot be torn or raced. */
export function clientWriteContract(client: () => ResourceClient): void {
  const write = async (verb: Verb, ...resources: readonly Resource[]): Promise<number> =>
    (await client().write(resources.map(each => ({ verb, resource: each })))).revision;
  const names = async (): Promise<readonly string[]> =>
    (await client().list('policy')).map(each => each.metadata.name);

  test('create makes, replace and apply change the whole spec, delete removes', async () => {
    const first = await write('create', policy('p', 1));
    const second = await write('replace', policy('p'));
    expect(second).toBeGreaterThan(first);
    expect(await client().list('policy')).toEqual([policy('p')]);
    await write('apply', policy('p', 2), policy('q', 3));
    expect(await client().list('policy')).toEqual([policy('p', 2), policy('q', 3)]);
    await write('delete', policy('p'));
    expect(await client().list('policy')).toEqual([policy('q', 3)]);
  });

  test('writing what is already there changes nothing, and so no revision', async () => {
    const all = [policy('p', 1), profile('p'), endpoint('n', 'w')];
    const revision = await write('create', ...all);
    expect(await write('apply', ...all)).toBe(revision);
    expect(await write('replace', ...all)).toBe(revision);
  });

  test.for([
    ['Node(name=x)', node('x')],
    ['Policy(name=x)', policy('x')],
    ['ProfileTags(name=x)', profile('x')],
    ['IPPool(cidr=10.0.0.0/16)', resource('ipPool', { cidr: '10.0.0.0/16' })],
    ['HostEndpoint(node=n, name=x)', resource('hostEndpoint', { node: 'n', name: 'x' })],
    ['WorkloadEndpoint(node=n, orchestrator=cni, workload=x, name=eth0)', endpoint('n', 'x')],
    ['BGPPeer(global, ip=1.2.3.4)', resource('bgpPeer', { scope: 'global', peerIP: '1.2.3.4' })],
    ['BGPPeer(node=n, ip=::1)', resource('bgpPeer', { scope: 'node', node: 'n', peerIP: '::1' })],
  ] as const)('errors name %s', async ([id, written]) => {
    const missing = { code: 'not-found', message: `resource does not exist: ${id}` };
    await expect(write('replace', written)).rejects.toMatchObject(missing);
    const deleted = id.replace('ProfileTags', 'Profile');
    await expect(write('delete', written)).rejects.toMatchObject({
      code: 'not-found',
      message: `resource does not exist: ${deleted}`,
    });
    await write('create', written);
    await expect(write('create', written)).rejects.toMatchObject({
      code: 'already-exists',
      message: `resource already exists: ${id}`,
    });
  });

  test.for([
    ['create', node(''), "insufficient identifiers, missing 'name'"],
    ['delete', node(''), "insufficient identifiers, missing 'node'"],
    ['apply', policy(''), "insufficient identifiers, missing 'name'"],
    ['apply', endpoint('n', 'w', 'o', ''), "insufficient identifiers, missing 'name'"],
    ['create', endpoint('', 'w', ''), "insufficient identifiers, missing 'node'"],
    [
      'apply',
      resource('bgpPeer', { scope: 'node', peerIP: '1.2.3.4' }),
      "insufficient identifiers, missing 'node'",
    ],
    [
      'apply',
      resource('bgpPeer', { scope: 'global', node: 'n', peerIP: '1.2.3.4' }),
      'hostname should not be specified when BGP peer scope is global',
    ],
  ] as const)('%s of what has no whole identity is refused: %#', async ([verb, written, message]) => {
    await expect(write(verb, written)).rejects.toMatchObject({ code: 'invalid', message });
  });

  test('one write that cannot be done leaves all of them undone', async () => {
    await write('create', policy('there'));
    await expect(write('create', policy('a'), profile('b'), policy('there'))).rejects.toMatchObject({
      code: 'already-exists',
    });
    expect(await names()).toEqual(['there']);
    expect(await client().list('profile')).toEqual([]);
  });

  test('a tolerant create leaves what is there, a tolerant delete goes on without what is not', async () => {
    await write('create', policy('p', 1));
    await client().write([
      { verb: 'create', resource: policy('p', 2), tolerant: true },
      { verb: 'delete', resource: policy('absent'), tolerant: true },
      { verb: 'create', resource: policy('q'), tolerant: true },
    ]);
    expect(await client().list('policy')).toEqual([policy('p', 1), policy('q')]);
  });

  test('the writes of one list see each other in their order', async () => {
    await client().write([
      { verb: 'create', resource: policy('p', 1) },
      { verb: 'replace', resource: policy('p', 2) },
      { verb: 'create', resource: policy('q') },
      { verb: 'delete', resource: policy('q') },
    ]);
    expect(await client().list('policy')).toEqual([policy('p', 2)]);
    await expect(write('create', policy('r'), policy('r'))).rejects.toMatchObject({ code: 'already-exists' });
  });

  test('an endpoint created without a name gets one', async () => {
    await write('create', endpoint('n', 'w', 'o', ''), endpoint('n', 'w', 'o', ''));
    const [first, second] = await client().list('workloadEndpoint');
    expect(first?.metadata.name).toMatch(/^[0-9a-f-]{36}$/);
    expect(second?.metadata.name).not.toBe(first?.metadata.name);
  });

  test('the first node brings the GUID of the cluster, the next ones keep it', async () => {
    const guid = async (): Promise<string | undefined> =>
      await client().getSetting({ component: 'felix', name: 'ClusterGUID' });
    expect(await guid()).toBeUndefined();
    await write('create', node('a'));
    const first = await guid();
    expect(first).toMatch(/^[0-9a-f]{32}$/);
    await write('apply', node('b'), node('c'));
    expect(await guid()).toBe(first);
  });

  test('a pool with ipip switches it on for all', async () => {
    const setting = { component: 'felix', name: 'IpInIpEnabled' } as const;
    await write('create', resource('ipPool', { cidr: '10.0.0.0/16' }));
    expect(await client().getSetting(setting)).toBeUndefined();
    await write('apply', resource('ipPool', { cidr: '10.0.0.0/16' }, { ipip: { enabled: true } }));
    expect(await client().getSetting(setting)).toBe('true');
  });

  test('a node that is deleted takes its endpoints and settings along, and leaves its peers', async () => {
    const setting = { component: 'felix', node: 'n', name: 'marker' } as const;
    const peer = resource('bgpPeer', { scope: 'node', node: 'n', peerIP: '1.2.3.4' });
    await write('create', node('n'), endpoint('n', 'w'), resource('hostEndpoint', { node: 'n', name: 'h' }));
    await write('create', peer, node('n2'), endpoint('n2', 'w'));
    await client().setSetting(setting, 'x');
    await write('delete', node('n'));
    expect(await client().list('node')).toEqual([node('n2')]);
    expect(await client().list('workloadEndpoint')).toEqual([endpoint('n2', 'w')]);
    expect(await client().list('hostEndpoint')).toEqual([]);
    expect(await client().list('bgpPeer')).toEqual([peer]);
    expect(await client().getSetting(setting)).toBeUndefined();
  });

  test('settings are set, read and removed', async () => {
    const setting = { component: 'bgp', name: 'as_num' } as const;
    await client().setSetting(setting, '65000');
    expect(await client().getSetting(setting)).toBe('65000');
    expect(await client().getSetting({ ...setting, component: 'felix' })).toBeUndefined();
    await client().setSetting(setting, undefined);
    expect(await client().getSetting(setting)).toBeUndefined();
  });

  test('of many who create the same thing at once exactly one succeeds', async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 12 }, async (_, order) => await write('create', policy('p', order))),
    );
    const codes = outcomes.map(outcome => (outcome.status === 'rejected' ? codeOf(outcome.reason) : 'done'));
    expect(codes.sort()).toEqual([...Array<string>(11).fill('already-exists'), 'done']);
  });

  test('many who write different things at once all succeed', async () => {
    await Promise.all(
      Array.from({ length: 30 }, async (_, index) => await write('create', node(`n${String(index)}`))),
    );
    expect(await client().list('node')).toHaveLength(30);
  });
}

function codeOf(reason: unknown): string {
  return isCalicoError(reason) ? reason.code : String(reason);
}
