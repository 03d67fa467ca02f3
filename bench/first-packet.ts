import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { runChecked } from '../src/base/index.js';
import { openStore } from '../src/datastore/index.js';
import type { Store, Write } from '../src/datastore/index.js';
import { startEtcd } from '../test/contract/support/etcd-server.js';
import { startAgentProcess } from '../test/support/agent-process.js';
import { createTestNet } from '../test/support/netns.js';
import { threadTime } from './support/cpu-time.js';
import { quantile } from './support/statistics.js';
import { openTraffic } from './support/traffic.js';
import type { Traffic } from './support/traffic.js';
import { workloadPair } from './support/workload-pair.js';

/**
 * From a committed change to the first packet that it concerns, with the built agent of one host over each datastore:
 * a policy among 100 local endpoints and 100 policies, an endpoint more among 1,000, a policy with 2,000 selectors,
 * and a table, a route and settings of the kernel that somebody else has taken away. Two of the endpoints have interfaces, and between
 * them goes a packet after the other. Wants root, `nft`, etcd and the built programs.
 */
const CHANGES = Number(process.env['CHANGES'] ?? 100);
const SELECTORS = 2_000;
const PORT = 7000;
const NODE = 'here';
/** network namespace that this process works in; it starts itself there */
const insideOf = process.env['FIRST_PACKET_HOST'];

const endpointKey = (name: string): string => `/calico/v1/host/${NODE}/workload/test/${name}/endpoint/eth0`;
const policyKey = (name: string): string => `/calico/v1/policy/tier/default/policy/${name}`;

type Put = Write & { readonly kind: 'put' };

function put(key: string, value: unknown): Put {
  return { kind: 'put', key, value: JSON.stringify(value) };
}

function endpoint(name: string, address: string): Put {
  return put(endpointKey(name), {
    state: 'active',
    name: `cali${name}`,
    mac: null,
    profile_ids: [],
    ipv4_nets: [`${address}/32`],
    ipv6_nets: [],
    labels: { app: name },
  });
}

/** For all endpoints: allows a port in both directions. */
function policy(name: string, order: number, port: number): Put {
  const rule = { action: 'allow', protocol: 'udp', dst_ports: [port] };
  return put(policyKey(name), { order, selector: 'all()', inbound_rules: [rule], outbound_rules: [rule] });
}

/** Rules with that many selectors before the one that allows. */
function manySelectors(count: number): Put {
  const denied = Array.from({ length: count }, (_, index) => ({
    action: 'deny',
    src_selector: `app == 'other-${String(index)}'`,
  }));
  const allowed = { action: 'allow', src_selector: `app == 'a'` };
  const inbound_rules = [...denied, allowed];
  return put(policyKey('many'), { order: 0, selector: `app == 'b'`, types: ['ingress'], inbound_rules });
}

async function commit(store: Store, writes: readonly Write[]): Promise<void> {
  for (let from = 0; from < writes.length; from += 100) {
    await store.commit({ writes: writes.slice(from, from + 100) });
  }
}

/** Milliseconds from the end of the change to the first packet that passes, or does not. */
async function untilPacket(
  traffic: Traffic,
  passes: boolean,
  change: () => Promise<unknown>,
): Promise<number> {
  await change();
  const start = performance.now();
  while (traffic.probe() !== passes) {
    if (performance.now() - start > 20_000) throw new Error('no packet met the other fate');
    // The store may still have something to say to those who watch it.
    await turn();
  }
  return performance.now() - start;
}

function report(store: string, what: string, times: readonly number[], target: string): void {
  const figures = [0.5, 0.99].map(part => quantile(times, part).toFixed(1));
  const spread =
    times.length < 10
      ? `median ${figures[0] ?? ''} ms`
      : `p50 ${figures[0] ?? ''} ms, p99 ${figures[1] ?? ''} ms`;
  console.log(`${store}: ${what}: ${spread} of ${String(times.length)} (target ${target})`);
}

interface Scene {
  readonly name: string;
  readonly store: Store;
  readonly traffic: Traffic;
  readonly netns: string;
  readonly agent: number;
}

/** Makes something and takes it back, again and again; tells also what it costs the agent. */
async function toggle(
  { store, traffic, agent }: Scene,
  there: Put,
  rounds: number,
): Promise<{ readonly came: readonly number[]; readonly went: readonly number[]; readonly cost: string }> {
  const [came, went]: [number[], number[]] = [[], []];
  const before = threadTime(agent);
  for (let round = 0; round < rounds; round++) {
    came.push(await untilPacket(traffic, true, async () => await store.commit({ writes: [there] })));
    await delay(20 + (round % 7));
    const back: Write = { kind: 'delete', key: there.key };
    went.push(await untilPacket(traffic, false, async () => await store.commit({ writes: [back] })));
    await delay(20 + (round % 5));
  }
  const used = (threadTime(agent) - before) / rounds / 2e3;
  return { came, went, cost: `${used.toFixed(1)} ms of the agent’s processor time a change` };
}

/** Something of ours that somebody else takes away, and what shows that it is back. */
interface Damage {
  readonly command: readonly [program: string, ...args: string[]];
  readonly isRepaired: () => Promise<boolean>;
}

function damages({ netns, traffic }: Scene, address: string): Readonly<Record<string, Damage>> {
  const hasChain = async (): Promise<boolean> => {
    const args = [`--net=${netns}`, '--', 'nft', 'list', 'chain', 'inet', 'calico', 'next-from'];
    return (await runChecked('nsenter', args).catch(() => '')).includes('wl-to');
  };
  const passes = async (): Promise<boolean> => await Promise.resolve(traffic.probe());
  // This process is in the host's namespace.
  const isOn = (setting: string) => async (): Promise<boolean> =>
    (await readFile(`/proc/sys/net/${setting}`, 'utf8')) === '1\n';
  const switchOff = (setting: string): Damage => ({
    command: ['sysctl', '-q', '-w', `net.${setting.replaceAll('/', '.')}=0`],
    isRepaired: isOn(setting),
  });
  return {
    // Without the table everything passes; without the route nothing does.
    'table deleted': { command: ['nft', 'delete', 'table', 'inet', 'calico'], isRepaired: hasChain },
    'policy chains flushed': {
      command: ['nft', 'flush', 'chain', 'inet', 'calico', 'next-from'],
      isRepaired: hasChain,
    },
    'route deleted': { command: ['ip', 'route', 'del', address, 'dev', 'calib'], isRepaired: passes },
    'forwarding switched off': switchOff('ipv4/ip_forward'),
    'proxy ARP switched off': switchOff('ipv4/conf/calib/proxy_arp'),
  };
}

async function measureRepair(scene: Scene, address: string): Promise<void> {
  const { name, netns, traffic } = scene;
  for (const [what, { command, isRepaired }] of Object.entries(damages(scene, address))) {
    const times: number[] = [];
    for (let round = 0; round < 5; round++) {
      await runChecked('nsenter', [`--net=${netns}`, '--', ...command]);
      const start = performance.now();
      while (!(await isRepaired()) || !traffic.probe()) await turn();
      times.push(performance.now() - start);
      await delay(300);
    }
    report(name, `${what}, until it is repaired`, times, '1 s');
  }
}

async function measureAll(scene: Scene, target: string): Promise<void> {
  const { name, store } = scene;
  const one = await toggle(scene, policy('probe', 1_000, PORT), CHANGES);
  report(name, 'a policy allows, among 100 endpoints and 100 policies', one.came, target);
  report(name, `it is gone (${one.cost})`, one.went, target);
  await store.commit({ writes: [policy('probe', 1_000, PORT)] });
  await untilPacket(scene.traffic, true, async () => await delay(100));
  await measureRepair(scene, '10.65.0.2');
  const others = Array.from({ length: 900 }, (_, index) => endpoint(`x${String(index)}`, local(index + 200)));
  await commit(store, others);
  await store.commit({ writes: [{ kind: 'delete', key: endpointKey('a') }] });
  await untilPacket(scene.traffic, false, async () => await delay(1_500));
  const more = await toggle(scene, endpoint('a', '10.65.0.1'), CHANGES);
  report(name, 'an endpoint more among 1,000', more.came, target);
  report(name, `it is gone (${more.cost})`, more.went, target);
  await store.commit({ writes: [{ kind: 'delete', key: policyKey('probe') }, endpoint('a', '10.65.0.1')] });
  // Out of `a` everything may go; what comes to `b` the many selectors decide.
  const out = { order: 0, selector: `app == 'a'`, types: ['egress'], outbound_rules: [{ action: 'allow' }] };
  await store.commit({ writes: [put(policyKey('out'), out)] });
  await untilPacket(scene.traffic, false, async () => await delay(500));
  const many = await toggle(scene, manySelectors(SELECTORS), 5);
  report(name, `${String(SELECTORS)} selectors on one endpoint, created`, many.came, '2 s');
  report(name, `they are removed (${many.cost})`, many.went, '2 s');
}

const local = (index: number): string => `10.66.${String(index >> 8)}.${String(index & 255)}`;

async function run(netns: string): Promise<void> {
  const net = createTestNet();
  const pair = await workloadPair(net, netns, 'w');
  const traffic = await openTraffic({ ...pair, port: PORT });
  const etcd = await startEtcd();
  const world = [
    ...Array.from({ length: 98 }, (_, index) => endpoint(`y${String(index)}`, local(index))),
    endpoint('a', pair.from),
    endpoint('b', pair.to),
    ...Array.from({ length: 99 }, (_, index) => policy(`p${String(index)}`, index, 10_000 + index)),
  ];
  const root = process.env['CALICO_ROOT'] ?? new URL('..', import.meta.url).pathname;
  try {
    for (const type of ['sqlite', 'etcdv3'] as const) {
      const directory = await mkdtemp(join(tmpdir(), 'calico-first-packet-'));
      const store = await openStore(
        type === 'sqlite'
          ? { type, directory: join(directory, 'store') }
          : { type, endpoints: [etcd.endpoint] },
      );
      await commit(store, world);
      const env: Readonly<Record<string, string>> =
        type === 'sqlite' ? {} : { DATASTORE_TYPE: type, ETCD_ENDPOINTS: etcd.endpoint };
      const program = [join(root, 'bin/calico-node')] as const;
      const agent = await startAgentProcess({ program, netns, nodeName: NODE, directory, env });
      try {
        await measureAll(
          { name: type, store, traffic, netns, agent: agent.pid },
          type === 'sqlite' ? '5 / 20 ms' : '10 / 40 ms',
        );
      } finally {
        await agent.end();
        await runChecked('nsenter', [`--net=${netns}`, '--', 'nft', 'flush', 'ruleset']);
        await store.close();
        await rm(directory, { recursive: true, force: true });
      }
    }
  } finally {
    traffic.close();
    await etcd.dispose();
    await net.remove();
  }
}

if (insideOf === undefined) {
  const net = createTestNet();
  try {
    const host = await net.add('host');
    const args = [`--net=${host}`, '--', process.execPath, fileURLToPath(import.meta.url)];
    const child = spawn('nsenter', args, {
      stdio: 'inherit',
      env: { ...process.env, FIRST_PACKET_HOST: host },
    });
    const [code]: unknown[] = await once(child, 'exit');
    process.exitCode = code === 0 ? 0 : 1;
  } finally {
    await net.remove();
  }
} else await run(insideOf);
