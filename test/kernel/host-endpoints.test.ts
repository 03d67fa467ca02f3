import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLogger, systemClock } from '../../src/base/index.js';
import { createNftApplier, createNftDataplane, followHostInterfaces } from '../../src/dataplane/index.js';
import { openHostNetwork } from '../../src/netlink/index.js';
import type { HostNetwork } from '../../src/netlink/index.js';
import type { EndpointId } from '../../src/policy/index.js';
import { createTestNet, eventually } from '../support/netns.js';

const net = createTestNet();
let root: HostNetwork;
let network: HostNetwork;

beforeAll(async () => {
  const path = await net.add('host');
  await net.run('host', 'ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth1');
  await net.run('host', 'ip', 'address', 'add', '192.0.2.10/24', 'dev', 'eth0');
  root = await openHostNetwork();
  network = root.enter(path);
});

afterAll(async () => {
  await net.remove();
  network.close();
  root.close();
});

async function policedInterfaces(): Promise<readonly string[]> {
  const { stdout } = await net.feed('host', '', 'nft', 'list', 'map', 'inet', 'calico', 'hep-in');
  return [...stdout.matchAll(/"([^"]+)" : goto/g)].map(([, name = '']) => name).sort();
}

describe('a host endpoint that is found by its address', () => {
  test('follows the address from one interface to another, and is nowhere when nobody has it', async () => {
    const nft = createNftDataplane({
      applier: createNftApplier(async (args, input) => await net.feed('host', input ?? '', 'nft', ...args)),
      config: {},
      log: silentLogger,
      clock: systemClock,
    });
    await nft.start();
    const follower = followHostInterfaces({ network, nft, log: silentLogger });
    const id = 'host:here/uplink' as EndpointId;
    const endpoint = { id, kind: 'host', node: 'here', labels: {}, profiles: [], adminUp: true } as const;
    const local = { endpoint: { ...endpoint, addresses: ['192.0.2.10'] }, tiers: [] };
    await nft.apply([{ kind: 'endpoint-updated', id, local }]);
    expect(await policedInterfaces()).toStrictEqual(['eth0']);

    await net.run('host', 'ip', 'address', 'add', '192.0.2.10/24', 'dev', 'eth1');
    await eventually('both', async () => (await policedInterfaces()).join() === 'eth0,eth1');
    await net.run('host', 'ip', 'address', 'del', '192.0.2.10/24', 'dev', 'eth0');
    await eventually('only eth1', async () => (await policedInterfaces()).join() === 'eth1');
    await net.run('host', 'ip', 'link', 'del', 'eth1');
    await eventually('none', async () => (await policedInterfaces()).length === 0);
    follower.close();
    await nft.stop();
  });
});
