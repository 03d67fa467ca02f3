import { assert, json, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseNeighbors, parseRib } from './gobgp-answers.js';
import { planGobgp } from './gobgp-config.js';
import { bgpStateFrom } from './state-from.js';
import type { BgpSource } from './state-from.js';

function plan(change: Partial<BgpSource> = {}): ReturnType<typeof planGobgp> {
  const nodes = [1, 2].map(number => ({
    metadata: { name: `n${String(number)}` },
    spec: { bgp: { ipv4Address: `10.0.0.${String(number)}` } },
  }));
  const base = { nodeName: 'n1', nodes, peers: [], pools: [], blocks: [], settings: new Map() };
  return planGobgp(bgpStateFrom({ ...base, ...change }).state);
}

/** The configuration file as the daemon reads it. */
function config(change: Partial<BgpSource> = {}): unknown {
  return JSON.parse(plan(change).config);
}

describe('the plan for GoBGP', () => {
  test('has the sessions of the mesh, from the address of the node', () => {
    expect(config()).toMatchObject({
      global: { config: { as: 64_512, 'router-id': '10.0.0.1', 'local-address-list': ['10.0.0.1'] } },
      neighbors: [
        {
          config: { 'neighbor-address': '10.0.0.2', 'peer-as': 64_512, description: 'Mesh_10_0_0_2' },
          transport: { config: { 'local-address': '10.0.0.1' } },
        },
      ],
    });
  });

  test('originates own blocks and addresses borrowed from others, and ends packets to the former', () => {
    const { paths, blackholes } = plan({
      blocks: [
        { cidr: '10.65.1.0/26', node: 'n1', confirmed: true },
        { cidr: '10.65.3.0/26', node: 'n1', confirmed: false },
        {
          cidr: '10.65.2.0/26',
          node: 'n2',
          confirmed: true,
          borrowed: [
            { address: '10.65.2.9', node: 'n1' },
            { address: '10.65.2.8', node: 'n3' },
          ],
        },
      ],
    });
    expect([...paths]).toEqual([
      ['10.65.1.0/26', '10.0.0.1'],
      ['10.65.2.9/32', '10.0.0.1'],
    ]);
    expect(blackholes).toEqual(['10.65.1.0/26']);
  });

  test('tells a speaker outside that every node talks to only what is its own', () => {
    const peers = [{ metadata: { scope: 'global', peerIP: '10.0.0.9' }, spec: { asNumber: 65_001 } }];
    expect(config({ peers })).toMatchObject({
      global: { 'apply-policy': { config: { 'export-policy-list': ['outside'] } } },
      'defined-sets': { 'neighbor-sets': [{ 'neighbor-info-list': ['10.0.0.9/32'] }] },
    });
    expect(config()).not.toHaveProperty('defined-sets');
  });

  test('needs a new daemon for another AS number, and none for another peer', () => {
    const peers = [{ metadata: { scope: 'global', peerIP: '10.0.0.9' }, spec: { asNumber: 65_001 } }];
    expect(plan({ peers }).identity).toBe(plan().identity);
    expect(plan({ settings: new Map([['as_num', '64513']]) }).identity).not.toBe(plan().identity);
  });

  test('leaves out a peer that is the node itself', () => {
    const peers = [{ metadata: { scope: 'global', peerIP: '10.0.0.1' }, spec: { asNumber: 64_512 } }];
    expect(config({ peers })).toMatchObject({ neighbors: [{ config: { description: 'Mesh_10_0_0_2' } }] });
  });
});

describe('the answers of GoBGP', () => {
  test('tell how long a session is up, and what it is when it is not', () => {
    const peer = (session: number, seconds?: number): object => ({
      conf: { description: 'Mesh_10_0_0_2', neighbor_address: '10.0.0.2' },
      state: { session_state: session },
      timers: { state: { uptime: { seconds } } },
    });
    const text = JSON.stringify([peer(6, 1_000_000), peer(6, 1_000_000 - 90_061), peer(3), { conf: {} }]);
    expect(parseNeighbors(text, 1_000_000 + 3_661).map(({ since, info }) => `${since} ${info}`)).toEqual([
      '01:01:01 Established',
      '1d 02:02:02 Established',
      'never Active',
    ]);
  });

  test('tell the best way to each network, over both IP versions', () => {
    const path = (hop: string, more: object = {}): object => ({
      attrs: [
        { type: 1, value: 0 },
        { type: hop.includes(':') ? 14 : 3, nexthop: hop },
      ],
      ...more,
    });
    const text = JSON.stringify({
      '10.65.1.0/26': [path('10.0.0.1')],
      '10.65.2.0/26': [
        path('10.0.0.3', { 'neighbor-ip': '10.0.0.3' }),
        path('10.0.0.2', { best: true, 'neighbor-ip': '10.0.0.2' }),
      ],
      'fd65::/122': [path('fd00::2', { best: true, 'neighbor-ip': 'fd00::2' })],
    });
    expect(parseRib(text)).toEqual([
      { network: '10.65.1.0/26', nextHop: '10.0.0.1', local: true },
      { network: '10.65.2.0/26', nextHop: '10.0.0.2', local: false },
      { network: 'fd65::/122', nextHop: 'fd00::2', local: false },
    ]);
  });

  test('of any other shape are empty or refused, never a crash', () => {
    assert(
      property(json(), text => {
        parseRib(text);
        parseNeighbors(text, 0);
      }),
    );
    for (const text of ['', 'no such command', '{']) {
      expect(() => parseRib(text)).toThrow(/GoBGP answered something that is not JSON/);
    }
  });
});
