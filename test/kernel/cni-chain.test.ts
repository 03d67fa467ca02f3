import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createCniHost, createPools } from './cni/agent.js';
import type { AddResult, CniHost } from './cni/agent.js';

let host: CniHost;

beforeEach(async () => {
  host = await createCniHost();
  await createPools(host.client, '10.65.0.0/24');
  await host.startServer();
  await host.net.add('pod');
});

afterEach(async () => host.close());

interface Plugin {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** Runs a list of plugins as a runtime does: each gets the result of the one before, and DEL goes backwards. */
async function runList(
  command: 'ADD' | 'CHECK' | 'DEL',
  of: { readonly cniVersion: string; readonly plugins: readonly Plugin[]; readonly prevResult?: unknown },
): Promise<unknown> {
  let { prevResult } = of;
  for (const plugin of command === 'DEL' ? of.plugins.toReversed() : of.plugins) {
    const config = {
      cniVersion: of.cniVersion,
      name: 'net1',
      ...plugin,
      ...(prevResult === undefined ? {} : { prevResult }),
    };
    const call = {
      command,
      program: plugin.type,
      netns: host.net.path('pod'),
      stdin: JSON.stringify(config),
    };
    const { exitCode, stdout } = await host.call(call);
    expect({ plugin: plugin.type, command, exitCode, stdout }).toMatchObject({ exitCode: 0 });
    if (command === 'ADD') prevResult = JSON.parse(stdout);
  }
  return prevResult;
}

const ipam = { type: 'calico-ipam' };

const chain: readonly Plugin[] = [
  { type: 'calico', ipam },
  { type: 'tuning', mtu: 1400, sysctl: { 'net.ipv4.conf.all.log_martians': '1' } },
  {
    type: 'portmap',
    runtimeConfig: { portMappings: [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' }] },
  },
  { type: 'firewall', backend: 'iptables' },
];

describe('a list of plugins', () => {
  test.each([
    ['0.3.1', chain.slice(0, 3), []],
    // The portmap of Debian 12 fails every CHECK of a container without IPv6, whoever made it.
    ['0.4.0', chain, chain.slice(0, 2)],
    ['1.0.0', chain, chain.slice(0, 2)],
  ])('has tuning, portmap and firewall behind calico, in %s', async (cniVersion, plugins, checked) => {
    const prevResult = await runList('ADD', { cniVersion, plugins });
    host.setHostRoutes(prevResult as AddResult);
    await runList('CHECK', { cniVersion, plugins: checked, prevResult });
    await runList('DEL', { cniVersion, plugins, prevResult });
    expect(await host.links()).toEqual([]);
    expect(await host.traces()).toEqual([]);
  });
});

describe('calico-ipam', () => {
  test.each(['0.2.0', '0.3.1', '0.4.0', '1.0.0'])('gives a bridge its addresses, in %s', async cniVersion => {
    const of = { cniVersion, plugins: [{ type: 'bridge', bridge: 'br0', ipam }] };
    const prevResult = await runList('ADD', of);
    expect(JSON.stringify(prevResult)).toMatch(/"10\.65\.0\.\d+\/32"/);
    expect(await host.traces()).toHaveLength(1);
    await runList('DEL', { ...of, prevResult });
    expect(await host.traces()).toEqual([]);
  });
});
