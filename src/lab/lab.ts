import { CalicoError } from '../base/index.js';
import { createResourceClient, openStore } from '../datastore/index.js';
import { parseResource } from '../resources/index.js';
import type { Resource } from '../resources/index.js';
import { agentPid, startAgent, waitUntilReady } from './agents.js';
import { attachWorkload } from './attach.js';
import type { LabContext } from './context.js';
import { endProcesses } from './end-processes.js';
import { startEtcd } from './etcd.js';
import { buildNamespaces, existingNamespaces, namespacesOf, removeNamespaces } from './namespaces.js';
import { requirePackages } from './packages.js';
import { labStore } from './paths.js';
import type { LabHost, LabPlan } from './plan.js';
import { connectHost } from './power.js';
import { processesOf } from './processes.js';
import { isBuilt, markBuilt, readRecord, removeLabDirectory, writeRecord } from './record.js';
import { removeRouterFiles, startRouter } from './routers.js';
import { forEach, throwIfInterrupted } from './until.js';

function labPool(cidr: string): Resource {
  const pool = { apiVersion: 'v1', kind: 'ipPool', metadata: { cidr }, spec: { 'nat-outgoing': true } };
  const parsed = parseResource(pool);
  if (!parsed.ok) throw new CalicoError('invalid', `lab pool ${cidr}`, { issues: parsed.problems });
  return parsed.resource;
}

/**
 * The nodes are known before their agents start, unless the topology has them: otherwise each agent that comes would
 * make all the others configure their BGP daemons anew.
 */
function nodesOf({ hosts, resources }: LabPlan): readonly Resource[] {
  const given = new Set(resources.flatMap(each => (each.kind === 'node' ? [each.metadata.name] : [])));
  return hosts
    .filter(({ name }) => !given.has(name))
    .map(({ name, ipv4, ipv6 }) => ({
      apiVersion: 'v1',
      kind: 'node',
      metadata: { name },
      spec: { bgp: { ipv4Address: ipv4, ipv6Address: ipv6 } },
    }));
}

async function writeResources(context: LabContext, plan: LabPlan): Promise<void> {
  const store = await openStore(labStore(context.paths, plan));
  try {
    const client = createResourceClient(store, context);
    const resources = [...plan.pools.map(labPool), ...nodesOf(plan), ...plan.resources];
    await client.write(resources.map(resource => ({ verb: 'apply', resource })));
  } finally {
    await store.close();
  }
}

/** Names, or how many where they are more than a line has room for. */
function namesOf(hosts: readonly LabHost[]): string {
  return hosts.length > 10 ? count(hosts, 'host') : hosts.map(host => host.name).join(', ');
}

/** Agents that start at the same time: more would only wait for each other's turn on the processors. */
const STARTING_AT_ONCE = 6;

/** Workloads that are attached at the same time: what agents hear together, they take in together. */
const ATTACHING_AT_ONCE = 25;

/** Starts the agents that do not run, and waits for all. */
async function startAgents(context: LabContext, plan: LabPlan): Promise<void> {
  const missing = plan.hosts.filter(host => agentPid(host) === undefined);
  await forEach(plan.hosts, STARTING_AT_ONCE, async host => {
    throwIfInterrupted(context.signal);
    if (missing.includes(host)) startAgent(context.paths, plan, host);
    await waitUntilReady(context, plan, host);
  });
  if (missing.length > 0) context.say(`agents ready on ${namesOf(missing)}`);
}

async function attachWorkloads({ paths, say, signal }: LabContext, plan: LabPlan): Promise<void> {
  await forEach(plan.hosts, ATTACHING_AT_ONCE, async host => {
    for (const workload of host.workloads) {
      throwIfInterrupted(signal);
      const addresses = await attachWorkload(paths, plan, host, workload);
      if (addresses !== undefined) say(`${workload.name} on ${host.name}: ${addresses.join(', ')}`);
    }
  });
}

function samePlan(a: LabPlan, b: LabPlan): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function count(items: readonly unknown[], noun: string): string {
  return `${String(items.length)} ${noun}${items.length === 1 ? '' : 's'}`;
}

/** `3 hosts on one network`, `2 hosts on 2 networks and 1 router`. */
function summary({ hosts, networks, routers }: LabPlan): string {
  const on = networks.length === 1 ? 'one network' : count(networks, 'network');
  const between = routers.length === 0 ? '' : ` and ${count(routers, 'router')}`;
  return `${count(hosts, 'host')} on ${on}${between}, each a network namespace`;
}

/** The namespaces, the datastore and its first content; `isBuilt` says so once all of it is there. */
async function build(context: LabContext, plan: LabPlan): Promise<void> {
  await writeRecord(context.paths, plan);
  await buildNamespaces(plan);
  context.say(summary(plan));
  await startEtcd(context, plan);
  await writeResources(context, plan);
  await markBuilt(context.paths, plan.name);
}

/** True when the lab is there as planned; what is left of one that was cut short is removed first. */
async function isUp(context: LabContext, plan: LabPlan): Promise<boolean> {
  const existing = await readRecord(context.paths, plan.name);
  const present = existingNamespaces(existing ?? plan);
  if (existing === undefined) {
    if (present.length === 0) return false;
    throw new CalicoError(
      'already-exists',
      `network namespace ${String(present[0])} exists and is not this lab's`,
    );
  }
  if (!samePlan(existing, plan)) {
    throw new CalicoError(
      'already-exists',
      `lab '${plan.name}' is up with another topology: take it down first (calicoctl lab down)`,
    );
  }
  if (isBuilt(context.paths, plan.name) && present.length === namespacesOf(plan).length) return true;
  context.say(`lab '${plan.name}' is there in part only, and is built anew`);
  await labDown(context, plan);
  return false;
}

/**
 * Brings the lab up, or heals it when it is up already: what is there stays, what is missing is added. On
 * failure a lab that was new is taken down again.
 */
export async function labUp(context: LabContext, plan: LabPlan): Promise<void> {
  requirePackages(plan);
  const healing = await isUp(context, plan);
  try {
    if (healing) await startEtcd(context, plan);
    else await build(context, plan);
    for (const host of plan.hosts) if (agentPid(host) === undefined) await connectHost(context, plan, host);
    await Promise.all(plan.routers.map(async router => await startRouter(context, plan, router)));
    await startAgents(context, plan);
    await attachWorkloads(context, plan);
  } catch (error) {
    if (!healing) await labDown(context, plan);
    throw error;
  }
}

const GRACE_MS = 3_000;

/** Removes everything of the lab: processes, namespaces, files. What is not there is no error. */
export async function labDown(context: LabContext, plan: LabPlan): Promise<void> {
  const namespaces = existingNamespaces(plan);
  await endProcesses(() => processesOf(context.paths, plan), GRACE_MS, context.clock);
  await removeNamespaces(namespaces);
  await removeRouterFiles(context.paths, plan);
  await removeLabDirectory(context.paths, plan.name);
  context.say(`lab '${plan.name}' is gone: ${count(namespaces, 'namespace')} removed`);
}
