import { runChecked } from '../../src/base/index.js';
import type { TestNet } from '../../test/support/netns.js';

/** A host that routes between two workloads, each in its namespace behind `calia` and `calib`. */
export interface WorkloadPair {
  readonly fromNetns: string;
  readonly toNetns: string;
  readonly from: string;
  readonly to: string;
}

/**
 * Makes both workloads' namespaces, named `NAMEa` and `NAMEb`, for the host whose namespace is at that path; who owns
 * the net removes them.
 */
export async function workloadPair(net: TestNet, host: string, name: string): Promise<WorkloadPair> {
  const ends = { a: '10.65.0.1', b: '10.65.0.2' } as const;
  const onHost = async (...args: readonly string[]): Promise<string> =>
    await runChecked('nsenter', [`--net=${host}`, '--', ...args]);
  await onHost('sysctl', '-qw', 'net.ipv4.ip_forward=1');
  for (const [end, address] of Object.entries(ends)) {
    const [workload, link] = [`${name}${end}`, `cali${end}`];
    const netns = (await net.add(workload)).split('/').at(-1) ?? '';
    await onHost('ip', 'link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', netns);
    await onHost('ip', 'link', 'set', link, 'up');
    const settings = [`net.ipv4.conf.${link}.proxy_arp=1`, `net.ipv4.neigh.${link}.proxy_delay=0`];
    await onHost('sysctl', '-qw', ...settings);
    await onHost('ip', 'route', 'add', address, 'dev', link);
    await net.run(workload, 'ip', 'address', 'add', `${address}/32`, 'dev', 'eth0');
    await net.run(workload, 'ip', 'link', 'set', 'eth0', 'up');
    await net.run(workload, 'ip', 'route', 'add', 'default', 'dev', 'eth0');
  }
  const path = (end: string): string => net.path(`${name}${end}`);
  return { fromNetns: path('a'), toNetns: path('b'), from: ends.a, to: ends.b };
}
