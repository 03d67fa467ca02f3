import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { runChecked } from '../../src/base/index.js';
import { eventually } from '../support/netns.js';
import { createPools } from './cni/agent.js';
import { preparePodman } from './cni/podman.js';
import type { Podman } from './cni/podman.js';
import { createRuntimeHost, hasCgroups } from './cni/runtime-host.js';
import type { RuntimeHost } from './cni/runtime-host.js';

let host: RuntimeHost;
let podman: Podman;

beforeAll(async () => {
  host = await createRuntimeHost();
  await createPools(host.client, '10.65.0.0/24');
  const calico = { type: 'calico', ipam: { type: 'calico-ipam' } };
  host.network('red', calico);
  host.network('blue', calico);
  host.network(
    'chain',
    calico,
    { type: 'tuning', sysctl: { 'net.ipv4.conf.all.log_martians': '1' }, mtu: 1300 },
    { type: 'portmap', snat: true, capabilities: { portMappings: true } },
  );
  host.network('bridged', {
    type: 'bridge',
    bridge: 'br0',
    ipam: { type: 'calico-ipam' },
  });
  await host.startAgent();
  podman = await preparePodman(host);
});

afterEach(async () => {
  await podman.call('rm', '-a', '-f', '-t', '0');
});

afterAll(async () => host.close());

async function started(name: string, ...options: readonly string[]): Promise<string> {
  const result = await podman.run(name, ...options);
  expect(result).toMatchObject({ exitCode: 0 });
  const networks = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}';
  return (await podman.call('inspect', '-f', networks, name)).stdout.trim();
}

const nothingRemains = async (): Promise<void> =>
  eventually('nothing remains', async () => (await host.remains()).length === 0);

const pings = async (from: string, to: string): Promise<boolean> =>
  (await podman.exec(from, 'ping', '-c', '1', '-W', '1', to)).exitCode === 0;

const reaches = async (from: string, to: string): Promise<void> =>
  eventually(`${from} reaches ${to}`, async () => pings(from, to));

describe.skipIf(!hasCgroups)('containers of podman', () => {
  test('reach those of their own network only', async () => {
    await started('a', '--network', 'red');
    const [b, c] = [await started('b', '--network', 'red'), await started('c', '--network', 'blue')];
    await reaches('a', b);
    expect(await pings('a', c)).toBe(false);
    await podman.call('rm', '-a', '-f', '-t', '0');
    await nothingRemains();
  });

  test('get the address that they ask for, which nobody else gets then', async () => {
    expect(await started('a', '--network', 'red', '--ip', '10.65.0.77')).toBe('10.65.0.77');
    const before = await host.remains();
    const again = await podman.run('b', '--network', 'red', '--ip', '10.65.0.77');
    expect(again.exitCode).toBe(126);
    expect(again.stderr).toContain('10.65.0.77 is in use by another endpoint of this host');
    expect(await host.remains()).toEqual(before);
  });

  test('keep the way out through their first network, and through the second when the first goes', async () => {
    const [red, blue] = [await started('r', '--network', 'red'), await started('b', '--network', 'blue')];
    await started('a', '--network', 'red');
    expect((await podman.call('network', 'connect', 'blue', 'a')).exitCode).toBe(0);
    await reaches('a', red);
    expect(await pings('a', blue)).toBe(false);
    expect((await podman.call('network', 'disconnect', 'red', 'a')).exitCode).toBe(0);
    await reaches('a', blue);
    expect(await pings('a', red)).toBe(false);
    await podman.call('rm', '-a', '-f', '-t', '0');
    await nothingRemains();
  });

  test('come back with a restart', async () => {
    await started('a', '--network', 'red');
    await started('b', '--network', 'red');
    expect((await podman.call('restart', '-t', '0', 'b')).exitCode).toBe(0);
    const [b = ''] = /10\.65\.0\.\d+/.exec((await podman.exec('b', 'ip', 'addr')).stdout) ?? [];
    await reaches('a', b);
  });

  test('do not start without an agent, and go while it is dead', async () => {
    await started('a', '--network', 'red');
    await host.stopAgent('SIGKILL');
    const failed = await podman.run('b', '--network', 'red');
    expect(failed.stderr).toContain(
      'calico-node does not answer at /run/calico/cni.sock: is it running on this host?',
    );
    expect((await podman.call('rm', '-a', '-f', '-t', '0')).exitCode).toBe(0);
    await host.startAgent();
    await nothingRemains();
  });
});

describe.skipIf(!hasCgroups)('plugins of others', () => {
  test('work behind calico: tuning, and portmap from outside', async () => {
    await host.net.add('outside');
    const wire = ['link', 'add', 'eth0', 'netns', host.net.path('host'), 'type', 'veth'];
    await runChecked('ip', [...wire, 'peer', 'name', 'eth0', 'netns', host.net.path('outside')]);
    for (const [where, address] of [
      ['host', '172.16.0.1/24'],
      ['outside', '172.16.0.2/24'],
    ] as const) {
      await host.net.run(where, 'ip', 'addr', 'add', address, 'dev', 'eth0');
      await host.net.run(where, 'ip', 'link', 'set', 'eth0', 'up');
    }
    // The plugin leaves a profile that exists as it is: everybody may come in.
    const allowed = { action: 'allow' as const, source: {}, destination: {} };
    await host.client.write([
      {
        verb: 'create',
        resource: {
          apiVersion: 'v1',
          kind: 'profile',
          metadata: { name: 'chain', tags: [], labels: {} },
          spec: { ingress: [allowed], egress: [allowed] },
        },
      },
    ]);
    const server = JSON.stringify(['httpd', '-f', '-p', '80', '-h', '/etc']);
    await started('web', '--network', 'chain', '-p', '8080:80', '--entrypoint', server);
    expect((await podman.exec('web', 'ip', 'link')).stdout).toMatch(/eth0@.*mtu 1300/);
    const request = 'GET / HTTP/1.0\r\n\r\n';
    const page = async (): Promise<string> =>
      (await host.net.feed('outside', request, 'busybox', 'nc', '-w', '1', '172.16.0.1', '8080')).stdout;
    await eventually('the container answers', async () => (await page()).startsWith('HTTP/1.'));
    await podman.call('rm', '-f', '-t', '0', 'web');
    await nothingRemains();
    expect(await page()).toBe('');
  });

  test('take addresses from calico-ipam', async () => {
    expect(await started('a', '--network', 'bridged')).toMatch(/^10\.65\.0\.\d+$/);
    await podman.call('rm', '-f', '-t', '0', 'a');
    await nothingRemains();
  });
});
