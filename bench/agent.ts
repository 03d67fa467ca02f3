import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askSocket, runChecked, runProgram } from '../src/base/index.js';
import { openStore } from '../src/datastore/index.js';
import type { Store, Write } from '../src/datastore/index.js';
import type { AgentStatus } from '../src/node/index.js';

/**
 * The built agent on a host of a large cluster, policy-only, in a network namespace of its own: from its start to
 * ready, what it holds in memory, what it does when nothing happens, and what one change of a label costs it.
 * The local endpoints have no interfaces: what is measured is everything but the host's links.
 */
const SIZES = [1_000, 10_000];
const LOCAL = 200;
const POLICIES = 1_000;
const SETS = 2_000;
const CHANGES = 200;
const IDLE_MS = 10_000;

const root = process.env['CALICO_ROOT'] ?? new URL('..', import.meta.url).pathname;
const netns = `calico-bench-${String(process.pid)}`;

const nodeOf = (size: number, index: number): string => `n${String(index % (size / LOCAL))}`;

function endpoint(size: number, index: number, generation = 0): readonly [key: string, value: string] {
  const address = `10.${String(64 + (index >> 16))}.${String((index >> 8) & 255)}.${String(index & 255)}/32`;
  return [
    `/calico/v1/host/${nodeOf(size, index)}/workload/k8s/w${String(index)}/endpoint/eth0`,
    JSON.stringify({
      state: 'active',
      name: `cali${String(index)}`,
      mac: null,
      profile_ids: ['p'],
      ipv4_nets: [address],
      ipv6_nets: [],
      labels: { app: `a${String(index % SETS)}`, pod: `w${String(index)}`, generation: String(generation) },
    }),
  ];
}

/** Policies of which each local endpoint matches some, and whose rules name all the sets. */
function policy(size: number, index: number): readonly [key: string, value: string] {
  const from = [0, 1].map(n => ({
    action: 'allow',
    src_selector: `app == 'a${String((index * 2 + n) % SETS)}'`,
  }));
  return [
    `/calico/v1/policy/tier/default/policy/p${String(index)}`,
    JSON.stringify({
      order: index,
      selector: `pod == 'w${String((index % LOCAL) * (size / LOCAL))}'`,
      inbound_rules: from,
      outbound_rules: [{ action: 'allow' }],
    }),
  ];
}

async function put(store: Store, entries: readonly (readonly [string, string])[]): Promise<number> {
  let revision = 0;
  for (let from = 0; from < entries.length; from += 1_000) {
    const writes = entries
      .slice(from, from + 1_000)
      .map(([key, value]): Write => ({ kind: 'put', key, value }));
    const result = await store.commit({ writes });
    if (result.committed) ({ revision } = result);
  }
  return revision;
}

/** Milliseconds of processor time that a process has used, with all its threads. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function rssMb(pid: number): number {
  const [, kb] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8')) ?? [];
  return Math.round(Number(kb) / 1024);
}

async function pause(ms: number): Promise<void> {
  await new Promise(resolve => setTimeout(resolve, ms));
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition().catch(() => false))) await pause(2);
}

function median(values: readonly number[], part = 0.5): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length * part)] ?? NaN;
}

async function measure(directory: string, size: number): Promise<void> {
  const store = await openStore({
    type: 'sqlite',
    directory: join(directory, 'store'),
    synchronous: 'normal',
  });
  const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);
  await put(store, [
    ...numbers(size).map(index => endpoint(size, index)),
    ...numbers(POLICIES).map(index => policy(size, index)),
  ]);
  const child = spawn('nsenter', [`--net=/run/netns/${netns}`, `${root}bin/calico-node`], {
    stdio: 'ignore',
    env: {
      PATH: process.env['PATH'],
      CALICO_STORE_DIR: join(directory, 'store'),
      CALICO_STATE_DIR: directory,
      CALICO_RUN_DIR: directory,
      CALICO_LOG_DIR: directory,
      CALICO_ETC_DIR: directory,
      CALICO_NETWORKING_BACKEND: 'none',
      NODENAME: nodeOf(size, 0),
    },
  });
  const begin = performance.now();
  const pid = child.pid ?? 0; // nsenter becomes the agent
  const socket = join(directory, 'control.sock');
  try {
    await until(async () => (await askSocket(socket, '/ready')).status === 200);
    console.log(
      `start to ready: ${String(Math.round(performance.now() - begin))} ms (target 3 s), ` +
        `${String(cpuMs(pid))} ms of processor time; ${String(rssMb(pid))} MB (target 250)`,
    );
    await pause(2_000);
    const idle = cpuMs(pid);
    await pause(IDLE_MS);
    console.log(
      `idle: ${((100 * (cpuMs(pid) - idle)) / IDLE_MS).toFixed(1)}% of a core (target 1%), ${String(rssMb(pid))} MB`,
    );
    const status = async (): Promise<AgentStatus> =>
      JSON.parse((await askSocket(socket, '/status')).body) as AgentStatus;
    const before = cpuMs(pid);
    let last = 0;
    for (const index of numbers(CHANGES)) {
      last = await put(store, [endpoint(size, (index * 7) % size, 1 + Math.floor((index * 7) / size))]);
      await pause(5);
    }
    await pause(500);
    const used = (cpuMs(pid) - before) / CHANGES;
    console.log(`one change of a label: ${used.toFixed(2)} ms of processor time (target 5)`);
    if ((await status()).revision < last) throw new Error('the agent is behind');
    const times: number[] = [];
    for (const index of numbers(CHANGES)) {
      const at = performance.now();
      const revision = await put(store, [endpoint(size, index, 10 + (index % 2))]);
      await until(async () => (await status()).revision >= revision);
      times.push(performance.now() - at);
    }
    console.log(
      `commit to the kernel, as the status tells it: p50 ${median(times).toFixed(1)} ms, ` +
        `p99 ${median(times, 0.99).toFixed(1)} ms (target 5 and 20)`,
    );
  } finally {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
    await store.close();
  }
}

for (const size of SIZES) {
  const directory = await mkdtemp(join(tmpdir(), 'calico-bench-'));
  await runChecked('ip', ['netns', 'add', netns]);
  try {
    await runChecked('ip', ['-n', netns, 'link', 'set', 'lo', 'up']);
    console.log(
      `${String(size)} endpoints, ${String(LOCAL)} of them local, ${String(POLICIES)} policies, ${String(SETS)} sets`,
    );
    await measure(directory, size);
  } finally {
    await runProgram('ip', ['netns', 'del', netns]);
    await rm(directory, { recursive: true, force: true });
  }
}
