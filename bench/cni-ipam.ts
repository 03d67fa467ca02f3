import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runChecked } from '../src/base/index.js';
import { createResourceClient, openStore } from '../src/datastore/index.js';
import type { Store } from '../src/datastore/index.js';
import { openHostNetwork } from '../src/netlink/index.js';
import { agentEnvironment, startAgentProcess } from '../test/support/agent-process.js';
import type { AgentPlace } from '../test/support/agent-process.js';
import { createTestNet, eventually } from '../test/support/netns.js';
import type { TestNet } from '../test/support/netns.js';
import { callPlugin } from './support/small-runtime.js';

/**
 * CNI with a real agent in a namespace of its own; what it costs to find an address is in `ipam`. Wants the built
 * programs: `npm run build` before it, or CALICO_DIST.
 */
const root = process.env['CALICO_ROOT'] ?? new URL('..', import.meta.url).pathname;
const dist = process.env['CALICO_DIST'] ?? join(root, 'dist');
const directory = mkdtempSync(join(tmpdir(), 'calico-bench-'));
/** in memory, as /run is */
const runDir = mkdtempSync('/dev/shm/calico-bench-');
const net = createTestNet();
const agentPlace: AgentPlace = {
  program: [process.execPath, join(dist, 'calico-node.js')],
  netns: net.path('host'),
  nodeName: 'bench',
  directory,
  runDir,
};
const launcher = join(dist, 'cni/calico');
const rows: (readonly [string, string, string, string])[] = [];

function quantile(times: readonly number[], q: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;
}

function report(what: string, times: readonly number[], target = ''): void {
  rows.push([what, quantile(times, 0.5).toFixed(2), quantile(times, 0.99).toFixed(2), target]);
}

async function timed(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

const config = JSON.stringify({
  cniVersion: '1.0.0',
  name: 'bench',
  type: 'calico',
  ipam: { type: 'calico-ipam' },
});

function environment(command: string, pod: string): Record<string, string> {
  return {
    ...agentEnvironment(agentPlace),
    CNI_COMMAND: command,
    CNI_CONTAINERID: pod,
    CNI_IFNAME: 'eth0',
    CNI_NETNS: net.path(pod),
    CNI_ARGS: '',
    CNI_PATH: '/opt/cni/bin',
  };
}

/** As a runtime calls the plugin. */
async function byLauncher(command: string, pod: string): Promise<void> {
  await runChecked(launcher, [], { input: config, env: environment(command, pod) });
}

/** The same bytes without the start of a program. */
async function bySocket(command: string, pod: string): Promise<void> {
  const env = environment(command, pod);
  const fields = [
    ['PROGRAM', 'calico'],
    ...['CNI_COMMAND', 'CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME', 'CNI_ARGS', 'CNI_PATH'].map(name => [
      name,
      env[name] ?? '',
    ]),
    ['STDIN', config],
  ];
  const request = fields.map(
    ([name, value = '']) => `${name ?? ''} ${String(Buffer.byteLength(value))}\n${value}\n`,
  );
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect(join(runDir, 'cni.sock'));
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => {
      resolve(text);
    });
    socket.end(request.join(''));
  });
  if (!answer.startsWith('0 ')) throw new Error(answer);
}

/** Waits until the kernel has removed all links: it does so in the background. */
async function settled(): Promise<void> {
  const host = await openHostNetwork({ netns: net.path('host') });
  await eventually('all links are gone', () => host.links().every(({ kind }) => kind !== 'veth'), 60_000);
  host.close();
}

type Calls = (command: string, pods: readonly string[]) => Promise<readonly number[]>;

/** As a small runtime starts it. */
const launcherInTurn: Calls = async (command, pods) =>
  await callPlugin(
    { program: launcher, config, env: environment('VERSION', 'none') },
    pods.map(pod => ({ command, container: pod, netns: net.path(pod) })),
  );

function inTurn(call: (command: string, pod: string) => Promise<void>): Calls {
  return async (command, pods) => {
    const times: number[] = [];
    for (const pod of pods) times.push(await timed(async () => call(command, pod)));
    return times;
  };
}

async function serial(pods: readonly string[], name: string, calls: Calls): Promise<void> {
  report(`ADD, one after the other (${name})`, await calls('ADD', pods), '10 / 30');
  report(`DEL, one after the other (${name})`, await calls('DEL', pods), '10');
  await settled();
}

async function sideBySide(pods: readonly string[], command: string): Promise<void> {
  const queue = [...pods];
  const whole = await timed(async () => {
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        for (let pod = queue.shift(); pod !== undefined; pod = queue.shift()) await byLauncher(command, pod);
      }),
    );
  });
  rows.push([`${String(pods.length)} ${command}s, 16 at a time, in all`, whole.toFixed(0), '', '1000']);
}

/** What the kernel itself takes for the work of an ADD and a DEL. */
async function floor(netnsOf: TestNet): Promise<void> {
  const host = await openHostNetwork({ netns: await netnsOf.add('floor') });
  const pods = Array.from({ length: 50 }, (_, i) => `fp${String(i)}`);
  for (const pod of pods) await netnsOf.add(pod);
  const adds: number[] = [];
  const cuts: number[] = [];
  const dels: number[] = [];
  const mac = 'ee:ee:ee:ee:ee:ee';
  for (const [i, pod] of pods.entries()) {
    const hostName = `cali${String(i)}`;
    const address = `10.1.0.${String(i)}/32`;
    let index = 0;
    adds.push(
      await timed(() => {
        const container = host.enter(netnsOf.path(pod));
        const made = host.createVeth({
          hostName,
          hostMac: mac,
          containerName: 'eth0',
          containerNetns: netnsOf.path(pod),
        });
        index = made.host.index;
        for (const [name, value] of [
          ['proxy_arp', '1'],
          ['forwarding', '1'],
          ['rp_filter', '1'],
        ] as const) {
          host.writeSysctl(['ipv4', 'conf', hostName, name], value);
        }
        host.setLinkUp(index);
        container.setLinkUp(made.containerIndex);
        container.addAddress(made.containerIndex, address);
        const route = { interfaceIndex: made.containerIndex, protocol: 3 };
        container.replaceRoute({ ...route, destination: '169.254.1.1/32', scope: 'link' });
        container.replaceRoute({ ...route, destination: '0.0.0.0/0', gateway: '169.254.1.1' });
        container.replaceNeighbour(made.containerIndex, '169.254.1.1', mac);
        host.replaceRoute({ destination: address, interfaceIndex: index, scope: 'link' });
        container.close();
      }),
    );
    cuts.push(
      await timed(() => {
        host.setLinkDown(index);
      }),
    );
    dels.push(await timed(async () => host.deleteLink(index)));
  }
  host.close();
  report('floor: kernel work of an ADD over netlink', adds);
  report('floor: taking a link down', cuts);
  report('floor: deleting a link (in the background)', dels);
}

async function launcherAlone(): Promise<void> {
  const env = environment('VERSION', 'x');
  const calls = Array.from({ length: 200 }, () => ({ command: 'VERSION', container: 'x', netns: 'x' }));
  report(
    'launcher alone (VERSION), with its start',
    await callPlugin({ program: launcher, config, env }, calls),
    '3',
  );
  report(
    'floor: starting /bin/true the same way',
    await callPlugin({ program: '/bin/true', config, env }, calls),
  );
  const child = spawn(launcher, [], { env, stdio: ['pipe', 'ignore', 'ignore'] });
  await eventually('the launcher waits for its input', () =>
    readFileSync(`/proc/${String(child.pid)}/wchan`, 'utf8').includes('pipe'),
  ).catch(() => undefined);
  const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${String(child.pid)}/status`, 'utf8'))?.[1] ?? '0';
  child.stdin.end(config);
  rows.push(['launcher, peak memory in MB', (Number(peak) / 1024).toFixed(2), '', '5']);
}

async function putPool(store: Store, cidr: string): Promise<void> {
  await createResourceClient(store).write([
    { verb: 'create', resource: { apiVersion: 'v1', kind: 'ipPool', metadata: { cidr }, spec: {} } },
  ]);
}

async function main(): Promise<void> {
  await net.add('host');
  const store = await openStore({ type: 'sqlite', directory: join(directory, 'store') });
  await putPool(store, '10.65.0.0/16');
  const agent = await startAgentProcess(agentPlace);
  try {
    const pods = Array.from({ length: 100 }, (_, i) => `p${String(i)}`);
    for (const pod of pods) await net.add(pod);
    // An agent that has just started compiles its code while it works.
    for (const command of ['ADD', 'DEL']) for (const pod of pods) await bySocket(command, pod);
    await settled();
    await serial(pods, 'launcher', launcherInTurn);
    await serial(pods, 'launcher, started by Node', inTurn(byLauncher));
    await serial(pods, 'socket', inTurn(bySocket));
    await sideBySide(pods, 'ADD');
    await sideBySide(pods, 'DEL');
    await launcherAlone();
    await floor(net);
  } finally {
    await agent.end();
    await store.close();
  }
}

try {
  await main();
} finally {
  await net.remove();
  for (const each of [directory, runDir]) rmSync(each, { recursive: true, force: true });
}
const lines = rows.map(([what, p50, p99, target]) => `| ${what} | ${p50} | ${p99} | ${target} |`);
console.log(
  ['| what (ms unless it says so) | p50 | p99 | target |', '|---|---|---|---|', ...lines].join('\n'),
);
