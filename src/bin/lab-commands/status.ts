import { askSocket, CalicoError, messageOf } from '../../base/index.js';
import { defineCommand, formatTable, required } from '../../cli/index.js';
import {
  agentPid,
  controlSocket,
  faultText,
  linksNamed,
  readFaults,
  requireRecord,
  routerSessions,
  storeEnvironment,
} from '../../lab/index.js';
import type { LabContext, LabHost, LabPlan, LabRouter, LinkFault } from '../../lab/index.js';
import { labContext, withLabClient, workloadAddresses } from './context.js';
import { labStatusHelp } from './help.js';

interface HostStatus {
  readonly name: string;
  readonly address: string;
  /** `up`, `cut`, `loses 10%` */
  readonly link: string;
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

type Faults = Readonly<Record<string, LinkFault>>;

async function hostStatus(
  context: LabContext,
  { plan, faults }: { readonly plan: LabPlan; readonly faults: Faults },
  host: LabHost,
): Promise<HostStatus> {
  const about = { name: host.name, address: host.ipv4, link: faultText(faults[host.port]) };
  if (agentPid(host) === undefined) return { ...about, agent: 'not running', bgp: '' };
  try {
    const { body } = await askSocket(controlSocket(context.paths, plan, host), '/status');
    // Answered by our own agent.
    const answer = JSON.parse(body) as AgentAnswer;
    const agent = answer.ready ? 'ready' : `not ready: ${answer.reasons.join('; ')}`;
    return { ...about, agent, bgp: sessions(answer.bgp) };
  } catch (error) {
    return { ...about, agent: `no answer: ${messageOf(error)}`, bgp: '' };
  }
}

interface RouterStatus {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly links: readonly string[];
  /** `FRR, AS 65001` */
  readonly daemon: string;
  readonly bgp: string;
}

async function routerStatus(
  context: LabContext,
  { plan, faults }: { readonly plan: LabPlan; readonly faults: Faults },
  router: LabRouter,
): Promise<RouterStatus> {
  const found = await routerSessions(context.paths, plan, router);
  const { bgp } = router;
  return {
    name: router.name,
    addresses: router.links.map(link => link.ipv4),
    links: linksNamed(plan, router.name).map(({ port }) => faultText(faults[port])),
    daemon:
      bgp === undefined ? 'none' : `${bgp.daemon === 'bird' ? 'BIRD' : 'FRR'}, AS ${String(bgp.asNumber)}`,
    bgp: found === undefined ? '' : `${String(found.established)} established`,
  };
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
    const now = { plan, faults: await readFaults(context.paths, plan) };
    const hosts = await Promise.all(plan.hosts.map(async host => hostStatus(context, now, host)));
    const routers = await Promise.all(plan.routers.map(async each => routerStatus(context, now, each)));
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
      const environment = storeEnvironment(context.paths, plan);
      out.line(JSON.stringify({ name: plan.name, environment, hosts, routers, workloads }, undefined, 2));
      return 0;
    }
    out.text(
      formatTable(
        ['HOST', 'ADDRESS', 'LINK', 'AGENT', 'BGP SESSIONS'],
        hosts.map(host => [host.name, host.address, host.link, host.agent, host.bgp]),
      ),
    );
    if (routers.length > 0) {
      out.text(
        formatTable(
          ['ROUTER', 'ADDRESSES', 'LINKS', 'DAEMON', 'BGP SESSIONS'],
          routers.map(each => [each.name, each.addresses.join(), each.links.join(), each.daemon, each.bgp]),
        ),
      );
    }
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
