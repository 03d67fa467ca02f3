import { messageOf } from '../base/index.js';
import type { Clock, HttpAnswer, HttpHandler } from '../base/index.js';
import type {
  Count,
  EndpointPlumbing,
  HostEndpointStates,
  NftDataplane,
  ObjectProblem,
  RepairKind,
} from '../dataplane/index.js';
import type { Store } from '../datastore/index.js';
import type { HostNetwork } from '../netlink/index.js';
import type { EndpointId, LocalEndpoint } from '../policy/index.js';
import type { ClusterWatch } from './cluster-watch.js';
import type { AgentConfig } from './config.js';
import type { FelixSettings } from './felix-config/index.js';
import type { Measurements } from './measurements.js';
import type { PolicySync } from './policy-sync.js';
import { notReady } from './start-policy.js';
import type { Routes } from './start-routes.js';

/** An endpoint of this host as it is in the kernel. */
export interface EndpointStatus {
  readonly id: string;
  /** undefined while it is not known yet */
  readonly state: 'up' | 'down' | 'error' | undefined;
  readonly reason?: string;
  readonly interface?: string;
  readonly addresses: readonly string[];
  /** in order of evaluation; without any the profiles decide */
  readonly policies: { readonly ingress: readonly string[]; readonly egress: readonly string[] };
  /** of a host endpoint, those that decide at other points than to and from the host itself */
  readonly stages?: Readonly<Record<string, EndpointStatus['policies']>>;
  readonly profiles: readonly string[];
  /** what went to it and came from it since its interface was made; absent without one */
  readonly traffic?: { readonly in: Count; readonly out: Count };
}

/** What the agent says of itself on its control socket (`GET /status`). */
export interface AgentStatus {
  readonly node: string;
  readonly pid: number;
  readonly uptimeSeconds: number;
  /** true once everything that existed at the start is in the kernel */
  readonly ready: boolean;
  /** why it is not ready, or what is wrong though it is: each as a sentence */
  readonly reasons: readonly string[];
  /** those of them that are about one object, which is not in force as it is stored */
  readonly problems: readonly ObjectProblem[];
  /** datastore revision that the kernel corresponds to */
  readonly revision: number;
  readonly datastore: {
    readonly type: string;
    /** it answered just now */
    readonly answers: boolean;
    readonly error?: string;
  };
  readonly endpoints: readonly EndpointStatus[];
  /** addresses of the host's own interfaces, by name */
  readonly interfaces: Readonly<Record<string, readonly string[]>>;
  /** what was dropped since our table was made, by reason */
  readonly drops: Readonly<Record<string, Count>>;
  /** how often what somebody else had changed was put right since the agent started: our table, a route, a setting */
  readonly repairs: Readonly<Record<RepairKind, number>>;
  /** each parameter that is not at its default */
  readonly config: Readonly<Record<string, { readonly value: string; readonly from: string }>>;
  /** sessions and routes of the BGP daemon; absent in policy-only mode */
  readonly bgp?: unknown;
}

/** What the status is made of; grows while the agent starts. */
export interface AgentState {
  readonly network: HostNetwork;
  readonly config: AgentConfig;
  readonly clock: Clock;
  readonly settings: FelixSettings;
  readonly measurements: Measurements;
  /** why it is not ready, until it is */
  waiting: string;
  /** what does not listen though it should */
  silent: () => readonly string[];
  /** the datastore says that it may not be used */
  isHeld: boolean;
  nft?: NftDataplane;
  store?: Store;
  cluster?: ClusterWatch;
  sync?: PolicySync;
  routes?: Routes;
  plumbing?: EndpointPlumbing;
  hostStates?: HostEndpointStates;
}

const PATIENCE_MS = 1_000;

/** A key that every store can look for, and that need not be there. */
const PROBE_KEY = '/calico/v1/Ready';

/** Whether the datastore answers just now. */
export async function datastoreStatus({
  config,
  clock,
  store,
}: AgentState): Promise<AgentStatus['datastore']> {
  const { type } = config.store;
  if (store === undefined) return { type, answers: false, error: 'not opened yet' };
  try {
    const late = clock.sleep(PATIENCE_MS).then(() => {
      throw new Error(`no answer within ${String(PATIENCE_MS)} ms`);
    });
    await Promise.race([store.get(PROBE_KEY), late]);
    return { type, answers: true };
  } catch (error) {
    return { type, answers: false, error: messageOf(error) };
  }
}

function policiesOf(tiers: LocalEndpoint['tiers']): EndpointStatus['policies'] {
  return { ingress: tiers.flatMap(tier => tier.ingress), egress: tiers.flatMap(tier => tier.egress) };
}

/** The other end of a workload's link counts the other way round. */
function trafficOf(
  { endpoint }: LocalEndpoint,
  links: ReturnType<HostNetwork['traffic']>,
): EndpointStatus['traffic'] {
  const found = links.get(endpoint.interfaceName ?? '');
  if (found === undefined) return undefined;
  const { received, sent } = found;
  return endpoint.kind === 'workload' ? { in: sent, out: received } : { in: received, out: sent };
}

function endpointStatus(
  id: EndpointId,
  { plumbing, hostStates }: AgentState,
  local: LocalEndpoint,
  links: ReturnType<HostNetwork['traffic']>,
): EndpointStatus {
  const traffic = trafficOf(local, links);
  const stages = Object.entries(local.stages ?? {}).map(
    ([stage, tiers]) => [stage, policiesOf(tiers)] as const,
  );
  const state = plumbing?.states().get(id) ?? hostStates?.states().get(id);
  const { interfaceName, addresses, profiles } = local.endpoint;
  return {
    id,
    state: state?.state,
    ...(state !== undefined && 'reason' in state ? { reason: state.reason } : {}),
    ...(interfaceName === undefined ? {} : { interface: interfaceName }),
    addresses,
    policies: policiesOf(local.tiers),
    ...(stages.length > 0 && { stages: Object.fromEntries(stages) }),
    profiles,
    ...(traffic !== undefined && { traffic }),
  };
}

/** What the kernel has dropped for us; nothing where it cannot be asked, which other lines tell. */
export async function dropsOf({ nft }: Pick<AgentState, 'nft'>): Promise<ReadonlyMap<string, Count>> {
  return (await nft?.drops().catch(() => undefined)) ?? new Map();
}

function problemsOf({ cluster, sync, routes, silent, settings, isHeld }: AgentState): readonly string[] {
  const lost = cluster?.trouble;
  return [
    ...(isHeld ? [notReady] : []),
    ...(lost === undefined ? [] : [`the datastore cannot be watched: ${lost}`]),
    ...(sync?.problems ?? []).map(({ object, problem }) => `${object}: ${problem}`),
    ...(routes?.problems() ?? []),
    ...silent(),
    ...settings.problems,
  ];
}

/** Health needs no more than this, and nothing outside the process is asked for it. */
function readiness(state: AgentState): Pick<AgentStatus, 'ready' | 'reasons'> {
  const { sync } = state;
  const problems = problemsOf(state);
  return {
    ready: sync?.ready ?? false,
    reasons: sync === undefined ? [state.waiting, ...problems] : problems,
  };
}

async function statusOf(state: AgentState): Promise<AgentStatus> {
  const { config, clock, settings, measurements, sync, routes } = state;
  const [datastore, drops, bgp] = await Promise.all([
    datastoreStatus(state),
    dropsOf(state),
    // A daemon that does not answer must not silence the rest.
    routes?.bgpStatus?.().catch((error: unknown) => ({ error: messageOf(error) })),
  ]);
  const { ready, reasons } = readiness(state);
  const links = state.network.traffic();
  const { answers, error = '' } = datastore;
  // Before it is ready it says itself what it waits for.
  const lost = ready && !answers ? [`the datastore does not answer; what is in force stays: ${error}`] : [];
  return {
    node: config.nodeName,
    pid: process.pid,
    uptimeSeconds: Math.round((clock.monotonic() - measurements.startedAt) / 1000),
    ready,
    reasons: [...reasons, ...lost],
    problems: sync?.problems ?? [],
    revision: sync?.revision ?? 0,
    datastore,
    endpoints: [...(sync?.locals ?? [])].map(([id, local]) => endpointStatus(id, state, local, links)),
    interfaces: Object.fromEntries(state.hostStates?.interfaces() ?? []),
    drops: Object.fromEntries(drops),
    repairs: {
      table: measurements.repairs.get('table'),
      route: measurements.repairs.get('route'),
      setting: measurements.repairs.get('setting'),
    },
    config: settings.describe(),
    ...(bgp === undefined ? {} : { bgp }),
  };
}

/**
 * `/live`, `/liveness`: the process answers. `/ready`, `/readiness`: the host is programmed, else 503 and why.
 * `/status`: all of it.
 */
export function statusHandler(state: AgentState): HttpHandler {
  return async (method, path): Promise<HttpAnswer | undefined> => {
    if (method !== 'GET') return undefined;
    switch (path) {
      case '/live':
      case '/liveness':
        return { status: 200, type: 'text/plain', body: 'live\n' };
      case '/ready':
      case '/readiness': {
        const { ready, reasons } = readiness(state);
        return ready
          ? { status: 200, type: 'text/plain', body: 'ready\n' }
          : { status: 503, type: 'text/plain', body: `${reasons.join('\n')}\n` };
      }
      case '/status':
        return {
          status: 200,
          type: 'application/json',
          body: `${JSON.stringify(await statusOf(state), undefined, 2)}\n`,
        };
      default:
        return undefined;
    }
  };
}
