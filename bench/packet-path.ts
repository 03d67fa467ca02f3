import { silentLogger, systemClock } from '../src/base/index.js';
import { createNetlinkNftApplier, createNftDataplane } from '../src/dataplane/index.js';
import { openHostNetwork } from '../src/netlink/index.js';
import type { HostNetwork } from '../src/netlink/index.js';
import { createPolicyGraph } from '../src/policy/index.js';
import type { ModelChange, Rule } from '../src/policy/index.js';
import { createTestNet } from '../test/support/netns.js';
import { endpoint, nets, policy, rule, selector } from '../test/support/policy-builders.js';
import { oneCpu } from './support/cpu-time.js';
import type { CpuTime } from './support/cpu-time.js';
import { median, medianRange } from './support/statistics.js';
import { openTraffic } from './support/traffic.js';
import type { Traffic } from './support/traffic.js';
import { workloadPair } from './support/workload-pair.js';

/**
 * What policy costs a packet between two workloads of one host, in processor time: each kind of host three times,
 * so that where things happen to lie in memory does not decide; all hosts in turn in every round, and medians over
 * the rounds of what one host costs against another in the same round. Wants root and `nft`.
 */
const ROUNDS = Number(process.env['ROUNDS'] ?? 100);
const TWINS = 3;
const PORT = 7000;

const hosts = {
  'plain routing': undefined,
  'plain routing, tracked': undefined,
  '1 policy': { count: 1, by: 'port' },
  '1,000 policies': { count: 1_000, by: 'port' },
  '1,000 policies by network': { count: 1_000, by: 'network' },
  '1,000 policies by selector': { count: 1_000, by: 'selector' },
} as const;
type HostName = keyof typeof hosts;
const hostNames = Object.keys(hosts) as readonly HostName[];
const floor: HostName = 'plain routing, tracked';

/** One kind of traffic: how many in a round, and what is asked of it. */
interface Kind {
  readonly name: string;
  readonly count: number;
  readonly run: (traffic: Traffic, count: number) => void;
  /** of plain routing with tracking, and of one policy, per cent of the rate that shall be left with 1,000 */
  readonly target?: readonly [ofPlain: number, ofOne: number];
  /** microseconds that 1,000 policies may cost above tracking */
  readonly most?: number;
}

const kinds: readonly Kind[] = [
  {
    name: 'first packet of a flow',
    count: 2_048,
    run: (traffic, count) => traffic.firstPackets(count),
    most: 2,
  },
  { name: 'packet of a known flow', count: 2_048, run: (traffic, count) => traffic.established(count) },
  {
    name: 'TCP connection',
    count: 100,
    run: (traffic, count) => traffic.connections(count),
    target: [90, 97],
  },
  { name: 'MiB over TCP', count: 32, run: (traffic, count) => traffic.bulk(count), target: [90, 97] },
];

type Shape = 'port' | 'network' | 'selector';

/** What one of the policies allows: another than the others do. */
function rulesOf(by: Shape, index: number, isLast: boolean): readonly Rule[] {
  const port = isLast ? PORT : 10_000 + index;
  const network = isLast ? '10.65.0.0/24' : `10.${String(100 + (index >> 8))}.${String(index & 255)}.0/24`;
  switch (by) {
    case 'port':
      return [6, 17].map(protocol =>
        rule('allow', { protocol, destinationPorts: [{ min: port, max: port }] }),
      );
    case 'network':
      return [rule('allow', { destinationNets: nets(network) })];
    case 'selector':
      return [
        rule('allow', { destinationSelector: selector(isLast ? 'has(end)' : `app == "${String(index)}"`) }),
      ];
  }
}

/** The last of them is the one that allows what is measured. */
function policies({ count, by }: { readonly count: number; readonly by: Shape }): readonly ModelChange[] {
  return Array.from({ length: count }, (_, index) => {
    const rules = rulesOf(by, index, index === count - 1);
    const each = policy(`p${String(index).padStart(4, '0')}`, {
      order: index,
      ingress: rules,
      egress: rules,
    });
    return { kind: 'policy', id: each.id, policy: each };
  });
}

/** Workloads of another host, ten for each of the selectors. */
function others({ count, by }: { readonly count: number; readonly by: Shape }): readonly ModelChange[] {
  return Array.from({ length: by === 'selector' ? 10 * count : 0 }, (_, index) => {
    const value = endpoint(`other${String(index)}`, {
      node: 'there',
      addresses: [`10.66.${String(index >> 8)}.${String(index & 255)}`],
      labels: { app: String(index % count) },
    });
    return { kind: 'endpoint', id: value.id, endpoint: value };
  });
}

function workload(name: string, address: string): ModelChange {
  const value = endpoint(name, { addresses: [address], labels: { end: name } });
  return { kind: 'endpoint', id: value.id, endpoint: value };
}

interface Host {
  readonly name: HostName;
  readonly traffic: Traffic;
  readonly network: HostNetwork;
  readonly addresses: readonly string[];
}

const net = createTestNet();
const tracked =
  'table inet plain { chain f { type filter hook forward priority 0; ct state established accept; accept; }; }';

async function setUp(name: HostName, twin: number): Promise<Host> {
  const host = `${String(hostNames.indexOf(name))}-${String(twin)}`;
  const path = await net.add(host);
  const pair = await workloadPair(net, path, host);
  const wanted = hosts[name];
  if (name === floor) await net.feed(host, tracked, 'nft', '-f', '-');
  if (wanted !== undefined) {
    const applier = await createNetlinkNftApplier({ netns: path });
    const driver = createNftDataplane({ applier, config: {}, log: silentLogger, clock: systemClock });
    const ends = [workload('a', pair.from), workload('b', pair.to)];
    await driver.apply(createPolicyGraph('here').apply([...ends, ...others(wanted), ...policies(wanted)]));
    await driver.stop();
    applier.close();
  }
  const traffic = await openTraffic({ ...pair, port: PORT });
  return { name, traffic, network: await openHostNetwork({ netns: path }), addresses: [pair.from] };
}

/** Microseconds for one, by host: in each round the mean of the twins. */
function measure(kind: Kind, all: readonly Host[], cpu: CpuTime): ReadonlyMap<HostName, readonly number[]> {
  const costs = new Map(hostNames.map(name => [name, Array<number>(ROUNDS).fill(0)] as const));
  for (let round = -2; round < ROUNDS; round++) {
    for (const { network, addresses } of all) network.forgetConnections(addresses);
    for (const place of all.keys()) {
      const host = all[(place + round + 2) % all.length];
      if (host === undefined) continue;
      const before = cpu();
      kind.run(host.traffic, kind.count);
      const cost = (cpu() - before) / kind.count / TWINS;
      const row = costs.get(host.name);
      if (round >= 0 && row !== undefined) row[round] = (row[round] ?? 0) + cost;
    }
  }
  return costs;
}

function percent(values: readonly number[]): string {
  const [from, to] = medianRange(values).map(value => (100 * value).toFixed(1));
  return `${(100 * median(values)).toFixed(1)} % (${from ?? ''} to ${to ?? ''})`;
}

function report({ name, target, most }: Kind, costs: ReadonlyMap<HostName, readonly number[]>): void {
  console.log(`${name}:`);
  const [base = [], one = []] = [costs.get(floor), costs.get('1 policy')];
  for (const [host, own] of costs) {
    const above = own.map((cost, round) => cost - (base[round] ?? NaN));
    const rate = (of: readonly number[]): string =>
      percent(own.map((cost, round) => (of[round] ?? NaN) / cost));
    const [from, to] = medianRange(above).map(value => value.toFixed(2));
    console.log(
      `  ${host}: ${median(own).toFixed(2)} us, ${median(above).toFixed(2)} us (${from ?? ''} to ${to ?? ''}) above tracking; ` +
        `rate ${rate(base)} of tracked, ${rate(one)} of one policy`,
    );
  }
  if (target !== undefined)
    console.log(
      `  target for 1,000: ${String(target[0])} % of tracked, ${String(target[1])} % of one policy`,
    );
  if (most !== undefined) console.log(`  target for 1,000: at most ${String(most)} us above tracking`);
}

try {
  const cpu = await oneCpu(1);
  const all: Host[] = [];
  for (let twin = 0; twin < TWINS; twin++) for (const name of hostNames) all.push(await setUp(name, twin));
  for (const kind of kinds) report(kind, measure(kind, all, cpu));
  for (const { traffic, network } of all) {
    traffic.close();
    network.close();
  }
} finally {
  await net.remove();
}
