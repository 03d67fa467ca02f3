import { describe, expect, test } from 'vitest';
import { endpoint, model, packet, policy, profile, rule } from '../../test/support/policy-builders.js';
import { parseCidr, protocolNumbers } from '../net/index.js';
import { evaluate } from './evaluate.js';
import { explainBriefly } from './explain.js';
import { claimsOnInterfaces } from './host-interfaces.js';
import { emptyModel } from './snapshot.js';
import type { Endpoint, EndpointId, Policy } from './model.js';
import type { Packet } from './packet.js';
import type { Model } from './snapshot.js';

function hostEndpoint(name: string, given: Partial<Endpoint>): Endpoint {
  const { interfaceName: _, ...rest } = endpoint(name);
  return { ...rest, id: `host:here/${name}` as EndpointId, kind: 'host', labels: { host: name }, ...given };
}

const uplink = hostEndpoint('uplink', { interfaceName: 'eth0', addresses: ['192.0.2.10'] });
const open = profile('open', { ingress: [rule('allow')], egress: [rule('allow')] });
const web = endpoint('web', { addresses: ['10.65.0.1'], profiles: ['open'] });

function world(policies: readonly Policy[], endpoints: readonly Endpoint[] = [uplink, web]): Model {
  return model({ endpoints, policies, profiles: [open], hosts: new Map([['here', ['192.0.2.10']]]) });
}

function forHosts(id: string, given: Partial<Omit<Policy, 'id' | 'selector'>>): Policy {
  return policy(id, { selector: 'has(host)', ...given });
}

const toHost = packet('198.51.100.7', '192.0.2.10');
const fromHost = packet('192.0.2.10', '198.51.100.7');
const toWeb = packet('198.51.100.7', '10.65.0.1');

function say(content: Model, sent: Packet): string {
  return explainBriefly(evaluate(content, sent));
}

describe('a host endpoint', () => {
  test('without policy and profile lets nothing to and from its host but failsafe ports and discovery', () => {
    const content = world([]);
    expect(say(content, toHost)).toMatch(/^denied .* by default/);
    expect(say(content, fromHost)).toMatch(/^denied .* by default/);
    expect(say(content, { ...toHost, destinationPort: 22 })).toMatch(/^allowed .* failsafe port/);
    expect(say(content, { ...fromHost, destinationPort: 2379 })).toMatch(/^allowed .* failsafe port/);
    const solicitation = packet('2001:db8::1', '2001:db8::2', {
      protocol: protocolNumbers.icmpv6,
      icmpType: 135,
      icmpCode: 0,
      to: { host: 'here' },
    });
    expect(say(content, solicitation)).toMatch(/^allowed .* neighbour discovery/);
  });

  test('opens a failsafe port only to its network, where it has one', () => {
    const net = parseCidr('203.0.113.0/24');
    if (net === undefined) throw new Error('no network');
    const failsafePorts = { inbound: [{ protocol: 6, port: 22, net }], outbound: [] } as const;
    const content = { ...world([]), settings: { ...emptyModel.settings, failsafePorts } };
    const ssh = { ...toHost, destinationPort: 22 };
    expect(evaluate(content, ssh).allowed).toBe(false);
    expect(evaluate(content, { ...ssh, source: '203.0.113.5' }).allowed).toBe(true);
  });

  test('is judged by policies, then by profiles', () => {
    const allow = forHosts('p', { ingress: [rule('allow', { protocol: 6 })], egress: [rule('pass')] });
    expect(say(world([allow]), toHost)).toBe(
      "allowed on the way into interface uplink of host here by policy 'p' (ingress, rule 1)",
    );
    expect(evaluate(world([allow]), fromHost).allowed).toBe(false);
    const withProfile = [{ ...uplink, profiles: [open.id] }, web];
    expect(evaluate(world([allow], withProfile), fromHost).allowed).toBe(true);
    expect(evaluate(world([], withProfile), toHost).allowed).toBe(true);
  });

  test('leaves alone what is forwarded, unless a policy is for that', () => {
    const deny = forHosts('p', { ingress: [rule('deny')], egress: [rule('deny')] });
    const onForward = { ...deny, stages: ['normal', 'forward'] } as const;
    const passing: Packet = {
      ...packet('198.51.100.7', '203.0.113.9'),
      hops: [{ node: 'here', in: 'eth1', out: 'eth0' }],
    };
    expect(evaluate(world([deny]), toWeb).allowed).toBe(true);
    expect(evaluate(world([deny]), passing).allowed).toBe(true);
    expect(say(world([onForward]), toWeb)).toMatch(/^denied .* forwarded, by policy 'p'/);
    expect(say(world([onForward]), { ...fromHost, source: '10.65.0.1' })).toMatch(
      /way out of .* forwarded, by/,
    );
    expect(say(world([onForward]), passing)).toMatch(/way out of .* forwarded, by/);
  });

  test('asks no later stage about what an early one has allowed, and every later one about the rest', () => {
    const untracked = forHosts('early', { stages: ['untracked'], ingress: [rule('allow', { protocol: 6 })] });
    const beforeNat = forHosts('nat', { stages: ['pre-dnat'], types: ['ingress'], ingress: [rule('deny')] });
    const late = forHosts('late', { ingress: [rule('deny')] });
    expect(say(world([untracked, beforeNat, late]), toHost)).toMatch(
      /^allowed .* tracking by policy 'early'/,
    );
    const other = packet('198.51.100.7', '192.0.2.10', { protocol: 89 });
    expect(say(world([untracked, beforeNat, late]), other)).toMatch(/^denied .* NAT by policy 'nat'/);
    expect(say(world([untracked, late]), other)).toMatch(/^denied .* by policy 'late'/);
  });

  test('at an early stage never closes a failsafe port, nor the way back of one', () => {
    const deny = forHosts('early', {
      stages: ['untracked'],
      ingress: [rule('deny')],
      egress: [rule('deny')],
    });
    const content = world([deny, forHosts('late', { ingress: [rule('allow')], egress: [rule('allow')] })]);
    expect(evaluate(content, toHost).allowed).toBe(false);
    expect(evaluate(content, { ...toHost, sourcePort: 2379 }).allowed).toBe(true);
    expect(evaluate(content, { ...fromHost, sourcePort: 22 }).allowed).toBe(true);
  });

  test('of another host has no say here', () => {
    const far = { ...uplink, id: 'host:there/uplink' as EndpointId, node: 'there', addresses: [] };
    expect(evaluate(world([], [far, web]), toHost).allowed).toBe(true);
  });

  test('that is found by its addresses is in force on the interfaces that own them', () => {
    const { interfaceName: _, ...byAddress } = uplink;
    const others = hostEndpoint('other', { interfaceName: 'eth9' });
    const content: Model = {
      ...world([], [byAddress, others]),
      interfaces: new Map([['here', new Map([['eth1', ['192.0.2.10']]])]]),
    };
    const on = (name: string): Packet => ({ ...toHost, hops: [{ node: 'here', in: name }] });
    expect(evaluate(content, on('eth1')).allowed).toBe(false);
    expect(evaluate(content, on('eth0')).allowed).toBe(true);
  });
});

describe('interfaces that several host endpoints claim', () => {
  test('go to the first of them, whether by name or by address', () => {
    const { interfaceName: _, ...byAddress } = hostEndpoint('a', { addresses: ['192.0.2.10'] });
    const claims = claimsOnInterfaces(
      [uplink, byAddress],
      new Map([
        ['eth0', ['192.0.2.10', '2001:db8::1']],
        ['eth1', ['192.0.2.10']],
        ['eth2', []],
      ]),
    );
    const ids = [...claims].map(([name, endpoints]) => [name, endpoints.map(each => each.id)] as const);
    expect(Object.fromEntries(ids)).toStrictEqual({
      eth0: ['host:here/a', 'host:here/uplink'],
      eth1: ['host:here/a'],
    });
  });
});
