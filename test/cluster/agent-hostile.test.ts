import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Write } from '../../src/datastore/index.js';
import type { LabHost, LabWorkload } from '../../src/lab/index.js';
import { createAgentLab } from '../support/agent-lab.js';
import type { AgentLab } from '../support/agent-lab.js';
import { eventually } from '../support/netns.js';
import { undisturbed } from '../support/streams.js';

let lab: AgentLab;
let host: LabHost;
let web: LabWorkload;
let db: LabWorkload;
let address: string;

beforeAll(async () => {
  const workloads = ['web', 'db', 'victim'].map(name => ({ name, labels: { role: name } }));
  lab = await createAgentLab('hostile', { hosts: [{ name: 'host1', workloads }] });
  [host] = lab.plan.hosts as readonly [LabHost]; // as planned above
  [web, db] = host.workloads as readonly [LabWorkload, LabWorkload];
  const { endpoints } = await lab.status(host);
  address = endpoints.find(endpoint => endpoint.id.includes('lab.db'))?.addresses[0] ?? '';
});

afterAll(async () => {
  await lab.remove();
});

const policyKey = (name: string): string => `/calico/v1/policy/tier/default/policy/${name}`;
const workloadKey = (name: string): string => `/calico/v1/host/host1/workload/test/${name}/endpoint/eth0`;

/** For the database, or for the workload that nobody talks with: there, what cannot be read may deny. */
function policy(action: string, extra: Readonly<Record<string, unknown>> = {}, role = 'db'): string {
  const rules = [{ action, ...extra }];
  return JSON.stringify({
    order: 5,
    selector: `role == '${role}'`,
    inbound_rules: rules,
    outbound_rules: rules,
  });
}

function stored(change: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({
    state: 'active',
    name: 'cali0',
    mac: null,
    profile_ids: ['lab'],
    ipv4_nets: [],
    ipv6_nets: [],
    labels: {},
    ...change,
  });
}

async function put(values: Readonly<Record<string, string>>): Promise<void> {
  // A setting that does nothing: with it every commit is one that the agent hears of.
  const marked = { ...values, '/calico/v1/config/ClusterGUID': String(performance.now()) };
  const writes = Object.entries(marked).map(([key, value]): Write => ({ kind: 'put', key, value }));
  const result = await lab.store.commit({ writes });
  const revision = result.committed ? result.revision : 0;
  await eventually('the agent has taken it', async () => (await lab.status(host)).revision >= revision);
}

async function remove(keys: readonly string[]): Promise<void> {
  await lab.store.commit({ writes: keys.map((key): Write => ({ kind: 'delete', key })) });
}

const isOpen = async (): Promise<boolean> => await lab.connects(web.netns, db.netns, address);

/** Policy still reaches the kernel: it closes, and opens again. */
async function followsPolicy(): Promise<void> {
  await put({ [policyKey('a-check')]: policy('deny').replace('"order":5', '"order":1') });
  await eventually('it is closed', async () => !(await isOpen()));
  await remove([policyKey('a-check')]);
  await eventually('it is open', isOpen);
}

const syntax = '"; flush ruleset; add table inet evil; #';

const names = [
  'plain"quote',
  "apostrophe'",
  'two\nlines',
  'tab\there',
  '..',
  '%2e%2e%2f%2e%2e',
  'null\u0000byte',
  'ünïcödé\u202e',
  '$(reboot)`id`',
  syntax,
  'n'.repeat(250),
  'n'.repeat(5_000),
];

const hostile: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'names of policies': Object.fromEntries(names.map(name => [policyKey(name), policy('allow')])),
  'names of profiles': Object.fromEntries(
    names.map(name => [
      `/calico/v1/policy/profile/${name}/rules`,
      '{"inbound_rules":[],"outbound_rules":[]}',
    ]),
  ),
  'names of workloads': Object.fromEntries(
    names.map((name, n) => [workloadKey(name), stored({ name: `cali${String(n)}` })]),
  ),
  'names of interfaces': Object.fromEntries(
    names.map((name, n) => [workloadKey(`i${String(n)}`), stored({ name: `cali${name}` })]),
  ),
  'names of host interfaces': Object.fromEntries(
    names.map((name, n) => [
      `/calico/v1/host/host1/endpoint/h${String(n)}`,
      JSON.stringify({ name: `x${name}`, expected_ipv4_addrs: [], profile_ids: [] }),
    ]),
  ),
  'labels and tags': Object.fromEntries([
    ...names.map((name, n) => [workloadKey(`l${String(n)}`), stored({ labels: { [name]: name } })]),
    ...names.map((name, n) => [
      policyKey(`tag${String(n)}`),
      policy('allow', { src_tag: name, dst_selector: `x == '${name.replaceAll("'", '')}'` }, 'victim'),
    ]),
    [workloadKey('large'), stored({ labels: { big: 'y'.repeat(1 << 20) } })],
  ]),
  'values that are nothing of the kind': Object.fromEntries(
    ['', '{', 'null', '[]', '7', '"text"', '{"selector":{}}', '[[[[[[', '\u0000'].flatMap((value, n) => [
      [policyKey(`v${String(n)}`), value],
      [workloadKey(`v${String(n)}`), value],
      [`/calico/v1/policy/profile/v${String(n)}/rules`, value],
      [`/calico/v1/policy/profile/v${String(n)}/tags`, value],
      [`/calico/v1/policy/profile/v${String(n)}/labels`, value],
      [`/calico/v1/ipam/v4/pool/10.99.${String(n)}.0-24`, value],
      [`/calico/v1/host/other${String(n)}/metadata`, value],
      [`/calico/bgp/v1/host/other${String(n)}/ip_addr_v4`, value],
      [`/calico/bgp/v1/global/peer_v4/10.0.0.${String(n)}`, value],
      [`/calico/v1/host/host1/endpoint/v${String(n)}`, value],
    ]),
  ),
  'rules at the edge': Object.fromEntries(
    [
      { src_net: '0.0.0.0/0' },
      { src_net: '10.0.0.1/8' },
      { src_net: '::ffff:10.0.0.1/120' },
      { src_net: '10.0.0.0/33' },
      { protocol: 0 },
      { protocol: 256 },
      { protocol: 'tcp', dst_ports: [0] },
      { protocol: 'tcp', dst_ports: ['9:1'] },
      { protocol: 'tcp', dst_ports: Array.from({ length: 200 }, (_, n) => n * 7 + 1) },
      { dst_ports: [80] },
      { protocol: 1, dst_ports: [80] },
      { icmp_type: 300 },
      { icmp_code: 1 },
      { protocol: 'icmp', icmp_type: 255, icmp_code: 255 },
      { ip_version: 5 },
      { src_selector: 'has(' },
      { '!src_selector': 'all()' },
      { unknown: true },
    ].map((rule, n) => [policyKey(`r${String(n)}`), policy('allow', rule, 'victim')]),
  ),
  'settings of the agent': Object.fromEntries(
    names.map((name, n) => [`/calico/v1/config/${n % 2 === 0 ? name : 'InterfacePrefix'}`, name]),
  ),
};

describe('an agent whose datastore holds hostile', () => {
  test.each(Object.entries(hostile))('%s enforces everything else', async (_what, values) => {
    const pid = lab.pid(host);
    await put(values);
    await followsPolicy();
    expect(lab.pid(host)).toBe(pid);
    expect((await lab.run(host.netns, 'nft', 'list', 'tables')).stdout).toBe('table inet calico\n');
    for (const reason of (await lab.status(host)).reasons) expect(reason).toMatch(/^[^\n]{1,700}$/);
    await remove(Object.keys(values));
    await eventually('nothing is wrong any more', async () => (await lab.status(host)).reasons.length === 0);
  });

  test.each(
    Object.entries({
      'a rule that cannot be read': '{"action":"allow","protocol":"no-such-protocol"}',
      'a rule with a bad selector': '{"action":"allow","src_selector":"has("}',
      'a rule with ports of no protocol': '{"action":"allow","dst_ports":[8080]}',
      'a rule that is none': '"text"',
    }),
  )('content is told of, and what it selects is closed: %s', async (_what, rule) => {
    const { endpoints } = await lab.status(host);
    const victim = endpoints.find(endpoint => endpoint.id.includes('lab.victim'))?.addresses[0] ?? '';
    const [, , netns = ''] = host.workloads.map(workload => workload.netns);
    const isVictimOpen = async (): Promise<boolean> => await lab.connects(web.netns, netns, victim);
    expect(await isVictimOpen()).toBe(true);
    const value = `{"order":5,"selector":"role == 'victim'","inbound_rules":[${rule}],"outbound_rules":[]}`;
    await put({ [policyKey('unreadable')]: value });
    expect((await lab.status(host)).problems).toMatchObject([{ object: 'Policy(name=unreadable)' }]);
    expect(await isVictimOpen()).toBe(false);
    await remove([policyKey('unreadable')]);
    await eventually('it is open again', isVictimOpen);
  });

  test('content of all these kinds starts and enforces everything else', async () => {
    const all = Object.assign({}, ...Object.values(hostile)) as Readonly<Record<string, string>>;
    await put(all);
    await undisturbed({ lab, to: db, address, allowed: web }, async () => {
      lab.kill(host, 'SIGTERM');
      await eventually('it has ended', () => lab.pid(host) === 0);
      await lab.heal();
    });
    await followsPolicy();
    expect((await lab.status(host)).reasons.length).toBeGreaterThan(20);
    await remove(Object.keys(all));
    await eventually('nothing is wrong any more', async () => (await lab.status(host)).reasons.length === 0);
  });
});
