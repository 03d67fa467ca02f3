import { askSocket, CalicoError } from '../../base/index.js';
import { defineCommand, formatTable, required } from '../../cli/index.js';
import { agentPid, controlSocket, requireRecord, storeDirectory } from '../../lab/index.js';
import type { LabContext, LabHost, LabPlan } from '../../lab/index.js';
import { labContext, withLabClient, workloadAddresses } from './context.js';
import { labStatusHelp } from './help.js';

interface HostStatus {
  readonly name: string;
  readonly address: string;
  /** `ready`, `not ready: …`, or `not running` */
  readonly agent: string;
  /** `2 of 2 established` */
  readonly bgp: string;
}

/** The part of the agent's answer that is shown. */
interface AgentAnswer {
  readonly ready: boolean;
  readonly reasons: readonly string[];
  readonly bgp?: { readonly peers?: readonly { readonly info: string }[]; readonly error?: string };
}

function sessions(bgp: AgentAnswer['bgp']): string {
  if (bgp?.peers === undefined) return bgp?.error ?? 'none';
  const established = bgp.peers.filter(peer => peer.info.startsWith('Established')).length;
  return `${String(established)} of ${String(bgp.peers.length)} established`;
}

async function hostStatus(context: LabContext, plan: LabPlan, host: LabHost): Promise<HostStatus> {
  const about = { name: host.name, address: host.ipv4 };
  if (agentPid(host) === undefined) return { ...about, agent: 'not running', bgp: '' };
  const { body } = await askSocket(controlSocket(context.paths, plan, host), '/status');
  // Answered by our own agent.
  const answer = JSON.parse(body) as AgentAnswer;
  const agent = answer.ready ? 'ready' : `not ready: ${answer.reasons.join('; ')}`;
  return { ...about, agent, bgp: sessions(answer.bgp) };
}

export const labStatusCommand = defineCommand({
  path: ['lab', 'status'],
  help: labStatusHelp,
  options: { output: required('--output'), name: required('--name') },
  run: async services => {
    const { options, out } = services;
    if (!['ps', 'json'].includes(options.output)) {
      throw new CalicoError('invalid', `unrecognized output format '${options.output}'`);
    }
    const context = labContext(services);
    const plan = await requireRecord(context.paths, options.name);
    const hosts = await Promise.all(plan.hosts.map(async host => hostStatus(context, plan, host)));
    const addresses = await withLabClient(context, plan, workloadAddresses);
    const workloads = plan.hosts.flatMap(host =>
      host.workloads.map(({ name, labels }) => ({
        name,
        host: host.name,
        addresses: addresses.get(name) ?? [],
        labels,
      })),
    );
    if (options.output === 'json') {
      const store = storeDirectory(context.paths, plan);
      out.line(JSON.stringify({ name: plan.name, store, hosts, workloads }, undefined, 2));
      return 0;
    }
    out.text(
      formatTable(
        ['HOST', 'ADDRESS', 'AGENT', 'BGP SESSIONS'],
        hosts.map(host => [host.name, host.address, host.agent, host.bgp]),
      ),
    );
    out.text(
      formatTable(
        ['WORKLOAD', 'HOST', 'ADDRESSES', 'LABELS'],
        workloads.map(workload => [
          workload.name,
          workload.host,
          workload.addresses.join(','),
          Object.entries(workload.labels)
            .map(([key, value]) => `${key}=${value}`)
            .join(','),
        ]),
      ),
    );
    return 0;
  },
});
