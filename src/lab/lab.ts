import { CalicoError } from '../base/index.js';
import type { Clock } from '../base/index.js';
import { createResourceClient, openStore } from '../datastore/index.js';
import { parseResource } from '../resources/index.js';
import type { Resource } from '../resources/index.js';
import { agentPid, endProcesses, startAgent, waitUntilReady } from './agents.js';
import { attachWorkload } from './attach.js';
import { buildNamespaces, existingNamespaces, processesIn, removeNamespaces } from './namespaces.js';
import { storeDirectory } from './paths.js';
import type { LabPaths } from './paths.js';
import { LAB_POOLS } from './plan.js';
import type { LabPlan } from './plan.js';
import { readRecord, removeLabDirectory, writeRecord } from './record.js';

/** What the functions here work with; `say` gets one line for each step, in plain words. */
export interface LabContext {
  readonly paths: LabPaths;
  readonly clock: Clock;
  readonly say: (line: string) => void;
}

function labPool(cidr: string): Resource {
  const pool = { apiVersion: 'v1', kind: 'ipPool', metadata: { cidr }, spec: { 'nat-outgoing': true } };
  const parsed = parseResource(pool);
  if (!parsed.ok) throw new CalicoError('invalid', `lab pool ${cidr}`, { issues: parsed.problems });
  return parsed.resource;
}

async function createPools({ paths, clock }: LabContext, plan: LabPlan): Promise<void> {
  const store = await openStore({ type: 'sqlite', directory: storeDirectory(paths, plan) });
  try {
    const client = createResourceClient(store, { clock });
    await client.write(LAB_POOLS.map(cidr => ({ verb: 'apply', resource: labPool(cidr) })));
  } finally {
    await store.close();
  }
}

/** Starts the agents that do not run, and waits for all. How many were started. */
async function startAgents({ paths, clock, say }: LabContext, plan: LabPlan): Promise<number> {
  const missing = plan.hosts.filter(host => agentPid(host) === undefined);
  for (const host of missing) startAgent(paths, plan, host);
  await Promise.all(plan.hosts.map(async host => waitUntilReady(paths, plan, host, clock)));
  if (missing.length > 0) say(`agents ready on ${missing.map(host => host.name).join(', ')}`);
  return missing.length;
}

async function attachWorkloads({ paths, say }: LabContext, plan: LabPlan): Promise<void> {
  await Promise.all(
    plan.hosts.map(async host => {
      for (const workload of host.workloads) {
        const addresses = await attachWorkload(paths, plan, host, workload);
        if (addresses !== undefined) say(`${workload.name} on ${host.name}: ${addresses.join(', ')}`);
      }
    }),
  );
}

function samePlan(a: LabPlan, b: LabPlan): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/**
 * Brings the lab up, or heals it when it is up already: what is there stays, what is missing is added. On
 * failure a lab that was new is taken down again.
 */
export async function labUp(context: LabContext, plan: LabPlan): Promise<void> {
  const existing = await readRecord(context.paths, plan.name);
  if (existing !== undefined && !samePlan(existing, plan)) {
    throw new CalicoError(
      'already-exists',
      `lab '${plan.name}' is up with other hosts or workloads: take it down first`,
    );
  }
  const healing = existing !== undefined && existingNamespaces(plan).length > 0;
  try {
    if (!healing) {
      const foreign = existingNamespaces(plan);
      if (foreign.length > 0) {
        throw new CalicoError(
          'already-exists',
          `network namespace ${String(foreign[0])} exists and is not this lab's`,
        );
      }
      await writeRecord(context.paths, plan);
      await buildNamespaces(plan);
      context.say(`${String(plan.hosts.length)} hosts on one network, each a network namespace`);
      await createPools(context, plan);
    }
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
  await endProcesses(() => processesIn(existingNamespaces(plan)), GRACE_MS, context.clock);
  await removeNamespaces(namespaces);
  await removeLabDirectory(context.paths, plan.name);
  context.say(`lab '${plan.name}' is gone: ${String(namespaces.length)} namespaces removed`);
}
