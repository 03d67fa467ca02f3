import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { runProgram } from '../../src/base/index.js';
import { bgpStateFrom, renderBird } from '../../src/bgp/index.js';
import type { BgpSource } from '../../src/bgp/index.js';

const folder = mkdtempSync(join(tmpdir(), 'calico-bird-check-'));

afterAll(() => {
  rmSync(folder, { recursive: true });
});

const hostile = fc.oneof(
  fc.string(),
  fc.constantFrom(
    '10.0.0.1; } include "/etc/passwd"; #EVIL',
    '"EVIL"',
    '10.0.0.0/8+ ]; define EVIL = [ 0.0.0.0/0',
    'fe80::1%eth0',
    'fe80::1',
    '224.0.0.1',
    '0.0.0.0',
    '255.255.255.255',
    '::',
    'ff02::1',
    '1.2.3.4\nEVIL',
    '-1',
    '0',
    '4294967296',
  ),
);
const ipv4 = fc.ipV4();
const ipv6 = fc.ipV6();
const mostly = <T>(good: fc.Arbitrary<T>, bad: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ arbitrary: good, weight: 6 }, { arbitrary: bad, weight: 1 });
const asNumber = mostly<number | string>(fc.integer({ min: 1, max: 4_294_967_295 }), hostile);
const network = mostly(
  fc.oneof(
    fc.tuple(ipv4, fc.integer({ min: 0, max: 32 })).map(([ip, length]) => `${ip}/${String(length)}`),
    fc.tuple(ipv6, fc.integer({ min: 0, max: 128 })).map(([ip, length]) => `${ip}/${String(length)}`),
  ),
  hostile,
);
const node = fc.record({
  metadata: fc.record({ name: fc.oneof(fc.constantFrom('a', 'b', 'c'), hostile) }),
  spec: fc.record({
    bgp: fc.record(
      {
        asNumber,
        ipv4Address: mostly(ipv4, hostile),
        ipv6Address: mostly(ipv6, hostile),
        routeReflectorClusterID: mostly(ipv4, hostile),
      },
      { requiredKeys: [] },
    ),
  }),
});
const peer = fc.record({
  metadata: fc.record({
    scope: fc.constantFrom('global', 'node'),
    node: fc.constantFrom('a', 'b'),
    peerIP: mostly(fc.oneof(ipv4, ipv6), hostile),
  }),
  spec: fc.record({ asNumber }),
});
const pool = fc.record({
  metadata: fc.record({ cidr: network }),
  spec: fc.record({ ipip: fc.record({ enabled: fc.boolean() }) }),
});
const setting = fc.oneof(
  fc.tuple(fc.constantFrom('as_num', 'node_mesh', 'loglevel'), fc.oneof(fc.constant('debug'), hostile)),
  // Any text may be a password; but not the word that must not get out of a quote.
  fc.tuple(
    fc.constantFrom('mesh_password', 'peer_password/10.0.0.1', 'peer_password/fd00::1'),
    fc.oneof(fc.constant('x"; } include "/etc/passwd'), fc.string()).filter(text => !text.includes('EVIL')),
  ),
  fc.constantFrom(
    ['custom_filters/v4/1', 'if net = 10.65.7.0/26 then reject;'] as const,
    ['custom_filters/v6/1', '# a remark\nif net ~ [ fd00::/8+ ] then { accept; }'] as const,
    ['custom_filters/v4/2', 'accept; } protocol bgp EVIL {'] as const,
  ),
);
const source: fc.Arbitrary<BgpSource> = fc.record({
  nodeName: fc.constant('a'),
  nodes: fc.array(node, { maxLength: 12 }),
  peers: fc.array(peer, { maxLength: 6 }),
  pools: fc.array(pool, { maxLength: 6 }),
  blocks: fc.array(
    fc.record({ cidr: network, node: fc.constantFrom('a', 'b', undefined), confirmed: fc.boolean() }),
  ),
  settings: fc.array(setting, { maxLength: 5 }).map(pairs => new Map(pairs)),
  tunnelsByAgent: fc.boolean(),
});

describe('BIRD', () => {
  test('accepts the configuration of any state, whatever words are in the store', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), source, async (number, input) => {
        const file = join(folder, `${String(number)}.conf`);
        const text = renderBird(bgpStateFrom(input).state);
        writeFileSync(file, text);
        const { stderr, exitCode } = await runProgram('bird', ['-p', '-c', file]);
        expect(stderr).toBe('');
        expect(exitCode).toBe(0);
        expect(text).not.toMatch(/EVIL|include/);
      }),
      { numRuns: 60 },
    );
  });
});
