import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LabHost, LabWorkload } from '../../src/lab/index.js';
import { createAgentLab } from '../support/agent-lab.js';
import type { AgentLab } from '../support/agent-lab.js';
import { eventually } from '../support/netns.js';

let lab: AgentLab;
let host: LabHost;
let other: LabHost;

beforeAll(async () => {
  lab = await createAgentLab('cleanup', {
    hosts: [1, 2].map(n => ({
      name: `host${String(n)}`,
      workloads: [{ name: `w${String(n)}`, labels: {} }],
    })),
  });
  [host, other] = lab.plan.hosts as readonly [LabHost, LabHost]; // as planned above
});

afterAll(async () => {
  await lab.remove();
});

async function text(...args: readonly string[]): Promise<string> {
  const [program = '', ...rest] = args;
  return (await lab.run(host.netns, program, ...rest)).stdout;
}

/** Routes of ours, and those of BIRD. */
async function ourRoutes(): Promise<string> {
  const asked = ['80', 'bird'].flatMap(protocol => [
    text('ip', 'route', 'show', 'proto', protocol),
    text('ip', '-6', 'route', 'show', 'proto', protocol),
  ]);
  return (await Promise.all(asked)).join('');
}

async function birds(): Promise<string> {
  const pids = (await lab.run(host.netns, 'ip', 'netns', 'pids', host.netns)).stdout.split('\n');
  const names = await Promise.all(
    pids.filter(pid => pid !== '').map(async pid => await text('cat', `/proc/${pid}/comm`)),
  );
  return names.join('').replaceAll(/^(?!bird$).*\n/gm, '');
}

const [w1, w2] = [
  (): LabWorkload => host.workloads[0] as LabWorkload,
  (): LabWorkload => other.workloads[0] as LabWorkload,
];

/** The address of the other host's workload can be reached from ours: policy, routes and BGP all work. */
async function reaches(): Promise<boolean> {
  const { endpoints } = await lab.status(other);
  return await lab.connects(w1().netns, w2().netns, endpoints[0]?.addresses[0] ?? '');
}

describe('the executable', () => {
  test('prints its help and its version, and knows no other words', async () => {
    expect(await lab.calicoNode(host, '--help')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('calico-node cleanup'),
    });
    expect(await lab.calicoNode(host, '--version')).toMatchObject({ exitCode: 0, stdout: 'v9.8.7\n' });
    for (const words of [['destroy'], ['cleanup', 'now']]) {
      expect(await lab.calicoNode(host, ...words)).toMatchObject({
        exitCode: 1,
        stdout: '',
        stderr: expect.stringContaining(`unknown arguments: ${words.join(' ')}`),
      });
    }
  });
});

describe('cleanup', () => {
  test('is refused while the agent runs', async () => {
    const before = await lab.ruleset(host);
    expect(await lab.calicoNode(host, 'cleanup')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('stop it first'),
    });
    expect(await lab.ruleset(host)).toBe(before);
  });

  test('removes what the agent put into the kernel and nothing else, and the next agent brings it back', async () => {
    await eventually('the hosts know of each other', reaches);
    // As IP-in-IP would have it, also where the kernel has none.
    await text('ip', 'link', 'add', 'tunl0', 'type', 'dummy');
    await text('ip', 'addr', 'add', '10.65.255.1/32', 'dev', 'tunl0');
    await text('ip', 'link', 'set', 'tunl0', 'up');
    const vxlan = ['vxlan.calico', 'type', 'vxlan', 'id', '4096', 'dstport', '4789'];
    await text('ip', 'link', 'add', ...vxlan);
    await text('ip', 'link', 'set', 'vxlan.calico', 'up');
    await text('ip', 'neigh', 'add', '192.0.2.9', 'dev', 'eth0', 'lladdr', '02:00:00:00:00:09');
    expect(await text('ip', 'neigh', 'show', 'nud', 'permanent')).toMatch(/ dev cali/);
    lab.kill(host, 'SIGTERM');
    await eventually('the agent has ended', () => lab.pid(host) === 0);
    await text('ip', 'route', 'add', '10.66.0.0/26', 'dev', 'tunl0', 'proto', '80');
    await text('ip', 'route', 'add', '10.66.1.0/26', 'dev', 'vxlan.calico', 'proto', '80');
    await text('nft', 'add', 'table', 'inet', 'mine');
    await text('ip', 'route', 'add', '192.0.2.0/24', 'dev', 'eth0', 'proto', '99');
    await text('ip', 'route', 'add', 'blackhole', '198.51.100.0/24');
    expect(await ourRoutes()).not.toBe('');
    expect(await birds()).toBe('bird\n');

    expect(await lab.calicoNode(host, 'cleanup')).toMatchObject({
      exitCode: 0,
      stderr: '',
      stdout: expect.stringContaining('nftables: table inet calico removed'),
    });
    expect(await text('nft', 'list', 'tables')).toBe('table inet mine\n');
    expect(await ourRoutes()).toBe('');
    expect(await birds()).toBe('');
    expect(await text('ip', '-o', 'link', 'show')).not.toMatch(/tunl0|vxlan/);
    const permanent = ['neigh', 'show', 'nud', 'permanent'];
    expect(await text('ip', ...permanent)).toMatch(/^192\.0\.2\.9 dev eth0 [^\n]*\n$/);
    expect(await text('ip', 'route', 'show', 'proto', '99')).toContain('192.0.2.0/24');
    expect(await text('ip', 'route', 'show', 'type', 'blackhole')).toContain('198.51.100.0/24');
    expect(await text('ip', 'route', 'show', 'default')).toContain('default via');

    expect(await lab.calicoNode(host, 'cleanup')).toMatchObject({ exitCode: 0, stderr: '' });
    // As at boot: closed before there is an agent, and no second time.
    expect(await lab.calicoNode(host, 'close')).toMatchObject({
      exitCode: 0,
      stdout: 'interfaces of workloads are closed until calico-node runs\n',
    });
    const closed = await lab.ruleset(host);
    expect(closed).toContain('iifname "cali*" goto drop-unknown-endpoint');
    expect(await lab.calicoNode(host, 'close')).toMatchObject({
      exitCode: 0,
      stdout: 'nftables: table inet calico is there already, and stays\n',
    });
    expect(await lab.ruleset(host)).toBe(closed);
    await lab.heal();
    await eventually('the hosts know of each other again', reaches);
  });

  test('removes the routes of a BIRD that was killed before', async () => {
    const pid = (await lab.run(host.netns, 'ip', 'netns', 'pids', host.netns)).stdout;
    lab.kill(host, 'SIGKILL');
    for (const each of pid.split('\n').filter(line => line !== '')) {
      if ((await text('cat', `/proc/${each}/comm`)) === 'bird\n') process.kill(Number(each), 'SIGKILL');
    }
    await eventually('both have ended', async () => lab.pid(host) === 0 && (await birds()) === '');
    expect(await text('ip', 'route', 'show', 'proto', 'bird')).not.toBe('');
    expect(await lab.calicoNode(host, 'cleanup')).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await ourRoutes()).toBe('');
    expect(await birds()).toBe('');
  });
});
