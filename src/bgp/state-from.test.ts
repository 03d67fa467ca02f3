import { describe, expect, test } from 'vitest';
import { formatCidr, formatIp } from '../net/index.js';
import { bgpStateFrom } from './state-from.js';
import type { BgpSource, NodeSource } from './state-from.js';

function node(name: string, bgp?: NonNullable<NodeSource['spec']>['bgp']): NodeSource {
  return { metadata: { name }, spec: bgp === undefined ? {} : { bgp } };
}

function source(change: Partial<BgpSource> = {}): BgpSource {
  return {
    nodeName: 'a',
    nodes: [node('a', { ipv4Address: '10.0.0.1' })],
    peers: [],
    pools: [],
    blocks: [],
    settings: new Map(),
    ...change,
  };
}

describe('what BGP has to do', () => {
  test('without any setting is a mesh in AS 64512 that logs changes of state', () => {
    const { state, issues } = bgpStateFrom(source());
    expect(state).toMatchObject({
      asNumber: 64_512,
      mesh: true,
      logLevel: 'info',
      interfacePrefixes: ['cali'],
    });
    expect(issues).toEqual([]);
  });

  test('follows the settings, and the log level of the node before that of all', () => {
    const settings = new Map([
      ['as_num', '64086.59904'],
      ['node_mesh', '{"enabled":false}'],
      ['loglevel', 'none'],
    ]);
    const { state } = bgpStateFrom(source({ settings, nodeSettings: new Map([['loglevel', 'debug']]) }));
    expect(state).toMatchObject({ asNumber: 4_200_000_000, mesh: false, logLevel: 'debug' });
  });

  test('keeps the default of a setting that cannot be read, and reports it', () => {
    const settings = new Map([
      ['as_num', 'abcde'],
      ['node_mesh', '{"enabled":'],
    ]);
    const { state, issues } = bgpStateFrom(source({ settings }));
    expect(state).toMatchObject({ asNumber: 64_512, mesh: true });
    expect(issues.map(({ path }) => path)).toEqual(['config.asNumber', 'config.nodeToNodeMesh']);
  });

  test.each([
    ['3', 3, []],
    [' 65535 ', 65_535, []],
    ['2', undefined, ['config.bgp.hold_time']],
    ['65536', undefined, ['config.bgp.hold_time']],
    ['9; accept', undefined, ['config.bgp.hold_time']],
  ])('takes the hold time %s as %s', (text, seconds, paths) => {
    const { state, issues } = bgpStateFrom(source({ settings: new Map([['hold_time', text]]) }));
    expect(state.holdTime).toBe(seconds);
    expect(issues.map(({ path }) => path)).toEqual(paths);
  });

  test('leaves out the sessions of a password that cannot be used, and reports it without the password', () => {
    const settings = new Map([
      ['mesh_password', 'secret"'],
      ['peer_password/10.0.0.9', 'secret\n'],
    ]);
    const peers = [{ metadata: { scope: 'global', peerIP: '10.0.0.9' }, spec: { asNumber: 65_001 } }];
    const { state, issues } = bgpStateFrom(source({ settings, peers }));
    expect(state).toMatchObject({ mesh: false, peers: [] });
    expect(issues.map(({ path }) => path)).toEqual([
      'config.bgp.mesh_password',
      'config.bgp.peer_password/10.0.0.9',
    ]);
    expect(JSON.stringify(issues)).not.toContain('secret');
  });

  test('leaves out a cluster id that is none, and reports it', () => {
    const bgp = { ipv4Address: '10.0.0.1', routeReflectorClusterID: '0.0.0.0' };
    const { state, issues } = bgpStateFrom(source({ nodes: [{ metadata: { name: 'a' }, spec: { bgp } }] }));
    expect(state.node.clusterId).toBeUndefined();
    expect(issues.map(({ path }) => path)).toEqual(['node(a).spec.bgp.routeReflectorClusterID']);
  });

  test('covers global peers and those of this node only', () => {
    const peers = [
      { metadata: { scope: 'global', peerIP: '10.0.0.9' }, spec: { asNumber: 65_001 } },
      { metadata: { scope: 'node', node: 'a', peerIP: 'fd00::9' }, spec: { asNumber: 65_002 } },
      { metadata: { scope: 'node', node: 'b', peerIP: '10.0.0.8' }, spec: { asNumber: 65_003 } },
    ];
    const { state } = bgpStateFrom(source({ peers }));
    expect(state.peers.map(({ scope, address }) => `${scope} ${formatIp(address)}`)).toEqual([
      'global 10.0.0.9',
      'node fd00::9',
    ]);
  });

  test('leaves out a peer that BIRD would refuse, and reports it', () => {
    const bad = [
      'fe80::1',
      '224.0.0.5',
      '0.0.0.0',
      '127.0.0.1',
      '::1',
      'nonsense',
      '10.0.0.1 as 1; include "/etc/passwd',
    ];
    const peers = [
      ...bad.map(peerIP => ({ metadata: { scope: 'global', peerIP }, spec: { asNumber: 1 } })),
      { metadata: { scope: 'global', peerIP: '10.0.0.9' }, spec: { asNumber: 0 } },
      { metadata: { scope: 'global', peerIP: '10.0.0.10' } },
    ];
    const { state, issues } = bgpStateFrom(source({ peers }));
    expect(state.peers).toEqual([]);
    expect(issues).toHaveLength(peers.length);
  });

  test('leaves out the address of a node that another one has, and names both', () => {
    const nodes = ['c', 'b', 'a'].map(name =>
      node(name, { ipv4Address: name === 'a' ? '10.0.0.1' : '10.0.0.2' }),
    );
    const { state, issues } = bgpStateFrom(source({ nodes }));
    expect(
      state.otherNodes.map(({ name, ipv4 }) => `${name} ${ipv4 === undefined ? '-' : formatIp(ipv4)}`),
    ).toEqual(['b 10.0.0.2', 'c -']);
    expect(issues[0]?.path).toContain('node(c)');
    expect(issues[0]?.expected).toContain('node b');
  });

  test('takes an address of the wrong version for none', () => {
    const nodes = [node('a', { ipv4Address: 'fd00::1', ipv6Address: '::ffff:10.0.0.1' })];
    const { state, issues } = bgpStateFrom(source({ nodes }));
    expect(state.node).toEqual({ name: 'a' });
    expect(issues.map(({ path }) => path)).toEqual([
      'node(a).spec.bgp.ipv4Address',
      'node(a).spec.bgp.ipv6Address',
    ]);
  });

  test('covers confirmed blocks of this node only', () => {
    const blocks = [
      { cidr: '10.65.1.0/26', node: 'a', confirmed: true },
      { cidr: '10.65.2.0/26', node: 'a', confirmed: false },
      { cidr: '10.65.3.0/26', node: 'b', confirmed: true },
      { cidr: '10.65.4.0/26', node: undefined, confirmed: true },
    ];
    expect(bgpStateFrom(source({ blocks })).state.blocks.map(formatCidr)).toEqual(['10.65.1.0/26']);
  });

  test('leaves the routes of IPIP pools to the agent only when the agent says that it writes them', () => {
    const pools = [
      { metadata: { cidr: '10.64.0.0/16' }, spec: { ipip: { enabled: true } } },
      { metadata: { cidr: '10.65.0.0/16' }, spec: {} },
    ];
    const byAgent = (tunnelsByAgent: boolean): readonly boolean[] =>
      bgpStateFrom(source({ pools, tunnelsByAgent })).state.pools.map(pool => pool.routedByAgent);
    expect(byAgent(false)).toEqual([false, false]);
    expect(byAgent(true)).toEqual([true, false]);
  });

  test('has the custom filters of each version in the order of their keys, without those that leave the filter', () => {
    const settings = new Map([
      ['custom_filters/v4/b', 'if net ~ [ 10.0.0.0/8+ ] then { reject; }'],
      ['custom_filters/v4/a', 'print "}";'],
      ['custom_filters/v6/a', '# a remark with }\naccept;'],
      ['custom_filters/v4/c', 'accept; } protocol bgp x { '],
      ['custom_filters/v4/d', 'accept; /* to the end'],
      ['custom_filters/v4/e', 'include "/etc/shadow";'],
      ['custom_filters/v4/f', 'print "open;'],
    ]);
    const { state, issues } = bgpStateFrom(source({ settings }));
    expect(state.customFilters).toEqual({
      4: ['print "}";', 'if net ~ [ 10.0.0.0/8+ ] then { reject; }'],
      6: ['# a remark with }\naccept;'],
    });
    expect(issues.map(({ path }) => path.slice(-1))).toEqual(['c', 'd', 'e', 'f']);
  });
});
