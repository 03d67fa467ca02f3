import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger, systemClock } from '../../src/base/index.js';
import { createEndpointPlumbing } from '../../src/dataplane/endpoints/index.js';
import type { EndpointPlumbing } from '../../src/dataplane/endpoints/index.js';
import { openHostNetwork } from '../../src/netlink/index.js';
import type { HostNetwork } from '../../src/netlink/index.js';
import { addPod, removed, updated } from '../support/endpoints.js';
import { createTestNet, eventually } from '../support/netns.js';
import type { TestNet } from '../support/netns.js';

let net: TestNet;
let host: HostNetwork;
let plumbing: EndpointPlumbing;

beforeEach(async () => {
  net = createTestNet();
  host = await openHostNetwork({ netns: await net.add('host') });
  const config = { interfacePrefixes: ['cali'], ipv6: true };
  plumbing = createEndpointPlumbing({ network: host, config, log: silentLogger, clock: systemClock });
});

afterEach(async () => {
  await net.remove();
  plumbing.stop();
  host.close();
});

describe('an address that leaves its endpoint', () => {
  const connections = async () =>
    (await net.run('host', 'conntrack', '-L', '-o', 'id')).split('\n').filter(line => line !== '').length;

  const track = async (source: string, destination: string, ...more: readonly string[]) => {
    const ports = ['--sport', '1000', '--dport', '80', '--state', 'ESTABLISHED', '--timeout', '600'];
    await net.run('host', 'conntrack', '-I', '-s', source, '-d', destination, '-p', 'tcp', ...ports, ...more);
  };

  test('has its connections forgotten in every role, and no others', async () => {
    await addPod({ net, host }, 'a', { addresses: ['10.65.0.1/32', 'fd65::1/128'] });
    await addPod({ net, host }, 'b', { addresses: ['10.65.0.2/32'] });
    plumbing.start();
    const b = updated('b', { addresses: ['10.65.0.2'] });
    await plumbing.apply([updated('a', { addresses: ['10.65.0.1', 'fd65::1'] }), b]);
    await track('10.65.0.1', '10.9.9.9');
    await track('10.9.9.9', '10.65.0.1');
    await track('10.9.9.9', '10.9.9.8', '--dst-nat', '10.65.0.1');
    await track('fd65::1', 'fd99::9');
    await track('10.65.0.2', '10.9.9.9');
    expect(await connections()).toBe(5);
    await plumbing.apply([updated('a', { addresses: ['10.65.0.1', 'fd65::1'], labels: { x: 'y' } })]);
    expect(await connections()).toBe(5);
    await plumbing.apply([removed('a')]);
    await eventually('those of a are gone', async () => (await connections()) === 1);
    await host.deleteLink(host.linkByName('calib')?.index ?? 0);
    await plumbing.apply([removed('b')]);
    plumbing.stop();
    expect(await connections()).toBe(0);
  });

  test('and goes to another endpoint starts there without connections', async () => {
    await addPod({ net, host }, 'a', { addresses: ['10.65.0.1/32'] });
    await addPod({ net, host }, 'b', { addresses: ['10.65.0.1/32'] });
    plumbing.start();
    await plumbing.apply([updated('b', { addresses: ['10.65.0.1'] })]);
    await track('10.65.0.1', '10.9.9.9');
    await plumbing.apply([updated('a', { addresses: ['10.65.0.1'] })]);
    expect(await connections()).toBe(0);
    expect(await net.ipJson('host', 'route', 'show', '10.65.0.1')).toMatchObject([{ dev: 'calia' }]);
  });
});
