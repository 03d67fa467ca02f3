import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askSocket, systemClock } from '../src/base/index.js';
import { createResourceClient, openStore } from '../src/datastore/index.js';
import {
  agentPid,
  controlSocket,
  labDown,
  labStore,
  labUp,
  netnsPath,
  plainTopology,
  planLab,
} from '../src/lab/index.js';
import type { LabPaths, LabPlan } from '../src/lab/index.js';
import { openHostNetwork } from '../src/netlink/index.js';
import type { AgentStatus } from '../src/node/index.js';
import type { Resource } from '../src/resources/index.js';

/**
 * A lab of 50 hosts with 4 workloads each on this machine: how long it takes to come up and how much memory it
 * has, and how long a change of policy takes to the last of the hosts. Wants root, BIRD and a built `dist`.
 */
const HOSTS = 50;
const WORKLOADS = 4;
const CHANGES = 20;

async function statusOf(paths: LabPaths, plan: LabPlan, index: number): Promise<AgentStatus> {
  const host = plan.hosts[index];
  if (host === undefined) throw new Error('a host of the plan');
  const { body } = await askSocket(controlSocket(paths, plan, host), '/status');
  return JSON.parse(body) as AgentStatus; // the agent's own words
}

/** Seconds until every host has a route to the block of every other. */
async function untilMeshed(plan: LabPlan, since: number): Promise<string> {
  const network = await openHostNetwork();
  const hosts = plan.hosts.map(host => network.enter(netnsPath(host.netns)));
  for (const host of hosts) {
    const others = (): number =>
      host.routes().filter(route => route.destination.endsWith('/26') && route.gateway !== undefined).length;
    while (others() < HOSTS - 1) await systemClock.sleep(100);
    host.close();
  }
  network.close();
  return ((performance.now() - since) / 1000).toFixed(1);
}

/** Kilobytes of a process that are its own, its share of shared pages included. */
function proportionalMemory(pid: number): number {
  const text = readFileSync(`/proc/${String(pid)}/smaps_rollup`, 'utf8');
  return Number(/^Pss: +([0-9]+) kB/m.exec(text)?.[1] ?? 0);
}

const allow = { action: 'allow', source: {}, destination: {} } as const;

function policyOf(order: number): Resource {
  return {
    apiVersion: 'v1',
    kind: 'policy',
    metadata: { name: 'everywhere' },
    spec: { order, selector: 'all()', ingress: [allow], egress: [allow] },
  };
}

/** Milliseconds from the commit of a policy over all workloads until the last agent says that it is in its kernel. */
async function measurePolicy(paths: LabPaths, plan: LabPlan): Promise<void> {
  const store = await openStore(labStore(paths, plan));
  const client = createResourceClient(store);
  const times: number[] = [];
  for (let i = 0; i < CHANGES; i++) {
    await client.write([{ verb: 'apply', resource: policyOf(i) }]);
    const start = performance.now();
    const { revision } = await store.list('/calico/v1/policy/');
    await Promise.all(
      plan.hosts.map(async (_, index) => {
        while ((await statusOf(paths, plan, index)).revision < revision) await systemClock.sleep(5);
      }),
    );
    times.push(performance.now() - start);
    await systemClock.sleep(300);
  }
  await store.close();
  const sorted = times.toSorted((a, b) => a - b);
  console.log(
    `a policy over all workloads, from its commit to the last of ${String(HOSTS)} hosts: ` +
      `p50 ${(sorted[CHANGES / 2] ?? 0).toFixed(0)} ms, max ${(sorted.at(-1) ?? 0).toFixed(0)} ms of ${String(CHANGES)}`,
  );
}

const folder = mkdtempSync(join(tmpdir(), 'calico-bench-'));
const paths = { root: join(folder, 'labs'), bin: join(process.env['CALICO_ROOT'] ?? '.', 'bin') };
const plan = planLab(`bl${String(process.pid)}`, plainTopology(HOSTS, WORKLOADS));
const context = { paths, clock: systemClock, say: () => undefined };
try {
  const start = performance.now();
  await labUp(context, plan);
  const up = ((performance.now() - start) / 1000).toFixed(1);
  const meshed = await untilMeshed(plan, start);
  console.log(
    `${String(HOSTS)} hosts with ${String(WORKLOADS)} workloads each: up in ${up} s, all routes after ${meshed} s`,
  );
  const agents = plan.hosts.map(host => proportionalMemory(agentPid(host) ?? 0) / 1024);
  const total = agents.reduce((sum, each) => sum + each, 0);
  console.log(`memory of the agents: ${total.toFixed(0)} MB, ${(total / HOSTS).toFixed(0)} MB each (PSS)`);
  await measurePolicy(paths, plan);
} finally {
  const start = performance.now();
  await labDown(context, plan);
  console.log(`down in ${((performance.now() - start) / 1000).toFixed(1)} s`);
  rmSync(folder, { recursive: true, force: true });
}
