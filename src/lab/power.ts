import { agentPid, startAgent, waitUntilReady } from './agents.js';
import type { LabContext } from './context.js';
import { endProcesses } from './end-processes.js';
import { NO_FAULT, readFaults, setFault } from './faults.js';
import { processesIn } from './processes.js';
import type { LabHost, LabPlan } from './plan.js';

/**
 * A host fails: its cable is dead, and every process on it and in its workloads ends without a last word. What
 * is in its kernel stays, so that it can come back with the same workloads.
 */
export async function stopHost(context: LabContext, plan: LabPlan, host: LabHost): Promise<void> {
  const faults = await readFaults(context.paths, plan);
  await setFault(context, { plan, link: host }, { ...NO_FAULT, ...faults[host.port], cut: true });
  const namespaces = [host.netns, ...host.workloads.map(workload => workload.netns)];
  await endProcesses(() => processesIn(namespaces), 0, context.clock);
}

/** The host comes back: the cable works, and its agent starts; waits until it is ready. */
export async function startHost(context: LabContext, plan: LabPlan, host: LabHost): Promise<void> {
  await connectHost(context, plan, host);
  if (agentPid(host) === undefined) startAgent(context.paths, plan, host);
  await waitUntilReady(context, plan, host);
}

/** Takes away the cut of a host's link, and leaves other faults of it. */
export async function connectHost(context: LabContext, plan: LabPlan, host: LabHost): Promise<void> {
  const fault = (await readFaults(context.paths, plan))[host.port];
  if (fault?.cut === true) await setFault(context, { plan, link: host }, { ...fault, cut: false });
}
