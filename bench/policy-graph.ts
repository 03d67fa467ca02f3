import { createPolicyGraph } from '../src/policy/index.js';
import { parseSelector } from '../src/selector/index.js';
import type {
  Endpoint,
  EndpointId,
  ModelChange,
  Policy,
  PolicyId,
  PolicyGraph,
  Profile,
  ProfileId,
} from '../src/policy/index.js';
import type { Selector } from '../src/selector/index.js';
import { oneCpu } from './support/cpu-time.js';
import type { CpuTime } from './support/cpu-time.js';
import { median, quantile } from './support/statistics.js';

/**
 * The calculation graph of one node in clusters of 1,000, 10,000 and 100,000 endpoints, 100 of them local, and 2,000
 * policies, of which each local endpoint matches a few: the whole at once, then single changes. The processor time of
 * a change must not grow with the cluster. Profiles have 2,000 endpoints each in the largest, and fewer in the others.
 */
const SIZES = [1_000, 10_000, 100_000];
const LOCAL = 100;
const APPS = 2_000;
const ROUNDS = 200;

function selector(text: string): Selector {
  const parsed = parseSelector(text);
  if (!parsed.ok) throw new Error(text);
  return parsed.selector;
}

function endpoint(size: number, index: number, env = 'prod'): Endpoint {
  const node = `n${String(index % (size / LOCAL))}`;
  const address = `10.${String(64 + (index >> 16))}.${String((index >> 8) & 255)}.${String(index & 255)}`;
  const app = `app-${String(index % APPS)}`;
  return {
    id: `workload:${node}/cni/w${String(index)}/eth0` as EndpointId,
    kind: 'workload',
    node,
    labels: { app, env, tier: `t${String(index % 5)}`, pod: `w${String(index)}` },
    profiles: [`p${String(index % 50)}` as ProfileId],
    addresses: [address],
    interfaceName: `cali${String(index)}`,
    adminUp: true,
  };
}

function policy(index: number, order = index): Policy {
  const [self, peer] = [index, index + 1].map(app => `app == "app-${String(app % APPS)}"`);
  return {
    id: `policy-${String(index)}` as PolicyId,
    tier: 'default',
    order,
    selector: selector(self ?? ''),
    types: ['ingress', 'egress'],
    ingress: [{ action: 'allow', match: { sourceSelector: selector(`${peer ?? ''} && env == "prod"`) } }],
    egress: [{ action: 'allow', match: { destinationSelector: selector('tier == "t1"') } }],
  };
}

function profile(index: number, label = ''): Profile {
  return { id: `p${String(index)}` as ProfileId, tags: [], labels: { team: label }, ingress: [], egress: [] };
}

const asChange = {
  endpoint: (value: Endpoint): ModelChange => ({ kind: 'endpoint', id: value.id, endpoint: value }),
  policy: (value: Policy): ModelChange => ({ kind: 'policy', id: value.id, policy: value }),
  profile: (value: Profile): ModelChange => ({ kind: 'profile', id: value.id, profile: value }),
};

interface Case {
  readonly what: string;
  readonly changeOf: (round: number) => ModelChange;
}

function report(cpu: CpuTime, graph: PolicyGraph, { what, changeOf }: Case): void {
  const times: number[] = [];
  let updates = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const change = changeOf(round);
    const start = cpu();
    updates += graph.apply([change]).length;
    times.push((cpu() - start) / 1e3);
  }
  console.log(
    `  ${what}: p50 ${median(times).toFixed(3)} ms, p99 ${quantile(times, 0.99).toFixed(1)} ms of processor time, ` +
      `${String(updates)} updates in ${String(ROUNDS)} rounds`,
  );
}

const indices = (count: number) => Array.from({ length: count }, (_, index) => index);
const flip = (round: number) => (round % 2 === 0 ? 'test' : 'prod');

function measure(cpu: CpuTime, size: number): void {
  const start: readonly ModelChange[] = [
    ...indices(size).map(index => asChange.endpoint(endpoint(size, index))),
    ...indices(APPS).map(index => asChange.policy(policy(index))),
    ...indices(50).map(index => asChange.profile(profile(index))),
  ];
  const graph = createPolicyGraph('n0');
  const began = cpu();
  const updates = graph.apply(start);
  console.log(
    `${String(size)} endpoints at once: ${((cpu() - began) / 1e3).toFixed(0)} ms, ${String(updates.length)} updates, ` +
      `${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MiB`,
  );
  const cases: readonly Case[] = [
    {
      what: 'label of a remote endpoint (target 5 ms)',
      changeOf: round => asChange.endpoint(endpoint(size, 1, flip(round))),
    },
    {
      what: 'label of a local endpoint (target 5 ms)',
      changeOf: round => asChange.endpoint(endpoint(size, 0, flip(round))),
    },
    { what: 'order of an active policy', changeOf: round => asChange.policy(policy(0, round + 1)) },
    {
      what: `label of a profile of ${String(size / 50)} endpoints`,
      changeOf: round => asChange.profile(profile(0, String(round))),
    },
  ];
  for (const each of cases) report(cpu, graph, each);
}

const cpu = await oneCpu(0);
for (const size of SIZES) measure(cpu, size);
