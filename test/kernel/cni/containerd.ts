import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../support/netns.js';
import { connectCri, messageIn, textOf } from './cri.js';
import type { Field } from './cri.js';
import type { RuntimeHost } from './runtime-host.js';

/** containerd, asked as kubelet asks it. */
export interface Containerd {
  /** Makes a pod, with its network but without containers, and returns its id. */
  runPod(name: string): Promise<string>;
  address(pod: string): Promise<string>;
  /** Runs a program of the host in the network of a pod. */
  inPod(pod: string, ...command: readonly string[]): Promise<{ readonly exitCode: number }>;
  stopPod(pod: string): Promise<void>;
  removePod(pod: string): Promise<void>;
  close(): void;
}

/** Starts containerd on a host, with the network that the first file in the host's folder describes. */
export async function startContainerd(host: RuntimeHost): Promise<Containerd> {
  const { directory, cgroup } = host;
  const of = (name: string): string => JSON.stringify(join(directory, name));
  const socket = join(directory, 'containerd.sock');
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  writeFileSync(
    join(directory, 'containerd.toml'),
    [
      'version = 2',
      `root = ${of('containerd')}`,
      'state = "/run/containerd"',
      '[grpc]',
      `address = ${JSON.stringify(socket)}`,
      `[${cri}]`,
      'disable_apparmor = true',
      'restrict_oom_score_adj = true',
      'sandbox_image = "localhost/box:1"',
      `[${cri}.containerd]`,
      'snapshotter = "native"',
      `[${cri}.cni]`,
      `bin_dir = ${of('plugins')}`,
      `conf_dir = ${of('networks')}`,
      '',
    ].join('\n'),
  );
  mkdirSync(join(directory, 'containerd'));
  host.start('containerd', '-l', 'error', '-c', join(directory, 'containerd.toml'));
  const ctr = async (...args: readonly string[]) => host.run('ctr', '-a', socket, '-n', 'k8s.io', ...args);
  await eventually('containerd answers', async () => (await ctr('version')).exitCode === 0);
  const imported = await ctr('images', 'import', '--snapshotter', 'native', host.image);
  if (imported.exitCode !== 0) throw new Error(imported.stderr);
  const client = connectCri(socket);
  const statusOf = async (pod: string) =>
    client.call('PodSandboxStatus', [
      [1, pod],
      [2, 1],
    ]);
  return {
    runPod: async name => textOf(await client.call('RunPodSandbox', [[1, podConfig(name, cgroup)]]), 1),
    address: async pod => textOf(messageIn(messageIn(await statusOf(pod), 1), 5), 1),
    inPod: async (pod, ...command) => {
      const status = await statusOf(pod);
      // The answer to a verbose question has a map of JSON texts.
      const info = JSON.parse(textOf(messageIn(status, 2), 2)) as { readonly pid: number };
      return host.run('nsenter', '-t', String(info.pid), '-n', '--', ...command);
    },
    stopPod: async pod => {
      await client.call('StopPodSandbox', [[1, pod]]);
    },
    removePod: async pod => {
      await client.call('RemovePodSandbox', [[1, pod]]);
    },
    close: () => {
      client.close();
    },
  };
}

/** The part of `PodSandboxConfig` that kubelet always fills in. */
function podConfig(name: string, cgroup: string): readonly Field[] {
  const metadata: readonly Field[] = [
    [1, name],
    [2, `uid-of-${name}`],
    [3, 'ns1'],
  ];
  return [
    [1, metadata],
    [2, name],
    [8, [[1, cgroup]]],
  ];
}
