import { describe, expect, test } from 'vitest';
import { parseCidr } from '../net/index.js';
import { renderBird } from './render.js';
import { bgpStateFrom } from './state-from.js';
import type { BgpSource } from './state-from.js';

const NODES = [1, 2, 3].map(number => ({
  metadata: { name: `n${String(number)}` },
  spec: { bgp: { ipv4Address: `10.0.0.${String(number)}`, ipv6Address: `fd00::${String(number)}` } },
}));
const SUBNET = parseCidr('10.0.0.0/24');

function render(change: Partial<BgpSource> = {}): string {
  const base = { nodeName: 'n1', nodes: NODES, peers: [], pools: [], blocks: [], settings: new Map() };
  return renderBird(bgpStateFrom({ ...base, ...change }).state);
}

/** The lines that begin with one of the words, without the indented ones after them. */
function lines(text: string, ...starts: readonly string[]): readonly string[] {
  return text.split('\n').filter(line => starts.some(start => line.startsWith(start)));
}

/** From the line that begins with `start` to the first that closes it. */
function section(text: string, start: string): string {
  const all = text.split('\n');
  const first = all.findIndex(line => line.startsWith(start));
  const last = all.findIndex((line, i) => i >= first && /^[}\]]/.test(line));
  return all.slice(first, last + 1).join('\n');
}

describe('the configuration of BIRD', () => {
  test('has a session of the mesh for each other node and IP version', () => {
    expect(lines(render(), 'protocol bgp')).toEqual([
      'protocol bgp Mesh_10_0_0_2 from peer4 { neighbor 10.0.0.2 as 64512; }',
      'protocol bgp Mesh_10_0_0_3 from peer4 { neighbor 10.0.0.3 as 64512; }',
      'protocol bgp Mesh_fd00__2 from peer6 { neighbor fd00::2 as 64512; }',
      'protocol bgp Mesh_fd00__3 from peer6 { neighbor fd00::3 as 64512; }',
    ]);
  });

  test('has a client session for each node that peers with it, when it is a route reflector', () => {
    const [first, second, third] = NODES;
    if (first === undefined || second === undefined || third === undefined) throw new Error('three nodes');
    const reflector = (node: typeof first, routeReflectorClusterID: string) => ({
      ...node,
      spec: { bgp: { ...node.spec.bgp, routeReflectorClusterID } },
    });
    const peer = (scope: string, node?: string) => ({
      metadata: { scope, node, peerIP: '10.0.0.1' },
      spec: { asNumber: 64_512 },
    });
    const sessions = (nodeName: string, cluster: string, peers: BgpSource['peers']): readonly string[] =>
      lines(
        render({ nodeName, nodes: [reflector(first, '1.0.0.1'), second, reflector(third, cluster)], peers }),
        'protocol bgp',
      );
    const client = 'rr client; rr cluster id 1.0.0.1;';
    expect(sessions('n1', '1.0.0.1', [peer('global')])).toEqual([
      `protocol bgp Global_10_0_0_1 from peer4 { neighbor 10.0.0.1 as 64512; ${client} }`,
      `protocol bgp Node_10_0_0_2 from peer4 { neighbor 10.0.0.2 as 64512; ${client} }`,
      // Of the same cluster: it has the same clients.
      'protocol bgp Node_10_0_0_3 from peer4 { neighbor 10.0.0.3 as 64512; }',
    ]);
    expect(sessions('n1', '2.0.0.2', [peer('node', 'n3')])).toEqual([
      `protocol bgp Node_10_0_0_3 from peer4 { neighbor 10.0.0.3 as 64512; ${client} }`,
    ]);
    expect(sessions('n2', '1.0.0.1', [peer('global')])).toEqual([
      'protocol bgp Global_10_0_0_1 from peer4 { neighbor 10.0.0.1 as 64512; }',
    ]);
  });

  test('signs the sessions that have a password, those of the mesh and those of a peer', () => {
    const peers = [
      { metadata: { scope: 'global', peerIP: '10.0.0.9' }, spec: { asNumber: 65_001 } },
      { metadata: { scope: 'global', peerIP: '10.0.0.8' }, spec: { asNumber: 64_512 } },
    ];
    const settings = new Map([
      ['mesh_password', 'm#\\ e'],
      ['peer_password/10.0.0.8', 'for all'],
    ]);
    const nodeSettings = new Map([['peer_password/10.0.0.8', 'for this one']]);
    const nodes = NODES.slice(0, 2).map(({ metadata, spec }) => ({
      metadata,
      spec: { bgp: { ipv4Address: spec.bgp.ipv4Address } },
    }));
    expect(lines(render({ nodes, peers, settings, nodeSettings }), 'protocol bgp')).toEqual([
      'protocol bgp Mesh_10_0_0_2 from peer4 { neighbor 10.0.0.2 as 64512; password "m#\\ e"; }',
      'protocol bgp Global_10_0_0_8 from peer4 { neighbor 10.0.0.8 as 64512; password "for this one"; }',
      'protocol bgp Global_10_0_0_9 from peer4 { neighbor 10.0.0.9 as 65001; ipv4 { export filter own_to_peer4; }; }',
    ]);
  });

  test('gives the node and its sessions these parameters', () => {
    expect(section(render(), 'template bgp peer4')).toBe(`template bgp peer4 {
  local 10.0.0.1 as 64512;
  multihop;
  hold time 90;
  graceful restart on; graceful restart time 60;
  connect delay time 1; connect retry time 5; error wait time 5, 30;
  ipv4 { import all; export filter to_peer4; next hop self ebgp; gateway recursive; add paths on; };
}`);
  });

  test('takes the hold time that the node, or else all nodes, shall have', () => {
    const settings = new Map([['hold_time', '9']]);
    expect(section(render({ settings }), 'template bgp peer4')).toContain('\n  hold time 9;\n');
    const nodeSettings = new Map([['hold_time', '6']]);
    expect(section(render({ settings, nodeSettings }), 'template bgp peer6')).toContain('\n  hold time 6;\n');
  });

  test('announces own blocks whole, what is in a pool otherwise, and nothing else', () => {
    const text = render({
      pools: [{ metadata: { cidr: '10.65.0.0/16' } }, { metadata: { cidr: '10.64.0.0/16' } }],
      blocks: [
        { cidr: '10.65.1.0/26', node: 'n1', confirmed: true },
        { cidr: '10.65.9.1/32', node: 'n1', confirmed: true },
      ],
      settings: new Map([['custom_filters/v4/1', 'if net = 10.65.7.0/26 then reject;']]),
    });
    expect(section(text, 'define POOLS4')).toBe('define POOLS4 = [\n  10.64.0.0/16+,\n  10.65.0.0/16+\n];');
    expect(section(text, 'define BLOCKS4')).toContain('10.65.9.1/32');
    expect(lines(text, 'define INSIDE4', 'define BLOCKS6', 'define TUNNEL4')).toEqual([
      'define TUNNEL4 = [ ];',
      'define INSIDE4 = [ 10.65.1.0/26{27,32} ];',
      'define BLOCKS6 = [ ];',
    ]);
    expect(section(text, 'filter to_peer4')).toBe(`filter to_peer4 {
  if net ~ BLOCKS4 then accept;
  if net ~ INSIDE4 then reject;
  if net = 10.65.7.0/26 then reject;
  if net ~ POOLS4 then accept;
  reject;
}`);
  });

  test('ends packets for unassigned addresses of own blocks, but not in a block of one address', () => {
    const blocks = ['10.65.1.0/26', '10.65.9.1/32', 'fd65::40/122'].map(cidr => ({
      cidr,
      node: 'n1',
      confirmed: true,
    }));
    const text = render({ blocks });
    expect(section(text, 'protocol static blocks4')).toBe(
      'protocol static blocks4 {\n  ipv4;\n  route 10.65.1.0/26 blackhole;\n}',
    );
    expect(section(text, 'protocol static blocks6')).toContain('route fd65::40/122 blackhole;');
    expect(text).toContain('define INSIDE6 = [ fd65::40/122{123,128} ];');
  });

  test('takes workload routes of every interface prefix from the kernel', () => {
    const text = render({ interfacePrefixes: ['tap', 'cali', 'tap'] });
    expect(text).toContain('import where ifname ~ "cali*" || ifname ~ "tap*" || !(net ~ POOLS4);');
    expect(text).toContain('interface -"cali*", -"tap*", -"kube-ipvs*", "*";');
    expect(() => render({ interfacePrefixes: ['x"; } protocol'] })).toThrow('cannot be used');
  });

  test('leaves pools that the agent routes out of the kernel', () => {
    const pools = [{ metadata: { cidr: '10.64.0.0/16' }, spec: { ipip: { enabled: true } } }];
    expect(render({ pools, tunnelsByAgent: true })).toContain('define TUNNEL4 = [ 10.64.0.0/16+ ];');
    expect(section(render(), 'filter to_kernel4')).toContain(
      'if net ~ TUNNEL4 && source = RTS_BGP then reject;',
    );
  });

  test('tells a global peer outside only what the node originates, and a peer of the node everything', () => {
    const peers = [
      { metadata: { scope: 'global', peerIP: '10.9.0.1' }, spec: { asNumber: 65_001 } },
      { metadata: { scope: 'global', peerIP: '10.9.0.2' }, spec: { asNumber: 64_512 } },
      { metadata: { scope: 'node', node: 'n1', peerIP: '10.0.0.254' }, spec: { asNumber: 65_002 } },
    ];
    const settings = new Map([['node_mesh', '{"enabled":false}']]);
    const text = render({ peers, settings, ...(SUBNET === undefined ? {} : { ownSubnets: [SUBNET] }) });
    expect(lines(text, 'protocol bgp')).toEqual([
      'protocol bgp Node_10_0_0_254 from peer4 { neighbor 10.0.0.254 as 65002; ' +
        'ipv4 { import filter from_neighbor4; next hop self off; export filter all_to_neighbor4; }; }',
      'protocol bgp Global_10_9_0_1 from peer4 { neighbor 10.9.0.1 as 65001; ipv4 { export filter own_to_peer4; }; }',
      'protocol bgp Global_10_9_0_2 from peer4 { neighbor 10.9.0.2 as 64512; }',
    ]);
    expect(section(text, 'filter own_to_peer4')).toContain('if source = RTS_BGP then reject;');
    expect(section(text, 'filter all_to_neighbor4')).toContain(
      'if source = RTS_BGP && bgp_next_hop ~ 10.0.0.0/24 then',
    );
  });

  test('has one session for an address that is in the mesh and a peer, and keeps a peer that is the node itself', () => {
    const peers = ['10.0.0.1', '10.0.0.2'].map(peerIP => ({
      metadata: { scope: 'global', peerIP },
      spec: { asNumber: 64_512 },
    }));
    const names = lines(render({ peers }), 'protocol bgp').map(line => line.split(' ')[2]);
    expect(names.slice(0, 3)).toEqual(['Global_10_0_0_1', 'Global_10_0_0_2', 'Mesh_10_0_0_3']);
  });

  test('has blackholes but no session for a node without address, and a router id that never changes', () => {
    const text = render({ nodes: [], blocks: [{ cidr: '10.65.1.0/26', node: 'n1', confirmed: true }] });
    expect(lines(text, 'protocol bgp', 'template')).toEqual([]);
    expect(text).toContain('route 10.65.1.0/26 blackhole;');
    expect(lines(text, 'router id')).toEqual(['router id 103.107.139.184;']);
  });

  test('is the same text for the same data in another order', () => {
    const change = {
      pools: ['10.65.0.0/16', '10.64.0.0/16', 'fd65::/48'].map(cidr => ({ metadata: { cidr } })),
      blocks: ['10.65.2.0/26', '10.65.1.0/26'].map(cidr => ({ cidr, node: 'n1', confirmed: true })),
      peers: ['10.9.0.2', '10.9.0.1'].map(peerIP => ({
        metadata: { scope: 'global', peerIP },
        spec: { asNumber: 1 },
      })),
    };
    const { pools, blocks, peers } = change;
    const reversed = { pools: pools.toReversed(), blocks: blocks.toReversed(), peers: peers.toReversed() };
    expect(render({ ...reversed, nodes: NODES.toReversed() })).toBe(render(change));
  });

  test('of a cluster of 1,000 nodes has a session with each other node, for IPv4 and for IPv6', () => {
    const nodes = Array.from({ length: 1000 }, (_, i) => ({
      metadata: { name: `n${String(i)}` },
      spec: {
        bgp: {
          ipv4Address: `10.1.${String(i >> 8)}.${String(i & 255)}`,
          ipv6Address: `fd00::${i.toString(16)}a`,
        },
      },
    }));
    expect(lines(render({ nodes }), 'protocol bgp')).toHaveLength(2 * 999);
  });
});
