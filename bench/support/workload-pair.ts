import type { TestNet } from '../../test/support/netns.js';

/** A host that routes between two workloads, each in its namespace behind `calia` and `calib`. */
export interface WorkloadPair {
  readonly host: string;
  readonly fromNetns: string;
  readonly toNetns: string;
  readonly from: string;
  readonly to: string;
}

/** Makes the three namespaces; the caller removes them with the net. */
export async function workloadPair(net: TestNet, host: string): Promise<WorkloadPair> {
  const ends = { a: '10.65.0.1', b: '10.65.0.2' } as const;
  await net.add(host);
  await net.run(host, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
  for (const [end, address] of Object.entries(ends)) {
    const [workload, link] = [`${host}${end}`, `cali${end}`];
    const netns = (await net.add(workload)).split('/').at(-1) ?? '';
    const ip = async (where: string, ...args: readonly string[]): Promise<string> =>
      await net.run(where, 'ip', ...args);
    await ip(host, 'link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', netns);
    await ip(host, 'link', 'set', link, 'up');
    const settings = [`net.ipv4.conf.${link}.proxy_arp=1`, `net.ipv4.neigh.${link}.proxy_delay=0`];
    await net.run(host, 'sysctl', '-qw', ...settings);
    await ip(host, 'route', 'add', address, 'dev', link);
    await ip(workload, 'address', 'add', `${address}/32`, 'dev', 'eth0');
    await ip(workload, 'link', 'set', 'eth0', 'up');
    await ip(workload, 'route', 'add', 'default', 'dev', 'eth0');
  }
  const path = (end: string): string => net.path(`${host}${end}`);
  return { host, fromNetns: path('a'), toNetns: path('b'), from: ends.a, to: ends.b };
}
