import { describe, expect, test } from 'vitest';
import type { LinkInfo } from '../../netlink/index.js';
import type { Endpoint, EndpointId } from '../../policy/index.js';
import { hostEndpointStates } from './host-states.js';

function link(name: string, up = true, running = up): LinkInfo {
  return { name, up, running, index: 1, mac: '', mtu: 1500, kind: undefined };
}

function endpoint(
  name: string,
  options: { interfaceName?: string; addresses?: readonly string[] },
): Endpoint {
  const { addresses = [], interfaceName } = options;
  return {
    id: `host:here/${name}` as EndpointId,
    kind: 'host',
    node: 'here',
    labels: {},
    profiles: [],
    adminUp: true,
    addresses,
    ...(interfaceName === undefined ? {} : { interfaceName }),
  };
}

function states(...endpoints: readonly Endpoint[]): Readonly<Record<string, unknown>> {
  const view = {
    links: [link('eth0'), link('eth1', false), link('eth2', true, false), link('cali1')],
    interfaces: new Map([['eth0', ['192.0.2.1']]]),
    interfacePrefixes: ['cali'],
  };
  const found = hostEndpointStates(endpoints, view);
  return Object.fromEntries([...found].map(([id, state]) => [id.replace('host:here/', ''), state]));
}

describe('the state of a host endpoint', () => {
  test.each([
    ['its interface is up', { interfaceName: 'eth0' }, { state: 'up' }],
    ['an interface with its address is up', { addresses: ['192.0.2.1'] }, { state: 'up' }],
    ['its interface is down', { interfaceName: 'eth1' }, { state: 'down', reason: 'interface eth1 is down' }],
    [
      'its interface has no carrier',
      { interfaceName: 'eth2' },
      { state: 'down', reason: 'interface eth2 is down' },
    ],
    [
      'its interface is not there',
      { interfaceName: 'eth9' },
      { state: 'down', reason: 'there is no interface eth9' },
    ],
    [
      'nobody has its address',
      { addresses: ['192.0.2.9'] },
      { state: 'down', reason: 'no interface has one of its addresses' },
    ],
    [
      'its interface is called as those of workloads are',
      { interfaceName: 'cali1' },
      { state: 'error', reason: "interface cali1 is a workload's by its name" },
    ],
  ])('tells that %s', (_what, options, state) => {
    expect(states(endpoint('a', options))).toStrictEqual({ a: state });
  });

  test('tells that another one is in force on its interface', () => {
    const [a, b] = [endpoint('a', { interfaceName: 'eth0' }), endpoint('b', { addresses: ['192.0.2.1'] })];
    expect(states(b, a)).toStrictEqual({
      a: { state: 'up' },
      b: { state: 'error', reason: 'interface eth0 has host endpoint host:here/a' },
    });
  });
});
