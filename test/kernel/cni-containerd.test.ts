import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, PATIENT_PING } from '../support/netns.js';
import { createPools } from './cni/agent.js';
import { startContainerd } from './cni/containerd.js';
import type { Containerd } from './cni/containerd.js';
import { createRuntimeHost, hasCgroups } from './cni/runtime-host.js';
import type { RuntimeHost } from './cni/runtime-host.js';

let host: RuntimeHost;
let containerd: Containerd;

beforeAll(async () => {
  host = await createRuntimeHost();
  await createPools(host.client, '10.65.0.0/24');
  host.network('pods', { type: 'calico', ipam: { type: 'calico-ipam' } });
  await host.startAgent();
  containerd = await startContainerd(host);
});

afterAll(async () => {
  containerd.close();
  await host.close();
});

const nothingRemains = async (): Promise<void> =>
  eventually('nothing remains', async () => (await host.remains()).length === 0);

describe.skipIf(!hasCgroups)('containerd, asked as kubelet asks it', () => {
  test('gives pods addresses at which they reach each other, and takes all back', async () => {
    const [a, b] = [await containerd.runPod('a'), await containerd.runPod('b')];
    const address = await containerd.address(b);
    expect(address).toMatch(/^10\.65\.0\.\d+$/);
    expect(await containerd.inPod(a, 'ping', ...PATIENT_PING, address)).toMatchObject({ exitCode: 0 });
    const stored = (await host.store.list('/calico/v1/host/n1/workload/')).entries.map(({ key }) => key);
    expect(stored.map(key => key.split('/')[7])).toEqual(['ns1.a', 'ns1.b']);
    // Each of these sends a DEL.
    for (const pod of [a, b]) await containerd.stopPod(pod);
    await nothingRemains();
    for (const pod of [a, b]) await containerd.removePod(pod);
    await nothingRemains();
  });

  test('makes no pod without an agent, and says what is missing', async () => {
    await host.stopAgent();
    await expect(containerd.runPod('c')).rejects.toThrow(
      'calico-node does not answer at /run/calico/cni.sock: is it running on this host?',
    );
    await host.startAgent();
    const pod = await containerd.runPod('c');
    expect(await containerd.address(pod)).toMatch(/^10\.65\.0\.\d+$/);
    await containerd.stopPod(pod);
    await containerd.removePod(pod);
    await nothingRemains();
  });

  test('removes a pod while the agent is dead, whose next start cleans up', async () => {
    const pod = await containerd.runPod('d');
    await host.stopAgent('SIGKILL');
    await containerd.stopPod(pod);
    await containerd.removePod(pod);
    expect(await host.remains()).not.toEqual([]);
    await host.startAgent();
    await nothingRemains();
  });
});
