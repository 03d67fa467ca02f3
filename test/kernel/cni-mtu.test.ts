import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runChecked } from '../../src/base/index.js';
import { createResourceClient, openStore } from '../../src/datastore/index.js';
import type { ResourceClient, Store } from '../../src/datastore/index.js';
import { agentEnvironment, startAgentProcess } from '../support/agent-process.js';
import type { AgentPlace, AgentProcess } from '../support/agent-process.js';
import { builtInstallation } from '../support/installation.js';
import type { Installation } from '../support/installation.js';
import { createTestNet, eventually } from '../support/netns.js';
import { buildLauncher } from './cni/agent.js';

const net = createTestNet();
let installation: Installation;
let place: AgentPlace;
let agent: AgentProcess;
let store: Store;
let client: ResourceClient;

beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'calico-mtu-'));
  installation = await builtInstallation();
  await buildLauncher(directory);
  const netns = await net.add('host');
  await net.add('pod');
  await runChecked('ip', [
    'link',
    'add',
    'eth0',
    'netns',
    netns,
    'type',
    'veth',
    'peer',
    'name',
    'eth0',
    'netns',
    await net.add('wire'),
  ]);
  await net.run('host', 'ip', 'addr', 'add', '172.16.0.1/24', 'dev', 'eth0');
  for (const each of ['host', 'wire']) await net.run(each, 'ip', 'link', 'set', 'eth0', 'up');
  const program = [join(installation.paths.bin, 'calico-node')] as const;
  place = { program, directory, nodeName: 'n1', netns, env: { IP: '172.16.0.1' } };
  store = await openStore({ type: 'sqlite', directory: join(directory, 'store') });
  client = createResourceClient(store);
  await setPool({});
  agent = await startAgentProcess(place);
});

afterAll(async () => {
  await agent.end();
  await store.close();
  await net.remove();
  installation.remove();
  await rm(place.directory, { recursive: true, force: true });
});

/** Adds a container and takes it away again; the MTU of both ends. */
async function mtuOf(config: object = {}): Promise<readonly number[]> {
  const input = JSON.stringify({
    cniVersion: '1.1.0',
    name: 'net1',
    type: 'calico',
    ipam: { type: 'calico-ipam' },
    ...config,
  });
  const call = async (command: string): Promise<string> =>
    runChecked(join(place.directory, 'calico'), [], {
      input,
      env: {
        ...agentEnvironment(place),
        CNI_COMMAND: command,
        CNI_CONTAINERID: 'c1',
        CNI_IFNAME: 'eth0',
        CNI_NETNS: net.path('pod'),
        CNI_PATH: '/opt/cni/bin',
      },
    });
  const { interfaces } = JSON.parse(await call('ADD')) as {
    readonly interfaces: readonly { readonly mtu: number }[];
  };
  await call('DEL');
  return interfaces.map(({ mtu }) => mtu);
}

async function setPool(spec: object): Promise<void> {
  const metadata = { cidr: '10.65.0.0/24' };
  await client.write([{ verb: 'apply', resource: { apiVersion: 'v1', kind: 'ipPool', metadata, spec } }]);
}

/** What containers get once the agent knows of a change. */
async function settledMtu(expected: number): Promise<readonly number[]> {
  const as = [expected, expected];
  await eventually('the agent knows', async () => String(await mtuOf()) === String(as)).catch(
    () => undefined,
  );
  return await mtuOf();
}

describe('the link of a container', () => {
  test('takes what the uplink carries, less the headers of the tunnels that pools ask for', async () => {
    expect(await settledMtu(1500)).toEqual([1500, 1500]);
    await setPool({ ipip: { enabled: true, mode: 'cross-subnet' } });
    expect(await settledMtu(1480)).toEqual([1480, 1480]);
    await setPool({ vxlan: { enabled: true } });
    expect(await settledMtu(1450)).toEqual([1450, 1450]);
    await net.run('host', 'ip', 'link', 'set', 'eth0', 'mtu', '9000');
    expect(await settledMtu(8950)).toEqual([8950, 8950]);
    await setPool({});
    expect(await settledMtu(9000)).toEqual([9000, 9000]);
  });

  test('takes what the configuration says, whatever fits', async () => {
    expect(await mtuOf({ mtu: 1300 })).toEqual([1300, 1300]);
  });
});
