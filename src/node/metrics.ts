import type { Count, NftDataplane } from '../dataplane/index.js';
import type { ClusterWatch } from './cluster-watch.js';
import type { Measurements, Timed } from './measurements.js';

/** Where the numbers are. What is not there yet counts as nothing. */
export interface MetricSources {
  readonly node: string;
  readonly measurements: Measurements;
  readonly cluster: () => ClusterWatch | undefined;
  readonly isInSync: () => boolean;
  readonly datastoreAnswers: () => Promise<boolean>;
  /** how many host routes of ours the kernel has */
  readonly routes: () => number;
  readonly loggedErrors: () => number;
  /** of our table; undefined while there is none */
  readonly table: () => ReturnType<NftDataplane['size']> | undefined;
  /** what was dropped, by reason */
  readonly drops: () => Promise<ReadonlyMap<string, Count>>;
}

/** Sources with what had to be waited for. */
interface Now extends MetricSources {
  dropped: ReadonlyMap<string, Count>;
  answers: boolean;
}

/** Everything that can be told, in the text format of Prometheus. */
export interface Metrics {
  readonly contentType: string;
  text(): Promise<string>;
}

type Sample = readonly (readonly [value: number, labels?: Readonly<Record<string, string>>])[];
type Read = (sources: Now) => Sample;

interface Definition {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  readonly labels?: readonly string[];
  readonly read: Read;
}

const one =
  (value: (sources: Now) => number): Read =>
  sources => [[value(sources)]];

function stored(kind: Parameters<ReturnType<ClusterWatch['counts']>['get']>[0]): Read {
  return one(sources => sources.cluster()?.counts().get(kind) ?? 0);
}

function gauge(name: string, help: string, read: Read): Definition {
  return { name, help, type: 'gauge', read };
}

function counter(name: string, help: string, read: Read): Definition {
  return { name, help, type: 'counter', read };
}

/** 1 waits for the datastore, 2 reads it, 3 in sync. */
function resyncState({ answers, isInSync, cluster }: Now): number {
  if (!answers) return 1;
  if (isInSync()) return 3;
  return cluster() === undefined ? 1 : 2;
}

/** The names are the field's (policy-enforcement 11): only those whose value is the truth here. */
const definitions: readonly Definition[] = [
  { ...gauge('felix_host', 'this node', ({ node }) => [[1, { host: node }]]), labels: ['host'] },
  gauge('felix_resync_state', '1 waiting for the datastore, 2 reading it, 3 in sync', one(resyncState)),
  gauge('felix_cluster_num_hosts', 'nodes in the datastore', stored('node')),
  gauge(
    'felix_cluster_num_workload_endpoints',
    'workload endpoints in the datastore',
    stored('workloadEndpoint'),
  ),
  gauge('felix_cluster_num_host_endpoints', 'host endpoints in the datastore', stored('hostEndpoint')),
  gauge('felix_cluster_num_policies', 'policies in the datastore', stored('policy')),
  gauge('felix_cluster_num_profiles', 'profiles in the datastore', stored('profile')),
  gauge(
    'felix_cluster_num_tiers',
    'tiers of policy',
    one(() => 1),
  ),
  gauge(
    'felix_active_local_endpoints',
    'endpoints of this host',
    one(({ measurements }) => measurements.active('endpoint')),
  ),
  gauge(
    'felix_active_local_policies',
    'policies that an endpoint of this host has',
    one(({ measurements }) => measurements.active('policy')),
  ),
  gauge(
    'felix_active_local_selectors',
    'selectors and tags in rules of this host',
    one(({ measurements }) => measurements.active('set')),
  ),
  gauge(
    'felix_ipsets_calico',
    'sets of addresses of this host',
    one(({ measurements }) => measurements.active('set')),
  ),
  {
    ...counter('felix_calc_graph_updates_processed', 'changes taken in', ({ measurements }) =>
      [...measurements.changes.entries()].map(([type, count]) => [count, { type }] as const),
    ),
    labels: ['type'],
  },
  counter(
    'felix_calc_graph_output_events',
    'updates for the kernel',
    one(({ measurements }) => measurements.updates.total()),
  ),
  {
    ...counter('felix_int_dataplane_messages', 'updates for the kernel, by kind', ({ measurements }) =>
      [...measurements.updates.entries()].map(([type, count]) => [count, { type }] as const),
    ),
    labels: ['type'],
  },
  counter(
    'felix_int_dataplane_failures',
    'batches that a part of the kernel side did not take',
    one(({ measurements }) => measurements.failures),
  ),
  gauge(
    'felix_int_dataplane_initial_resync_time_seconds',
    'from the start to the first whole state in the kernel',
    one(({ measurements }) => measurements.firstApplySeconds ?? 0),
  ),
  counter(
    'felix_nft_calls',
    'transactions sent to nftables',
    one(({ measurements }) => measurements.nft.get('apply')),
  ),
  counter(
    'felix_nft_errors',
    'transactions that nftables refused',
    one(({ measurements }) => measurements.nft.get('apply-failed')),
  ),
  counter(
    'felix_nft_list_calls',
    'times our table was read back',
    one(({ measurements }) => measurements.nft.get('list')),
  ),
  counter(
    'felix_nft_list_errors',
    'times it could not be read',
    one(({ measurements }) => measurements.nft.get('list-failed')),
  ),
  ...(['chains', 'rules', 'sets', 'maps'] as const).map(what =>
    gauge(
      `felix_nft_${what}`,
      `${what} of our table`,
      one(({ table }) => table()?.[what] ?? 0),
    ),
  ),
  counter(
    'felix_resyncs_started',
    'times that the datastore was listed and a watch of it begun',
    one(({ cluster }) => cluster()?.listings ?? 0),
  ),
  gauge(
    'felix_route_table_num_routes',
    'routes to local workloads in the kernel',
    one(sources => sources.routes()),
  ),
  {
    ...counter('calico_denied_packets', 'packets that policy dropped, by reason', ({ dropped }) =>
      [...dropped].map(([reason, { packets }]) => [packets, { reason }] as const),
    ),
    labels: ['reason'],
  },
  {
    ...counter('calico_denied_bytes', 'bytes of those packets', ({ dropped }) =>
      [...dropped].map(([reason, { bytes }]) => [bytes, { reason }] as const),
    ),
    labels: ['reason'],
  },
  {
    ...counter(
      'calico_repairs',
      'what others had changed in the kernel and was put right',
      ({ measurements }) =>
        (['table', 'route', 'setting'] as const).map(
          what => [measurements.repairs.get(what), { what }] as const,
        ),
    ),
    labels: ['what'],
  },
  counter(
    'felix_log_errors',
    'errors logged',
    one(sources => sources.loggedErrors()),
  ),
];

const timed: Readonly<Record<Timed, readonly [name: string, help: string]>> = {
  calculation: ['felix_calc_graph_update_time_seconds', 'what the calculation of one batch took'],
  apply: ['felix_int_dataplane_apply_time_seconds', 'what bringing one batch into the kernel took'],
  batch: ['felix_int_dataplane_msg_batch_size', 'updates in one batch'],
};

/** Loads what makes the text; durations count from now on, all else from the start of the agent. */
export async function createMetrics(sources: MetricSources): Promise<Metrics> {
  // A CommonJS module: bundled or not, its default export is all of it.
  const { default: prometheus } = await import('prom-client');
  const { collectDefaultMetrics, Counter, Gauge, Registry, Summary } = prometheus;
  const registry = new Registry();
  const now: Now = { ...sources, dropped: new Map(), answers: false };
  collectDefaultMetrics({ register: registry });
  for (const { name, help, type, labels = [], read } of definitions) {
    const common = { name, help, labelNames: [...labels], registers: [registry] };
    if (type === 'gauge') {
      const metric: InstanceType<typeof Gauge> = new Gauge({
        ...common,
        collect: () => {
          metric.reset();
          for (const [value, values = {}] of read(now)) metric.set(values, value);
        },
      });
    } else {
      const metric: InstanceType<typeof Counter> = new Counter({
        ...common,
        collect: () => {
          metric.reset();
          for (const [value, values = {}] of read(now)) metric.inc(values, value);
        },
      });
    }
  }
  const summary = ([name, help]: readonly [string, string]): InstanceType<typeof Summary> =>
    new Summary({
      name,
      help,
      percentiles: [0.5, 0.9, 0.99],
      maxAgeSeconds: 600,
      ageBuckets: 5,
      registers: [registry],
    });
  const summaries = {
    calculation: summary(timed.calculation),
    apply: summary(timed.apply),
    batch: summary(timed.batch),
  };
  sources.measurements.onTimed((what, value) => {
    summaries[what].observe(value);
  });
  return {
    contentType: registry.contentType,
    text: async () => {
      [now.dropped, now.answers] = await Promise.all([sources.drops(), sources.datastoreAnswers()]);
      return await registry.metrics();
    },
  };
}
