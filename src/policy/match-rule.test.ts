import { describe, expect, test } from 'vitest';
import { nets, selector } from '../../test/support/policy-builders.js';
import { parseIp, protocolNumbers } from '../net/index.js';
import { mismatches } from './match-rule.js';
import { endpoint, packet } from '../../test/support/policy-builders.js';
import type { MatchContext, PacketSide } from './match-rule.js';
import type { Labels, RuleMatch } from './model.js';
import type { Packet } from './packet.js';

const { icmp, icmpv6, tcp, udp } = protocolNumbers;

interface Ends {
  /** labels and tags of the endpoint at that address; absent: the address is not one of ours */
  readonly source?: { readonly labels?: Labels; readonly tags?: readonly string[] };
  readonly destination?: { readonly labels?: Labels; readonly tags?: readonly string[] };
}

function contextOf(sent: Packet, ends: Ends): MatchContext {
  const side = (end: 'source' | 'destination'): PacketSide => {
    const { labels = {}, tags = [] } = ends[end] ?? {};
    return {
      address: parseIp(sent[end]) ?? { version: 4, bits: 0n },
      port: end === 'source' ? sent.sourcePort : sent.destinationPort,
      endpoints: ends[end] === undefined ? [] : [{ endpoint: endpoint('x'), labels, tags }],
    };
  };
  return { packet: sent, source: side('source'), destination: side('destination') };
}

const v4 = packet('10.65.0.1', '10.65.0.2');
const v6 = packet('fd80:65::1', 'fd80:65::2');
const ping4 = packet('10.65.0.1', '10.65.0.2', { protocol: icmp, icmpType: 8, icmpCode: 0 });
const ping6 = packet('fd80:65::1', 'fd80:65::2', { protocol: icmpv6, icmpType: 128, icmpCode: 0 });
const gre = packet('10.65.0.1', '10.65.0.2', { protocol: 47 });

interface Case {
  readonly match: RuleMatch;
  readonly says: string;
  readonly sent: Packet;
  readonly ends?: Ends;
  readonly holds: boolean;
}

const families: readonly Case[] = [
  { says: 'its own family', match: { ipVersion: 4 }, sent: v4, holds: true },
  { says: 'the other family', match: { ipVersion: 4 }, sent: v6, holds: false },
];

const protocols: readonly Case[] = [
  { says: 'the protocol', match: { protocol: tcp }, sent: v4, holds: true },
  { says: 'another protocol', match: { protocol: udp }, sent: v4, holds: false },
  { says: 'a protocol by number only', match: { protocol: 47 }, sent: gre, holds: true },
  { says: 'ICMP in IPv4', match: { protocol: icmp }, sent: ping4, holds: true },
  { says: 'ICMPv6 in IPv6', match: { protocol: icmpv6 }, sent: ping6, holds: true },
  { says: 'protocol 1 in IPv6', match: { protocol: icmp }, sent: { ...v6, protocol: icmp }, holds: false },
  {
    says: 'protocol 58 in IPv4',
    match: { protocol: icmpv6 },
    sent: { ...v4, protocol: icmpv6 },
    holds: false,
  },
  { says: 'the excluded protocol', match: { notProtocol: tcp }, sent: v4, holds: false },
  { says: 'a protocol that is not excluded', match: { notProtocol: udp }, sent: v4, holds: true },
];

const icmpCases: readonly Case[] = [
  { says: 'the type with any code', match: { icmp: { type: 8 } }, sent: ping4, holds: true },
  { says: 'type and code', match: { icmp: { type: 8, code: 0 } }, sent: ping4, holds: true },
  { says: 'the type with another code', match: { icmp: { type: 8, code: 1 } }, sent: ping4, holds: false },
  { says: 'type 0, which is no wildcard', match: { icmp: { type: 0 } }, sent: ping4, holds: false },
  { says: 'a type without protocol in IPv6', match: { icmp: { type: 128 } }, sent: ping6, holds: true },
  { says: 'a type beside protocol TCP', match: { icmp: { type: 8 }, protocol: tcp }, sent: v4, holds: false },
  { says: 'a type in a packet that is no ICMP', match: { icmp: { type: 8 } }, sent: v4, holds: false },
  { says: 'the excluded type', match: { notIcmp: { type: 8 } }, sent: ping4, holds: false },
  { says: 'the excluded type and code', match: { notIcmp: { type: 8, code: 0 } }, sent: ping4, holds: false },
  {
    says: 'the excluded type with another code',
    match: { notIcmp: { type: 8, code: 1 } },
    sent: ping4,
    holds: true,
  },
  { says: 'an excluded type, no ICMP at all', match: { notIcmp: { type: 8 } }, sent: v4, holds: false },
];

/** The cases of one side; the other side is the same table, mirrored. */
const netCases: readonly Case[] = [
  { says: 'inside', match: { sourceNets: nets('10.65.0.0/24') }, sent: v4, holds: true },
  { says: 'outside', match: { sourceNets: nets('10.66.0.0/24') }, sent: v4, holds: false },
  {
    says: 'one of several',
    match: { sourceNets: nets('10.66.0.0/24', '10.65.0.1/32') },
    sent: v4,
    holds: true,
  },
  { says: 'of the other family', match: { sourceNets: nets('10.65.0.0/24') }, sent: v6, holds: false },
  { says: 'everything', match: { sourceNets: nets('0.0.0.0/0') }, sent: v4, holds: true },
  {
    says: 'mixed, seen from IPv6',
    match: { sourceNets: nets('10.0.0.0/8', 'fd80:65::/64') },
    sent: v6,
    holds: true,
  },
  { says: 'excluded', match: { notSourceNets: nets('10.65.0.0/24') }, sent: v4, holds: false },
  { says: 'not excluded', match: { notSourceNets: nets('10.66.0.0/24') }, sent: v4, holds: true },
  {
    says: 'excluded by one of several',
    match: { notSourceNets: nets('10.66.0.0/24', '10.65.0.0/31') },
    sent: v4,
    holds: false,
  },
  {
    says: 'excluded list of the other family',
    match: { notSourceNets: nets('fd80:66::/64') },
    sent: v4,
    holds: false,
  },
  { says: 'everything excluded', match: { notSourceNets: nets('0.0.0.0/0') }, sent: v4, holds: false },
  {
    says: 'in a network but not in its exception',
    match: { sourceNets: nets('10.65.0.0/24'), notSourceNets: nets('10.65.0.1/32') },
    sent: v4,
    holds: false,
  },
];

const web = { source: { labels: { role: 'web' } } };
const tagged = { source: { tags: ['public'] } };
const endpointCases: readonly Case[] = [
  {
    says: 'selected',
    match: { sourceSelector: selector('role == "web"') },
    sent: v4,
    ends: web,
    holds: true,
  },
  {
    says: 'not selected',
    match: { sourceSelector: selector('role == "db"') },
    sent: v4,
    ends: web,
    holds: false,
  },
  { says: 'a stranger, all()', match: { sourceSelector: selector('all()') }, sent: v4, holds: false },
  {
    says: 'a stranger, !has(role)',
    match: { sourceSelector: selector('!has(role)') },
    sent: v4,
    holds: false,
  },
  {
    says: 'excluded',
    match: { notSourceSelector: selector('role == "web"') },
    sent: v4,
    ends: web,
    holds: false,
  },
  {
    says: 'not excluded',
    match: { notSourceSelector: selector('role == "db"') },
    sent: v4,
    ends: web,
    holds: true,
  },
  {
    says: 'a stranger, not excluded',
    match: { notSourceSelector: selector('has(role)') },
    sent: v4,
    holds: true,
  },
  { says: 'tagged', match: { sourceTag: 'public' }, sent: v4, ends: tagged, holds: true },
  { says: 'not tagged', match: { sourceTag: 'public' }, sent: v4, ends: web, holds: false },
  { says: 'a stranger, by tag', match: { sourceTag: 'public' }, sent: v4, holds: false },
  { says: 'excluded by tag', match: { notSourceTag: 'public' }, sent: v4, ends: tagged, holds: false },
  { says: 'a stranger, not excluded by tag', match: { notSourceTag: 'public' }, sent: v4, holds: true },
  {
    says: 'tagged and selected, both demanded',
    match: { sourceTag: 'public', sourceSelector: selector('role == "web"') },
    sent: v4,
    ends: web,
    holds: false,
  },
];

const portCases: readonly Case[] = [
  { says: 'the port', match: { sourcePorts: [{ min: 40_000, max: 40_000 }] }, sent: v4, holds: true },
  { says: 'both ends of a range', match: { sourcePorts: [{ min: 1, max: 40_000 }] }, sent: v4, holds: true },
  { says: 'just past a range', match: { sourcePorts: [{ min: 1, max: 39_999 }] }, sent: v4, holds: false },
  {
    says: 'the second item',
    match: {
      sourcePorts: [
        { min: 1, max: 2 },
        { min: 40_000, max: 40_001 },
      ],
    },
    sent: v4,
    holds: true,
  },
  { says: 'no port at all', match: { sourcePorts: [{ min: 1, max: 65_535 }] }, sent: gre, holds: false },
  { says: 'excluded', match: { notSourcePorts: [{ min: 40_000, max: 40_000 }] }, sent: v4, holds: false },
  { says: 'not excluded', match: { notSourcePorts: [{ min: 1, max: 1024 }] }, sent: v4, holds: true },
  { says: 'not excluded, no port', match: { notSourcePorts: [{ min: 1, max: 1 }] }, sent: gre, holds: false },
];

/** The same case seen from the other side: a new criterion of one side cannot be forgotten on the other. */
function mirrored({ match, sent, ends = {}, ...rest }: Case): Case {
  const flip = (field: string): string =>
    field.startsWith('notSource')
      ? field.replace('notSource', 'notDestination')
      : field.replace('source', 'destination');
  const { source, destination, sourcePort, destinationPort, ...others } = sent;
  return {
    ...rest,
    match: Object.fromEntries(Object.entries(match).map(([field, value]) => [flip(field), value])),
    sent: {
      ...others,
      source: destination,
      destination: source,
      ...(sourcePort !== undefined && { destinationPort: sourcePort }),
      ...(destinationPort !== undefined && { sourcePort: destinationPort }),
    },
    ends: { ...(ends.source && { destination: ends.source }) },
  };
}

const oneSided = [...netCases, ...endpointCases, ...portCases];
const subjects: Readonly<Record<string, readonly Case[]>> = {
  'the family': families,
  'the protocol': protocols,
  'ICMP type and code': icmpCases,
  'the source': oneSided,
  'the destination': oneSided.map(mirrored),
};

describe.each(Object.entries(subjects))('a rule on %s', (_subject, cases) => {
  test.each(cases)('meets $says: $holds', ({ match, sent, ends = {}, holds }) => {
    const [mismatch] = mismatches(match, contextOf(sent, ends));
    expect(mismatch === undefined).toBe(holds);
    expect([undefined, ...Object.keys(match)]).toContain(mismatch);
  });
});

describe('a rule', () => {
  test('without criteria matches every packet', () => {
    for (const sent of [v4, v6, ping4, ping6, gre]) expect(mismatches({}, contextOf(sent, {}))).toEqual([]);
  });

  test('with several criteria names all that do not hold', () => {
    const match: RuleMatch = { protocol: tcp, sourceNets: nets('10.66.0.0/16'), ipVersion: 6 };
    expect(mismatches(match, contextOf(v4, {}))).toEqual(['ipVersion', 'sourceNets']);
  });
});
