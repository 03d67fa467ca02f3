import { describe, expect, test } from 'vitest';
import { endpoint, model, packet, policy, profile, rule } from '../../test/support/policy-builders.js';
import { protocolNumbers } from '../net/index.js';
import { evaluate } from './evaluate.js';
import { endpointName, explain } from './explain.js';
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
    ]);
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
