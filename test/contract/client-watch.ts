import { expect, test } from 'vitest';
import type { ClusterEvent, ResourceClient, ResourceWrite } from '../../src/datastore/index.js';
import { identify } from '../../src/resources/index.js';
import type { Resource } from '../../src/resources/index.js';
import { endpoint, node, policy, profile, resource } from './support/resources.js';

/** What a watch of the cluster tells, and how often. */
export function clientWatchContract(client: () => ResourceClient): void {
  const apply = async (...resources: readonly Resource[]): Promise<number> =>
    (await client().write(resources.map(each => ({ verb: 'apply', resource: each })))).revision;
  const remove = async (...resources: readonly Resource[]): Promise<number> =>
    (await client().write(resources.map((each): ResourceWrite => ({ verb: 'delete', resource: each }))))
      .revision;

  test('the first events hold all that exists and say once that this is all', async () => {
    const all = [
      node('n'),
      policy('p', 1),
      profile('q'),
      endpoint('n', 'w'),
      resource('ipPool', { cidr: '10.0.0.0/16' }),
    ];
    const revision = await apply(...all);
    await using watch = startWatch(client());
    await watch.until(() => watch.inSync() === 1);
    expect(watch.events.at(-1)?.revision).toBe(revision);
    expect(watch.content()).toEqual(new Map(all.map(each => [identify(each), each])));
    await apply(policy('p', 2));
    await watch.until(() => watch.told('Policy(name=p)') === 2);
    expect(watch.inSync()).toBe(1);
  });

  test('an empty cluster is in sync at once', async () => {
    await using watch = startWatch(client());
    await watch.until(() => watch.inSync() === 1);
    expect(watch.events).toMatchObject([{ inSync: true, changes: [] }]);
  });

  test('each change is told once, also of resources that the store keeps in pieces', async () => {
    await using watch = startWatch(client());
    await watch.until(() => watch.inSync() === 1);
    const bgp = { ipv4Address: '10.0.0.1', asNumber: 65000 };
    await apply(resource('node', { name: 'n' }, { bgp }), profile('q'), endpoint('n', 'w'));
    await apply(resource('profile', { name: 'q', labels: { a: 'b' } }));
    const last = await remove(profile('q'));
    await watch.until(() => (watch.events.at(-1)?.revision ?? 0) >= last);
    expect(watch.content().get('Node(name=n)')).toEqual(resource('node', { name: 'n' }, { bgp }));
    expect(watch.told('Node(name=n)')).toBe(1);
    expect(watch.told('WorkloadEndpoint(node=n, orchestrator=cni, workload=w, name=eth0)')).toBe(1);
    // Changes that arrive together may be told as one.
    expect(watch.told('Profile(name=q)')).toBeLessThanOrEqual(3);
    expect(watch.content().has('Profile(name=q)')).toBe(false);
  });

  test('writing the same again is no change', async () => {
    await apply(policy('p', 1), profile('q'), node('n'));
    await using watch = startWatch(client());
    await watch.until(() => watch.inSync() === 1);
    await apply(policy('p', 1), profile('q'), node('n'));
    await apply(policy('last'));
    await watch.until(() => watch.told('Policy(name=last)') === 1);
    expect(watch.events.slice(1).flatMap(event => event.changes)).toHaveLength(1);
  });

  test('settings are told with their component and node', async () => {
    await using watch = startWatch(client());
    const global = { component: 'bgp', name: 'as_num' } as const;
    const ofNode = { component: 'felix', node: 'n', name: 'LogSeverityScreen' } as const;
    await watch.until(() => watch.inSync() === 1);
    const steps = [
      [global, '65000'],
      [ofNode, 'debug'],
      [global, undefined],
    ] as const;
    for (const [index, [setting, value]] of steps.entries()) {
      await client().setSetting(setting, value);
      await watch.until(() => watch.settings().length > index);
    }
    expect(watch.settings()).toEqual([
      { kind: 'setting', setting: global, value: '65000' },
      { kind: 'setting', setting: ofNode, value: 'debug' },
      { kind: 'setting', setting: global, value: undefined },
    ]);
  });

  test('a deleted node is told together with all that went with it', async () => {
    await apply(node('n'), endpoint('n', 'w'));
    await using watch = startWatch(client());
    await watch.until(() => watch.inSync() === 1);
    await remove(node('n'));
    await watch.until(() => watch.content().size === 0);
    expect(watch.events).toHaveLength(2);
  });

  test('an aborted watch ends normally', async () => {
    const watch = startWatch(client());
    await watch.until(() => watch.inSync() === 1);
    await watch[Symbol.asyncDispose]();
    expect(watch.events).toHaveLength(1);
  });
}

interface Watch extends AsyncDisposable {
  readonly events: readonly ClusterEvent[];
  until(condition: () => boolean): Promise<void>;
  /** how many events said so */
  inSync(): number;
  /** the resources as told, by id */
  content(): ReadonlyMap<string, Resource>;
  /** how often a resource was told of */
  told(id: string): number;
  settings(): readonly ClusterEvent['changes'][number][];
}

function startWatch(client: ResourceClient): Watch {
  const events: ClusterEvent[] = [];
  const abort = new AbortController();
  let onEvent = (): void => undefined;
  const finished = (async () => {
    for await (const event of client.watch({ signal: abort.signal })) {
      events.push(event);
      onEvent();
    }
  })();
  const changes = (): readonly ClusterEvent['changes'][number][] => events.flatMap(event => event.changes);
  return {
    events,
    until: async condition => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const timer = setTimeout(() => reject(new Error(`not seen: ${String(condition)}`)), 60_000);
      onEvent = () => {
        if (condition()) resolve();
      };
      onEvent();
      await promise.finally(() => clearTimeout(timer));
      onEvent = () => undefined;
    },
    inSync: () => events.filter(event => event.inSync).length,
    content: () => {
      const content = new Map<string, Resource>();
      for (const change of changes()) {
        if (change.kind === 'setting') continue;
        if (change.resource === undefined) content.delete(change.id);
        else content.set(change.id, change.resource);
      }
      return content;
    },
    told: id => changes().filter(change => change.kind === 'resource' && change.id === id).length,
    settings: () => changes().filter(change => change.kind === 'setting'),
    [Symbol.asyncDispose]: async () => {
      abort.abort();
      await finished;
    },
  };
}
