import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLogger, systemClock } from '../../src/base/index.js';
import { createNftApplier, createNftDataplane } from '../../src/dataplane/index.js';
import type { NftDataplane } from '../../src/dataplane/index.js';
import { createPolicyGraph } from '../../src/policy/index.js';
import type { ModelChange, Policy } from '../../src/policy/index.js';
import { createTestNet } from '../support/netns.js';
import { endpoint, policy, profile, rule, selector } from '../support/policy-builders.js';

const net = createTestNet();

beforeAll(async () => {
  await net.add('host');
});

afterAll(async () => {
  await net.remove();
});

const nft = async (args: readonly string[], input?: string) =>
  await net.feed('host', input ?? '', 'nft', ...args);

async function verdictFor(interfaceName: string): Promise<string | undefined> {
  const { stdout } = await nft(['list', 'map', 'inet', 'calico', 'wl-to']);
  return new RegExp(`"${interfaceName}" : (\\w+)`).exec(stdout)?.[1];
}

const allow = rule('allow', { sourceSelector: selector('has(role)') });
const put = (each: Policy): ModelChange => ({ kind: 'policy', id: each.id, policy: each });
const tiers = Array.from({ length: 16 }, (_, index) => ({
  ...policy(`deep-${String(index)}`, { selector: 'role == "deep"', ingress: [rule('pass')] }),
  tier: `tier-${String(index).padStart(2, '0')}`,
}));

function problems(driver: NftDataplane): string {
  return driver.problems.map(({ object, problem }) => `${object}: ${problem}`).join();
}

describe('objects that the kernel refuses', () => {
  test('are closed, and everything else is in force, now and with the next changes', async () => {
    const driver = createNftDataplane({
      applier: createNftApplier(nft),
      config: {},
      log: silentLogger,
      clock: systemClock,
    });
    const graph = createPolicyGraph('here');
    const endpoints = ['web', 'bad', 'deep'].map(role => endpoint(role, { labels: { role } }));
    await driver.start();
    await driver.apply(
      graph.apply([
        ...endpoints.map(each => ({ kind: 'endpoint', id: each.id, endpoint: each }) as const),
        put(policy('good', { selector: 'role == "web"', ingress: [allow] })),
        // No number of a protocol, so that not even its text can be made.
        put(policy('bad', { selector: 'role == "bad"', ingress: [rule('allow', { protocol: 300 })] })),
        // However many tiers: they need no more chains in a row than two.
        ...tiers.map(put),
      ]),
    );
    expect(driver.problems).toHaveLength(1);
    expect(problems(driver)).toMatch(/policy bad: .*denies everything/);
    expect(await verdictFor('caliweb')).toBe('goto');
    expect(await verdictFor('calibad')).toBe('goto');
    expect(await verdictFor('calideep')).toBe('goto');
    const { stdout } = await nft(['list', 'table', 'inet', 'calico']);
    expect(stdout).toMatch(/goto drop-denied-by-rule comment "bad#0/);
    expect(stdout).toMatch(/return comment "deep-0#0/);

    const open = profile('open', { ingress: [rule('allow')] });
    await driver.apply(
      graph.apply([
        { kind: 'profile', id: open.id, profile: open },
        put(policy('bad', { selector: 'role == "bad"', ingress: [rule('allow', { protocol: 6 })] })),
      ]),
    );
    expect(problems(driver)).not.toMatch(/policy bad/);
    await driver.stop();
  });
});
