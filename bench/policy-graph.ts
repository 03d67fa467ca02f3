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

/**
 * The calculation graph of one node in a cluster of 100,000 endpoints, 100 of them local, and 2,000 policies, of
 * which each local endpoint matches a few: the whole at once, then single changes.
 */
const ENDPOINTS = 100_000;
const LOCAL = 100;
const APPS = 2_000;
const ROUNDS = 200;

function selector(text: string): Selector {
  const parsed = parseSelector(text);
  if (!parsed.ok) throw new Error(text);
  return parsed.selector;
}

function endpoint(index: number, env = 'prod'): Endpoint {
  const address = `10.${String(64 + (index >> 16))}.${String((index >> 8) & 255)}.${String(index & 255)}`;
  const app = `app-${String(index % APPS)}`;
  return {
    id: `workload:n${String(index % (ENDPOINTS / LOCAL))}/cni/w${String(index)}/eth0` as EndpointId,
    kind: 'workload',
    node: `n${String(index % (ENDPOINTS / LOCAL))}`,
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

function report(graph: PolicyGraph, what: string, changeOf: (round: number) => ModelChange): void {
  const times: number[] = [];
  let updates = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const change = changeOf(round);
    const start = performance.now();
    updates += graph.apply([change]).length;
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const [median = 0, worst = 0] = [times[ROUNDS >> 1], times.at(-1)];
  console.log(
    `${what}: median ${median.toFixed(3)} ms, worst ${worst.toFixed(1)} ms, ${String(updates)} updates in ${String(ROUNDS)} rounds`,
  );
}

const indices = (count: number) => Array.from({ length: count }, (_, index) => index);
const start: readonly ModelChange[] = [
  ...indices(ENDPOINTS).map(index => asChange.endpoint(endpoint(index))),
  ...indices(APPS).map(index => asChange.policy(policy(index))),
  ...indices(50).map(index => asChange.profile(profile(index))),
];
const graph = createPolicyGraph('n0');
const began = performance.now();
const updates = graph.apply(start);
console.log(
  `everything at once: ${(performance.now() - began).toFixed(0)} ms, ${String(updates.length)} updates, ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MiB`,
);
const flip = (round: number) => (round % 2 === 0 ? 'test' : 'prod');
report(graph, 'label of a remote endpoint', round => asChange.endpoint(endpoint(1, flip(round))));
report(graph, 'label of a local endpoint', round => asChange.endpoint(endpoint(0, flip(round))));
report(graph, 'order of an active policy', round => asChange.policy(policy(0, round + 1)));
report(graph, 'label of a profile of 2,000 endpoints', round => asChange.profile(profile(0, String(round))));
