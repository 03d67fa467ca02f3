import { describe, expect, test } from 'vitest';
import { endpoint, model, packet, policy, profile, rule } from '../../test/support/policy-builders.js';
import { protocolNumbers } from '../net/index.js';
import { evaluate } from './evaluate.js';
import { explain } from './explain.js';
import { endpointName } from './explain-words.js';
import { hostId, workloadId } from './from-v1.js';

const allow = [rule('allow')];
const content = model({
  endpoints: [
    endpoint('front', { addresses: ['10.65.0.1'], profiles: ['open'] }),
    endpoint('db', { addresses: ['10.65.0.2'], labels: { role: 'db' } }),
  ],
  profiles: [profile('open', { ingress: allow, egress: allow })],
  policies: [
    policy('database', {
      selector: 'role == "db"',
      ingress: [
        rule('allow', { protocol: protocolNumbers.tcp, destinationPorts: [{ min: 5432, max: 5432 }] }),
        rule('log', { protocol: protocolNumbers.tcp }),
      ],
    }),
  ],
});

interface Given {
  readonly on?: readonly string[];
}

describe('an explanation', () => {
  test('tells where a packet ended, by which policy, and all that was looked at', () => {
    expect(explain(evaluate(content, packet('10.65.0.1', '10.65.0.2')))).toEqual([
      'tcp from front (10.65.0.1) to db (10.65.0.2) port 80: denied',
      "  allowed on the way out of front by profile 'open' (egress, rule 1)",
      "    profile 'open' rule 1 (allow): matches",
      "  denied on the way into db by policy 'database' (ingress, no rule matched: end of policies)",
      "    policy 'database' rule 1 (allow): the destination port does not match",
      "    policy 'database' rule 2 (log): matches",
      "    policy 'database': no rule decides",
      "  to allow it: change ingress rule 1 of policy 'database', of which the destination port does not match",
    ]);
  });

  test.each([
    [{}, "create profile 'gone', or take it from x", { on: ['gone'] }],
    [{}, 'give x a profile, or write a policy that selects it', {}],
    [{}, "give profile 'none' an ingress rule that allows it", { on: ['none'] }],
    [
      { ingress: [rule('deny', { protocol: 17 }), rule('deny')] },
      "change ingress rule 2 of policy 'p', or allow it before",
      {},
    ],
    [
      {
        ingress: [
          rule('allow', { protocol: 17, ipVersion: 6, destinationPorts: [{ min: 1, max: 1 }] }),
          rule('deny', { protocol: 17 }),
        ],
      },
      "give policy 'p' an ingress rule that allows it",
      {},
    ],
    [
      { ingress: [rule('allow', { protocol: 17, destinationPorts: [{ min: 1, max: 1 }] })] },
      "change ingress rule 1 of policy 'p', of which the protocol and the destination port do not match",
      {},
    ],
  ])('ends with what to change for a packet that is denied: %o, %s', (rules, change, { on = [] }: Given) => {
    const world = model({
      endpoints: [endpoint('x', { addresses: ['10.65.0.9'], profiles: on })],
      profiles: [profile('none', {})],
      policies: 'ingress' in rules ? [policy('p', rules)] : [],
    });
    expect(explain(evaluate(world, packet('192.0.2.1', '10.65.0.9'))).at(-1)).toBe(
      `  to allow it: ${change}`,
    );
  });

  test('tells who is at the far end when it is none of ours', () => {
    const ping = { protocol: protocolNumbers.icmp, icmpType: 8, icmpCode: 0 };
    expect(explain(evaluate(content, packet('10.65.0.1', '192.0.2.1', ping)))[0]).toBe(
      'icmp from front (10.65.0.1) to 192.0.2.1, outside, type 8 code 0: allowed',
    );
  });

  test.each([
    [workloadId({ node: 'n', orchestrator: 'cni', workload: 'shop-1', name: 'eth0' }), 'shop-1'],
    [workloadId({ node: 'n', orchestrator: 'libnetwork', workload: 'libnetwork', name: 'abc' }), 'abc'],
    [hostId('n', 'eth0'), 'interface eth0 of host n'],
  ])('calls %s by the name that people use', (id, name) => {
    expect(endpointName(id)).toBe(name);
  });
});
