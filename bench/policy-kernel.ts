import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { silentLogger, systemClock } from '../src/base/index.js';
import { createNetlinkNftApplier, createNftDataplane } from '../src/dataplane/index.js';
import { createPolicyGraph } from '../src/policy/index.js';
import type { ModelChange } from '../src/policy/index.js';
import { createTestNet } from '../test/support/netns.js';
import { endpoint, policy, rule } from '../test/support/policy-builders.js';

/**
 * Policy in the kernel: what one endpoint more costs among 1,000, and what policy costs between two workloads, each
 * in a namespace, with 1 and with 1,000 policies, against plain routing with connection tracking.
 */
const ROUNDS = 5;
const CONNECTIONS = 1_500;
const IPERF_PORT = 5201;
const ECHO_PORT = 7000;
const net = createTestNet();

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

async function setUp(): Promise<void> {
  for (const name of ['host', 'w1', 'w2']) await net.add(name);
  await net.run('host', 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
  for (const [index, name] of ['w1', 'w2'].entries()) {
    const address = `10.65.0.${String(index + 1)}`;
    const netns = net.path(name).split('/').at(-1) ?? '';
    const ip = async (where: string, ...args: readonly string[]): Promise<string> =>
      await net.run(where, 'ip', ...args);
    await ip('host', 'link', 'add', `cali${name}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', netns);
    await ip('host', 'link', 'set', `cali${name}`, 'up');
    await net.run(
      'host',
      'sysctl',
      '-qw',
      `net.ipv4.conf.cali${name}.proxy_arp=1`,
      `net.ipv4.neigh.cali${name}.proxy_delay=0`,
    );
    await ip('host', 'route', 'add', address, 'dev', `cali${name}`);
    await ip(name, 'address', 'add', `${address}/32`, 'dev', 'eth0');
    await ip(name, 'link', 'set', 'eth0', 'up');
    await ip(name, 'route', 'add', 'default', 'dev', 'eth0');
  }
}

/** The last of them is the one that allows what is measured. */
function policies(count: number): readonly ModelChange[] {
  return Array.from({ length: count }, (_, index) => {
    const ports = index === count - 1 ? [IPERF_PORT, ECHO_PORT] : [10_000 + index];
    const destinationPorts = ports.map(port => ({ min: port, max: port }));
    const rules = [rule('allow', { protocol: 6, destinationPorts })];
    const each = policy(`p${String(index).padStart(4, '0')}`, {
      order: index,
      ingress: rules,
      egress: rules,
    });
    return { kind: 'policy', id: each.id, policy: each };
  });
}

const workload = (name: string, address: string): ModelChange => {
  const value = endpoint(name, { addresses: [address] });
  return { kind: 'endpoint', id: value.id, endpoint: value };
};

async function dataplane() {
  const applier = await createNetlinkNftApplier({ netns: net.path('host') });
  return createNftDataplane({ applier, config: {}, log: silentLogger, clock: systemClock });
}

const client = `
const net = require('node:net');
let left = ${String(CONNECTIONS)};
const start = performance.now();
const next = () => {
  if (left-- === 0) { console.log(${String(CONNECTIONS)} / (performance.now() - start) * 1000); process.exit(); }
  const socket = net.connect(${String(ECHO_PORT)}, '10.65.0.2', () => { socket.resetAndDestroy(); next(); });
};
next();`;
const server = `require('node:net').createServer(s => { s.on('error', () => {}); s.resume(); }).listen(${String(ECHO_PORT)}, () => console.log('ready'))`;

async function started(name: string, program: string, ...args: readonly string[]) {
  const child = spawn('nsenter', [`--net=${net.path(name)}`, '--', program, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const _ of createInterface({ input: child.stdout })) break;
  return child;
}

interface Figures {
  readonly connects: number[];
  readonly gigabits: number[];
}

async function measure(into: Figures): Promise<void> {
  const connectRate = async (): Promise<number> => {
    await net.run('host', 'conntrack', '-F');
    return Number(await net.run('w1', process.execPath, '-e', client));
  };
  // The best of a few: at first the kernel still clears away the table before, and others use the machine.
  const rates: number[] = [];
  for (let run = 0; run < 4; run += 1) rates.push(await connectRate());
  into.connects.push(Math.max(...rates));
  const iperf = await net.run('w1', 'iperf3', '-c', '10.65.0.2', '-t', '1', '-J');
  // What iperf3 prints is its affair; a missing number shows as NaN in the table.
  const { end } = JSON.parse(iperf) as { end?: { sum_received?: { bits_per_second?: number } } };
  into.gigabits.push((end?.sum_received?.bits_per_second ?? NaN) / 1e9);
}

async function packetPath(): Promise<void> {
  const names = ['plain routing, tracked', '1 policy', '1,000 policies'] as const;
  const figures = names.map((): Figures => ({ connects: [], gigabits: [] }));
  const servers = [
    await started('w2', process.execPath, '-e', server),
    await started('w2', 'iperf3', '-s', '--forceflush'),
  ];
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [at, count] of [0, 1, 1_000].entries()) {
        const driver = await dataplane();
        const plain =
          'table inet plain { chain f { type filter hook forward priority 0; ct state established accept; accept; }; }';
        if (count === 0) await net.feed('host', plain, 'nft', '-f', '-');
        else {
          const ends = [workload('w1', '10.65.0.1'), workload('w2', '10.65.0.2')];
          await driver.apply(createPolicyGraph('here').apply([...ends, ...policies(count)]));
        }
        const into = figures[at];
        if (into !== undefined) await measure(into);
        if (count === 0) await net.run('host', 'nft', 'delete', 'table', 'inet', 'plain');
        await driver.cleanup();
      }
    }
  } finally {
    for (const each of servers) each.kill();
  }
  const [floor] = figures;
  for (const [at, { connects, gigabits }] of figures.entries()) {
    const [rate, speed] = [median(connects), median(gigabits)];
    const ratio = (value: number, of: readonly number[]): string =>
      `${((100 * value) / median(of)).toFixed(0)} %`;
    console.log(
      `${names[at] ?? ''}: ${rate.toFixed(0)} connections/s (${ratio(rate, floor?.connects ?? [])}), ` +
        `${speed.toFixed(2)} Gbit/s (${ratio(speed, floor?.gigabits ?? [])})`,
    );
  }
}

async function oneAmongThousand(): Promise<void> {
  const driver = await dataplane();
  const graph = createPolicyGraph('here');
  const at = (index: number): ModelChange =>
    workload(String(index), `10.66.${String(index >> 8)}.${String(index & 255)}`);
  const many = Array.from({ length: 1_000 }, (_, index) => at(index));
  const start = performance.now();
  await driver.apply(graph.apply([...many, ...policies(100)]));
  console.log(`1,000 endpoints and 100 policies at once: ${(performance.now() - start).toFixed(0)} ms`);
  const times: number[] = [];
  for (let index = 1_000; index < 1_300; index += 1) {
    const before = performance.now();
    await driver.apply(graph.apply([at(index)]));
    times.push(performance.now() - before);
  }
  const p99 = times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? 0;
  console.log(
    `one endpoint more, graph to kernel: p50 ${median(times).toFixed(2)} ms, p99 ${p99.toFixed(2)} ms of ${String(times.length)}`,
  );
  await driver.cleanup();
}

try {
  await setUp();
  await oneAmongThousand();
  await packetPath();
} finally {
  await net.remove();
}
