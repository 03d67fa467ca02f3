import { describe, expect, test } from 'vitest';
import {
  endpoint,
  endpointId,
  model,
  nets,
  packet,
  policy,
  profile,
  rule,
} from '../../test/support/policy-builders.js';
import { protocolNumbers } from '../net/index.js';
import { evaluate } from './evaluate.js';
import { explainBriefly } from './explain.js';
import { emptyModel } from './snapshot.js';
import type { Endpoint, Policy, Profile, Rule } from './model.js';
import type { Packet } from './packet.js';
import type { Model } from './snapshot.js';

const { icmpv6, udp } = protocolNumbers;
const allow = [rule('allow')];
const open = profile('open', { ingress: allow, egress: allow });
const web = endpoint('web', {
  addresses: ['10.65.0.1', 'fd80:65::1'],
  labels: { role: 'web' },
  profiles: ['open'],
});
const db = endpoint('db', {
  addresses: ['10.65.0.2', 'fd80:65::2'],
  labels: { role: 'db' },
  profiles: ['open'],
});
const webToDb = packet('10.65.0.1', '10.65.0.2');

/** What happens on the way into db, with these policies and profiles; the way out of web is open. */
function intoDb(given: {
  readonly policies?: readonly Policy[];
  readonly profiles?: readonly Profile[];
  readonly on?: readonly string[];
}): string {
  const { policies = [], profiles = [], on = [] } = given;
  const content = model({
    endpoints: [web, { ...db, profiles: endpoint('', { profiles: on }).profiles }],
    policies: policies.map(each => ({
      ...each,
      selector: { kind: 'equals', label: 'role', value: 'db' } as const,
    })),
    profiles: [open, ...profiles],
  });
  return explainBriefly(evaluate(content, webToDb));
}

function ingress(id: string, ...rules: readonly Rule[]): Policy {
  return policy(id, { ingress: rules });
}

/** The table of policy-enforcement 3.3, and the actions of section 4. */
describe('an endpoint', () => {
  test.each([
    [
      'no policy and no profile',
      {},
      'denied on the way into db by default (ingress: no policy applies and there is no profile)',
    ],
    [
      'no policy, and a profile that allows',
      { on: ['p'], profiles: [profile('p', { ingress: allow })] },
      "allowed on the way into db by profile 'p' (ingress, rule 1)",
    ],
    [
      'no policy, and profiles without a matching rule',
      { on: ['p', 'q'], profiles: [profile('p'), profile('q')] },
      "denied on the way into db by default (ingress: no policy decided, and no rule of profile 'p', 'q' matched)",
    ],
    [
      'a policy without a matching rule: profiles are not asked',
      { on: ['open'], policies: [ingress('database', rule('allow', { protocol: udp }))] },
      "denied on the way into db by policy 'database' (ingress, no rule matched: end of policies)",
    ],
    [
      'a policy without rules in that direction',
      { on: ['open'], policies: [policy('database', { egress: allow })] },
      "denied on the way into db by policy 'database' (ingress, no rule matched: end of policies)",
    ],
    [
      'a policy that is not for that direction',
      { on: ['open'], policies: [policy('database', { types: ['egress'] })] },
      "allowed on the way into db by profile 'open' (ingress, rule 1)",
    ],
    [
      'a policy that passes, and a profile',
      { on: ['open'], policies: [ingress('a', rule('pass')), ingress('b', rule('deny'))] },
      "allowed on the way into db by profile 'open' (ingress, rule 1)",
    ],
    [
      'a policy that passes, and no profile',
      { policies: [ingress('a', rule('pass'))] },
      'denied on the way into db by default (ingress: no policy applies and there is no profile)',
    ],
    [
      'a profile that nobody has written',
      { on: ['ghost', 'open'] },
      "denied on the way into db by default (ingress: profile 'ghost' does not exist)",
    ],
    [
      'a missing profile after one that decides',
      { on: ['open', 'ghost'] },
      "allowed on the way into db by profile 'open' (ingress, rule 1)",
    ],
    [
      'a profile that passes: the next one is asked',
      { on: ['p', 'open'], profiles: [profile('p', { ingress: [rule('pass'), rule('deny')] })] },
      "allowed on the way into db by profile 'open' (ingress, rule 1)",
    ],
    [
      'a rule that logs: the next rule is asked',
      { policies: [ingress('a', rule('log'), rule('deny'), rule('allow'))] },
      "denied on the way into db by policy 'a' (ingress, rule 2)",
    ],
    [
      'policies in their order, those without one last, ties by name',
      {
        policies: [
          ingress('a', rule('allow')),
          { ...ingress('c', rule('deny')), order: 1.5 },
          { ...ingress('b', rule('allow')), order: 1.5 },
          { ...ingress('d', rule('log')), order: -1 },
        ],
      },
      "allowed on the way into db by policy 'b' (ingress, rule 1)",
    ],
    [
      'two policies without a matching rule',
      { policies: [ingress('b'), ingress('a')] },
      "denied on the way into db by policies 'a', 'b' (ingress, no rule matched: end of policies)",
    ],
  ])('with %s', (_case, given, expected) => {
    expect(intoDb(given)).toBe(expected);
  });

  test('in two tiers is asked in the second one when the first passes', () => {
    const toDb = { selector: 'role == "db"', types: ['ingress'] } as const;
    const content = model({
      endpoints: [web, db],
      profiles: [open],
      policies: [
        policy('first', { ...toDb, tier: 'a', order: 1, ingress: [rule('pass')] }),
        policy('skipped', { ...toDb, tier: 'a', order: 2, ingress: allow }),
        policy('second', { ...toDb, tier: 'b' }),
      ],
    });
    expect(explainBriefly(evaluate(content, webToDb))).toContain("by policy 'second'");
  });
});

describe('labels that a profile gives', () => {
  const inherited = (endpoints: readonly Endpoint[], profiles: readonly Profile[], selectorText: string) => {
    const content = model({ endpoints, profiles, policies: [policy('deny', { selector: selectorText })] });
    return evaluate(content, webToDb).allowed;
  };
  const only = (labels: Readonly<Record<string, string>>, profiles: readonly string[]) => [
    endpoint('web', { addresses: ['10.65.0.1'], profiles: ['open'] }),
    endpoint('db', { addresses: ['10.65.0.2'], labels, profiles }),
  ];
  const labelled = { ...open, id: profile('labelled').id, labels: { env: 'prod' } };
  const other = { ...open, id: profile('other').id, labels: { env: 'test' } };
  const marked = { ...open, id: profile('marked').id, tags: ['env', 'vip'] };

  test.each([
    ['count for policies', {}, ['labelled'], 'env == "prod"', false],
    ['give way to the endpoint’s own', { env: 'own' }, ['labelled'], 'env == "prod"', true],
    [
      'give way to those of a profile that is listed earlier',
      {},
      ['other', 'labelled'],
      'env == "prod"',
      true,
    ],
    ['include its tags, with an empty value', {}, ['marked'], 'vip == ""', false],
    ['come before any tag of the same name', {}, ['marked', 'labelled'], 'env == ""', true],
  ])('%s', (_case, labels, profiles, selectorText, allowed) => {
    expect(inherited(only(labels, profiles), [open, labelled, other, marked], selectorText)).toBe(allowed);
  });
});

/** The paths of policy-enforcement 1.1. */
describe('a packet', () => {
  const closed = endpoint('closed', { addresses: ['10.65.0.3', 'fd80:65::3'] });
  const far = endpoint('far', { node: 'there', addresses: ['10.65.1.1'], profiles: ['open'] });
  const down = endpoint('down', { addresses: ['10.65.0.4'], profiles: ['open'], adminUp: false });
  const content = model({
    endpoints: [web, db, closed, far, down],
    profiles: [open],
    hosts: new Map([
      ['here', ['192.0.2.10']],
      ['there', ['192.0.2.20']],
    ]),
  });
  const returning: Model = {
    ...content,
    settings: { ...emptyModel.settings, defaultEndpointToHostAction: 'return' },
  };
  const points = (sent: Packet, on: Model = content) =>
    evaluate(on, sent).path.map(({ point, allowed }) => `${point} ${allowed ? 'yes' : 'no'}`);

  test.each([
    ['between workloads needs both ways', webToDb, ['egress yes', 'ingress yes']],
    ['between workloads of two hosts too', packet('10.65.0.1', '10.65.1.1'), ['egress yes', 'ingress yes']],
    ['out of a closed workload stops there', packet('10.65.0.3', '10.65.0.2'), ['egress no']],
    ['into a closed workload stops there', packet('10.65.0.1', '10.65.0.3'), ['egress yes', 'ingress no']],
    ['to the outside asks the source only', packet('10.65.0.1', '198.51.100.1'), ['egress yes']],
    ['from the outside asks the destination only', packet('198.51.100.1', '10.65.0.2'), ['ingress yes']],
    ['from its own host is never policed', packet('192.0.2.10', '10.65.0.3'), ['unpoliced yes']],
    ['from another host is', packet('192.0.2.20', '10.65.0.3'), ['ingress no']],
    [
      'to its own host meets the action after policy',
      packet('10.65.0.1', '192.0.2.10'),
      ['egress yes', 'to-host no'],
    ],
    ['to its own host is stopped by policy first', packet('10.65.0.3', '192.0.2.10'), ['egress no']],
    ['to another host asks the source only', packet('10.65.0.1', '192.0.2.20'), ['egress yes']],
    [
      'between a host and the outside is not policed',
      packet('192.0.2.10', '198.51.100.1'),
      ['unpoliced yes'],
    ],
    ['between strangers is not policed', packet('198.51.100.1', '198.51.100.2'), ['unpoliced yes']],
    ['of a workload to itself never leaves it', packet('10.65.0.3', '10.65.0.3'), ['unpoliced yes']],
    ['out of an endpoint that is down', packet('10.65.0.4', '10.65.0.2'), ['egress no']],
    ['into an endpoint that is down', packet('10.65.0.1', '10.65.0.4'), ['egress yes', 'ingress no']],
    ['with a false source', packet('10.65.0.9', '10.65.0.2', { from: web.id }), ['egress no']],
    [
      'from an interface without an endpoint',
      packet('10.65.0.9', '10.65.0.2', { from: endpointId('who') }),
      ['egress no'],
    ],
    [
      'to an interface without an endpoint',
      packet('10.65.0.1', '10.65.0.9', { to: endpointId('who') }),
      ['egress yes', 'ingress no'],
    ],
    ['in IP from a workload', packet('10.65.0.1', '198.51.100.1', { protocol: 4 }), ['egress no']],
  ])('%s', (_case, sent, expected) => {
    expect(points(sent)).toEqual(expected);
  });

  const dns = { protocol: udp, sourcePort: 40_000, destinationPort: 53 };
  const dhcp = { protocol: udp, sourcePort: 68, destinationPort: 67 };
  const neighbour = { protocol: icmpv6, icmpType: 135, icmpCode: 0 };
  const advertisement = { protocol: icmpv6, icmpType: 134, icmpCode: 0 };
  test.each([
    ['DNS passes', packet('10.65.0.3', '192.0.2.10', dns), true],
    ['DNS to anywhere else does not', packet('10.65.0.3', '198.51.100.1', dns), false],
    [
      'a DHCP request without an address passes',
      packet('0.0.0.0', '255.255.255.255', { ...dhcp, from: closed.id }),
      true,
    ],
    [
      'neighbour discovery passes',
      packet('fe80::3', 'ff02::1:ff00:1', { ...neighbour, from: closed.id }),
      true,
    ],
    [
      'router advertisements never do',
      packet('fe80::1', 'ff02::1', { ...advertisement, from: web.id }),
      false,
    ],
  ])('from a closed workload to its host: %s', (_case, sent, allowed) => {
    expect(evaluate(content, sent).allowed).toBe(allowed);
  });

  test('to its own host is left to the host when the action is RETURN', () => {
    const verdict = evaluate(returning, packet('10.65.0.1', '192.0.2.10'));
    expect(verdict.allowed).toBe(true);
    expect(explainBriefly(verdict)).toContain('the host’s own firewall decides');
  });

  test('with an address that is none is refused with the place', () => {
    expect(() => evaluate(content, packet('10.65.0', '10.65.0.2'))).toThrow("source '10.65.0'");
    expect(() => evaluate(content, { ...webToDb, ipVersion: 6 })).toThrow('cannot judge');
  });
});

describe('a floating address', () => {
  const floating = [{ external: '203.0.113.5', internal: '10.65.0.2' }];
  const far = endpoint('far', { node: 'there', addresses: ['10.65.1.1'], profiles: ['open'] });
  const toFloating = rule('deny', { destinationNets: nets('203.0.113.5/32') });
  const toOwn = rule('deny', { destinationNets: nets('10.65.0.2/32') });
  const points = (source: string, ...rules: readonly Rule[]) =>
    evaluate(
      model({
        endpoints: [web, { ...db, floating }, far],
        profiles: [profile('open', { ingress: [...rules, ...allow], egress: [...rules, ...allow] })],
        hosts: new Map([['here', ['192.0.2.10']]]),
      }),
      packet(source, '203.0.113.5'),
    ).path.map(({ point, allowed }) => `${point} ${allowed ? 'yes' : 'no'}`);

  test.each([
    ['leads to its workload', '198.51.100.1', [], ['ingress yes']],
    ['leads to its workload from its host', '192.0.2.10', [toOwn], ['unpoliced yes']],
    ['is never what policy of its host sees', '10.65.0.1', [toFloating], ['egress yes', 'ingress yes']],
    ['is translated before policy of its host', '10.65.0.1', [toOwn], ['egress no']],
    ['is what policy of other hosts sees', '10.65.1.1', [toFloating], ['egress no']],
    ['is translated at its host', '10.65.1.1', [toOwn], ['egress yes', 'ingress no']],
    ['leads its own workload through its own policy', '10.65.0.2', [], ['egress yes', 'ingress yes']],
  ])('%s', (_case, source, rules, expected) => {
    expect(points(source, ...rules)).toEqual(expected);
  });
});

describe('settings of the agent', () => {
  const host = { host: 'here' };
  const toHost: Packet = { ...packet('10.65.0.1', '192.0.2.1'), from: web.id, to: host };
  const content = model({ endpoints: [web, db], policies: [], profiles: [open] });
  const closed = model({ endpoints: [web, { ...db, profiles: [] }], policies: [], profiles: [open] });
  const six = packet('fd80:65::1', 'fd80:65::2');
  const tunnel = (protocol: number, port?: number): Packet =>
    packet('10.65.0.1', '10.65.0.2', {
      protocol,
      ...(port !== undefined && { sourcePort: 49_152, destinationPort: port }),
    });

  function said(given: Model, about: Packet, settings: Partial<Model['settings']>, node?: string): string {
    const all = { ...emptyModel.settings, ...settings };
    return explainBriefly(
      evaluate(
        node === undefined ? { ...given, settings: all } : { ...given, hostSettings: new Map([[node, all]]) },
        about,
      ),
    );
  }

  test.each([
    ['the action', content, toHost, { defaultEndpointToHostAction: 'accept' }, /^allowed .* is ACCEPT/],
    ['IP in IP', content, tunnel(4), { allowIpipFromWorkloads: true }, /^allowed on the way into db by/],
    ['VXLAN', content, tunnel(17, 4789), { allowVxlanFromWorkloads: true }, /^allowed on the way into db by/],
    ['another port', content, tunnel(17, 4789), { vxlanPort: 8472 }, /^allowed on the way into db by/],
    ['that port', content, tunnel(17, 8472), { vxlanPort: 8472 }, /^denied on the way out of web because a/],
    ['no IPv6', content, six, { ipv6: false }, /^denied on the way out of web because Ipv6Support is false/],
    [
      'another prefix',
      content,
      toHost,
      { interfacePrefixes: ['tap'] },
      /^allowed because its interface has no/,
    ],
    [
      'accepted drops',
      closed,
      webToDb,
      { dropActionOverride: 'log-and-accept' },
      /^allowed because DropAction/,
    ],
    ['logged drops', closed, webToDb, { dropActionOverride: 'log-and-drop' }, /^denied on the way into db/],
  ] as const)('change the verdict, and it says so: %s', (_what, given, about, settings, words) => {
    expect(said(given, about, settings)).toMatch(words);
    expect(said(given, about, settings, web.node)).toMatch(words);
  });

  test('of another host do not matter', () => {
    expect(said(content, toHost, { defaultEndpointToHostAction: 'accept' }, 'elsewhere')).toMatch(/^denied/);
  });
});
