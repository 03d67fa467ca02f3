import { silentLogger, systemClock } from '../src/base/index.js';
import { createNetlinkNftApplier, createNftDataplane } from '../src/dataplane/index.js';
import { createPolicyGraph } from '../src/policy/index.js';
import type { ModelChange } from '../src/policy/index.js';
import { createTestNet } from '../test/support/netns.js';
import { median, quantile } from './support/statistics.js';
import { endpoint, policy, rule } from '../test/support/policy-builders.js';

/** From the calculation graph into the kernel: 1,000 endpoints with 100 policies at once, and one endpoint more. */
const net = createTestNet();

function policies(count: number): readonly ModelChange[] {
  return Array.from({ length: count }, (_, index) => {
    const destinationPorts = [{ min: 10_000 + index, max: 10_000 + index }];
    const rules = [rule('allow', { protocol: 6, destinationPorts })];
    const each = policy(`p${String(index).padStart(4, '0')}`, {
      order: index,
      ingress: rules,
      egress: rules,
    });
    return { kind: 'policy', id: each.id, policy: each };
  });
}

const workload = (name: string, address: string): ModelChange => {
  const value = endpoint(name, { addresses: [address] });
  return { kind: 'endpoint', id: value.id, endpoint: value };
};

async function dataplane() {
  const applier = await createNetlinkNftApplier({ netns: net.path('host') });
  return createNftDataplane({ applier, config: {}, log: silentLogger, clock: systemClock });
}

async function oneAmongThousand(): Promise<void> {
  const driver = await dataplane();
  const graph = createPolicyGraph('here');
  const at = (index: number): ModelChange =>
    workload(String(index), `10.66.${String(index >> 8)}.${String(index & 255)}`);
  const many = Array.from({ length: 1_000 }, (_, index) => at(index));
  const start = performance.now();
  await driver.apply(graph.apply([...many, ...policies(100)]));
  console.log(`1,000 endpoints and 100 policies at once: ${(performance.now() - start).toFixed(0)} ms`);
  const times: number[] = [];
  for (let index = 1_000; index < 1_300; index += 1) {
    const before = performance.now();
    await driver.apply(graph.apply([at(index)]));
    times.push(performance.now() - before);
  }
  console.log(
    `one endpoint more, graph to kernel: p50 ${median(times).toFixed(2)} ms, p99 ${quantile(times, 0.99).toFixed(2)} ms of ${String(times.length)}`,
  );
  await driver.cleanup();
}

try {
  await net.add('host');
  await oneAmongThousand();
} finally {
  await net.remove();
}
