import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../base/index.js';
import type { LogFields, Logger } from '../base/index.js';
import { createResourceClient, openStore } from '../datastore/index.js';
import type { Store } from '../datastore/index.js';
import { createPolicyGraph } from '../policy/index.js';
import type { ObjectProblem } from '../dataplane/index.js';
import type { DataplaneUpdate } from '../policy/index.js';
import { Measurements } from './measurements.js';
import { PolicySync } from './policy-sync.js';
import { Programmed } from './programmed.js';

const endpointKey = '/calico/v1/host/here/workload/cni/w/endpoint/eth0';
const endpointId = 'workload:here/cni/w/eth0';
const goodEndpoint = JSON.stringify({
  state: 'active',
  name: 'cali1',
  mac: null,
  profile_ids: ['web'],
  ipv4_nets: ['10.65.0.1/32'],
  ipv6_nets: [],
  labels: { role: 'web' },
});
const policyKey = (name: string): string => `/calico/v1/policy/tier/default/policy/${name}`;
const denyAll = JSON.stringify({
  order: 1,
  selector: "role == 'web'",
  inbound_rules: [{ action: 'deny' }],
  outbound_rules: [],
});

/** A real store, its watch, and what reaches the kernel's side. */
class World {
  readonly updates: DataplaneUpdate[] = [];
  readonly errors: (LogFields | undefined)[] = [];
  readonly sync: PolicySync;
  readonly programmed = new Programmed();
  readonly measurements = new Measurements(0);
  readonly #store: Store;
  readonly #abort = new AbortController();
  #following: Promise<void> | undefined;
  #marks = 0;
  failing: string | undefined;
  readonly refused: ObjectProblem[] = [];

  constructor(store: Store) {
    this.#store = store;
    const log: Logger = {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: (_message, fields) => this.errors.push(fields),
      with: () => log,
    };
    const kernel = {
      problems: this.refused,
      apply: async (updates: readonly DataplaneUpdate[]): Promise<void> => {
        await Promise.resolve();
        if (this.failing !== undefined) throw new Error(this.failing);
        this.updates.push(...updates);
      },
    };
    this.sync = new PolicySync({
      graph: createPolicyGraph('here'),
      dataplanes: [{ name: 'kernel', dataplane: kernel }],
      programmed: this.programmed,
      measurements: this.measurements,
      clock: systemClock,
      log,
    });
  }

  start(): void {
    this.#following = (async () => {
      for await (const event of createResourceClient(this.#store).watch({ signal: this.#abort.signal })) {
        await this.sync.handle(event);
      }
    })();
  }

  /** Writes, and waits until all of it has been handled. */
  async put(values: Readonly<Record<string, string | undefined>>): Promise<void> {
    const mark = `mark${String(++this.#marks)}`;
    const writes = Object.entries({ ...values, [`/calico/v1/config/${mark}`]: 'x' }).map(([key, value]) =>
      value === undefined ? ({ kind: 'delete', key } as const) : ({ kind: 'put', key, value } as const),
    );
    const result = await this.#store.commit({ writes });
    const revision = result.committed ? result.revision : Infinity;
    await vi.waitUntil(() => this.sync.revision >= revision, { interval: 5, timeout: 10_000 });
  }

  /** Of the last update of the endpoint: the policies on its way in; undefined when it was removed or never told. */
  ingress(): readonly string[] | undefined {
    const last = this.updates.findLast(
      update =>
        (update.kind === 'endpoint-updated' || update.kind === 'endpoint-removed') &&
        update.id === endpointId,
    );
    return last?.kind === 'endpoint-updated' ? last.local.tiers.flatMap(tier => tier.ingress) : undefined;
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#following;
  }
}

let directory: string;
let store: Store;
let world: World;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'calico-policy-sync-'));
  store = await openStore({ type: 'sqlite', directory, synchronous: 'normal' });
  world = new World(store);
});

afterEach(async () => {
  await world.stop();
  await store.close();
  await rm(directory, { recursive: true });
});

describe('what cannot be read in the datastore', () => {
  test('takes no policy away that was in force, is told once, and is forgotten when it is mended', async () => {
    world.start();
    await world.put({ [endpointKey]: goodEndpoint, [policyKey('p')]: denyAll });
    expect(world.ingress()).toEqual(['p']);
    for (const broken of ['{', '[]', '{"selector": "role =="}', 'null', `{"selector":7}`]) {
      await world.put({ [policyKey('p')]: broken });
      await world.put({ [endpointKey]: goodEndpoint.replace('"mac":null', '"mac":"aa:bb:cc:dd:ee:ff"') });
      await world.put({ [endpointKey]: goodEndpoint });
      expect(world.ingress()).toEqual(['p']);
      expect(world.sync.problems).toEqual([
        { object: 'Policy(name=p)', problem: expect.stringMatching(/./) as string },
      ]);
    }
    expect(world.updates.some(update => update.kind === 'policy-removed')).toBe(false);
    expect(world.errors.length).toBeLessThanOrEqual(5);
    await world.put({ [policyKey('p')]: denyAll });
    expect(world.sync.problems).toEqual([]);
    await world.put({ [policyKey('p')]: '{' });
    await world.put({ [policyKey('p')]: undefined });
    expect(world.ingress()).toEqual([]);
    expect(world.sync.problems).toEqual([]);
  });

  test('closes what an unreadable policy selects when no version of it was ever readable', async () => {
    const rules = '"inbound_rules": [{"action": "perhaps"}]';
    await store.commit({
      writes: [
        { kind: 'put', key: endpointKey, value: goodEndpoint },
        { kind: 'put', key: policyKey('first'), value: `{"selector": "role == 'web'", ${rules}}` },
        { kind: 'put', key: policyKey('other'), value: `{"selector": "role == 'db'", ${rules}}` },
        { kind: 'put', key: policyKey('lost'), value: '{"selector": "role' },
      ],
    });
    world.start();
    await world.put({});
    expect(world.ingress()).toEqual(['first']);
    const deny = { action: 'deny', match: {} };
    expect(world.updates).toContainEqual({
      kind: 'policy-updated',
      id: 'first',
      rules: { ingress: [deny], egress: [deny] },
    });
    expect(world.sync.problems).toHaveLength(3);
  });

  test('does not hold an endpoint that its owner has switched off', async () => {
    world.start();
    await world.put({ [endpointKey]: goodEndpoint });
    expect(world.ingress()).toEqual([]);
    await world.put({ [endpointKey]: goodEndpoint.replace('"active"', '"inactive"') });
    expect(world.ingress()).toBeUndefined();
  });

  test('leaves everything else in force, whatever names and values there are', async () => {
    world.start();
    const hostile: Record<string, string> = {
      [endpointKey]: goodEndpoint,
      [policyKey('p')]: denyAll,
      [policyKey('\'; flush ruleset; "')]: denyAll,
      [policyKey('a\nb')]: denyAll,
      [policyKey('..')]: denyAll,
      [policyKey('%2fetc%2fpasswd')]: denyAll,
      [policyKey('x'.repeat(5000))]: denyAll,
      '/calico/v1/host/here/workload/cni/w"\n/endpoint/eth0': goodEndpoint,
      '/calico/v1/host/here/endpoint/h': '{"name": "eth0\\n; flush ruleset", "expected_ipv4_addrs": 7}',
      '/calico/v1/policy/profile/web/rules': '"deny"',
      '/calico/v1/policy/profile/web/labels': '[[]]',
      '/calico/v1/ipam/v4/pool/10.0.0.0-33': '{"cidr": "10.0.0.0/33"}',
      '/calico/v1/ipam/v4/pool/x': '{',
      '/calico/v1/host/here/workload/cni/big/endpoint/eth0': goodEndpoint.replace(
        '"web"}',
        `"${'y'.repeat(1 << 20)}"}`,
      ),
      '/calico/v1/host/here/workload/cni/deep/endpoint/eth0': `{"labels": ${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
    };
    await world.put(hostile);
    expect(world.ingress()).toContain('p');
    expect(world.sync.problems.length).toBeGreaterThan(3);
    for (const { object, problem } of world.sync.problems) {
      expect(`${object}: ${problem}`).toMatch(/^[^\n]{1,700}$/);
    }
    await world.put({ [policyKey('q')]: denyAll });
    expect(world.ingress()).toContain('q');
  });
});

describe('a kernel side that fails', () => {
  test('ends nothing: the failure is told, nobody hears that the endpoint is in force, and the next change goes on', async () => {
    world.start();
    await world.put({});
    world.failing = 'out of order';
    await world.put({ [endpointKey]: goodEndpoint });
    expect(world.sync.problems).toEqual([{ object: 'kernel', problem: 'out of order' }]);
    expect(world.measurements.failures).toBe(1);
    expect(world.measurements.active('endpoint')).toBe(1);
    const stop = new AbortController();
    const waiting = world.programmed.until(endpointId, 1, stop.signal);
    stop.abort(new Error('not yet'));
    await expect(waiting).rejects.toThrow('not yet');
    world.failing = undefined;
    await world.put({ [policyKey('p')]: denyAll });
    expect(world.sync.problems).toEqual([]);
    expect(world.ingress()).toEqual(['p']);
    await world.programmed.until(endpointId, 1, AbortSignal.timeout(1_000));
  });

  test('at the start keeps it from being ready until all of it is there, and never afterwards', async () => {
    world.failing = 'out of order';
    world.refused.push({ object: 'policy q', problem: 'the kernel refuses it' });
    world.start();
    await world.put({ [endpointKey]: goodEndpoint });
    expect([world.sync.started, world.sync.ready]).toEqual([true, false]);
    world.failing = undefined;
    await world.put({ [policyKey('p')]: denyAll });
    expect(world.ingress()).toEqual(['p']);
    expect(world.sync.ready).toBe(false);
    expect(world.sync.problems).toEqual(world.refused);
    world.refused.length = 0;
    expect(world.sync.ready).toBe(true);
    world.failing = 'out of order';
    await world.put({ [policyKey('p')]: undefined });
    expect(world.sync.ready).toBe(true);
    expect(world.sync.problems).toHaveLength(1);
  });
});
