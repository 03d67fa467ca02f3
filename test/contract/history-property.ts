import { array, assert, asyncProperty, boolean, constantFrom, nat, oneof, record } from 'fast-check';
import { expect, test } from 'vitest';
import { createHistory, createResourceClient } from '../../src/datastore/index.js';
import type { ResourceClient, ResourceWrite, Store } from '../../src/datastore/index.js';
import type { Resource } from '../../src/resources/index.js';
import { endpoint, node, policy, resource } from './support/resources.js';

const author = { command: 'property', user: 'fast-check', host: 'here' };

/** What one step of a history does. */
type Step = { readonly writes: readonly ResourceWrite[] } | { readonly setting: string | undefined };

const named = constantFrom('a', 'b', 'c');
const anyResource = oneof(
  record({ name: named, order: nat(3) }).map(({ name, order }) => policy(name, order)),
  record({ name: named, tag: named }).map(({ name, tag }) =>
    resource('profile', { name, tags: [tag], labels: { [tag]: name } }),
  ),
  named.map(name => node(name)),
  record({ on: named, workload: named }).map(({ on, workload }) => endpoint(on, workload)),
  record({ on: named, name: named, port: named }).map(({ on, name, port }) =>
    resource('hostEndpoint', { node: on, name }, { interfaceName: `eth${port}` }),
  ),
  boolean().map(enabled => resource('ipPool', { cidr: '10.0.0.0/16' }, { ipip: { enabled } })),
);
const anyStep = oneof(
  {
    weight: 5,
    arbitrary: array(
      oneof(
        {
          weight: 3,
          arbitrary: anyResource.map((each): ResourceWrite => ({ verb: 'apply', resource: each })),
        },
        {
          weight: 1,
          arbitrary: anyResource.map((each): ResourceWrite => ({
            verb: 'delete',
            resource: each,
            tolerant: true,
          })),
        },
      ),
      { minLength: 1, maxLength: 4 },
    ).map((writes): Step => ({ writes })),
  },
  { weight: 1, arbitrary: constantFrom('1', '2', undefined).map((setting): Step => ({ setting })) },
);

async function take(client: ResourceClient, step: Step): Promise<void> {
  if ('writes' in step) await client.write(step.writes);
  else await client.setSetting({ component: 'bgp', node: 'a', name: 'loglevel' }, step.setting);
}

/** All that a rollback brings back: resources and settings, but for what says which cluster this is. */
async function content(store: Store): Promise<ReadonlyMap<string, string>> {
  const { entries } = await store.list(['/calico/v1/', '/calico/bgp/v1/']);
  const kept = entries.filter(({ key }) => !/Ready$|ClusterGUID$/.test(key));
  return new Map(kept.map(({ key, value }) => [key, value]));
}

/** The resources as they are told, by identity. */
async function resources(client: ResourceClient): Promise<readonly Resource[]> {
  const kinds = ['policy', 'profile', 'ipPool', 'hostEndpoint', 'workloadEndpoint'] as const;
  return (await Promise.all(kinds.map(async kind => await client.list(kind)))).flat();
}

/** Whatever happens, each revision is what it was, and the way there and back changes nothing. */
export function anyHistory(storeOf: () => Store, numRuns: number): void {
  test('any changes can be undone to any revision, and the undoing undone', async () => {
    await assert(
      asyncProperty(array(anyStep, { minLength: 1, maxLength: 12 }), nat(), async (steps, choice) => {
        const store = storeOf();
        const client = createResourceClient(store, { author });
        const history = createHistory(store, { author });
        const model: {
          revision: number;
          content: ReadonlyMap<string, string>;
          resources: readonly Resource[];
        }[] = [];
        const remember = async (): Promise<void> => {
          const { revision } = await store.list('none/');
          model.push({ revision, content: await content(store), resources: await resources(client) });
        };
        await remember();
        for (const step of steps) {
          await take(client, step);
          await remember();
        }
        const last = model.at(-1);
        const chosen = model[choice % model.length];
        if (last === undefined || chosen === undefined) throw new Error('a model has a beginning');
        const found = await history.differences(chosen.revision, last.revision);
        const changedIds = found
          .flatMap(({ before, after }) => [before, after])
          .flatMap(state => (state.kind === 'resource' ? [JSON.stringify(state.resource)] : []));
        for (const { resources: some } of [chosen, last]) {
          const other = new Set(
            (some === last.resources ? chosen : last).resources.map(each => JSON.stringify(each)),
          );
          for (const each of some) {
            const text = JSON.stringify(each);
            expect(changedIds.includes(text)).toBe(!other.has(text));
          }
        }
        await history.rollBack({ to: chosen.revision, includeLive: true });
        expect(await content(store)).toEqual(chosen.content);
        for (const { revision, content: then } of model) {
          await history.rollBack({ to: revision, includeLive: true });
          expect(await content(store)).toEqual(then);
        }
        await history.rollBack({ to: last.revision, includeLive: true });
        expect(await content(store)).toEqual(last.content);
      }),
      { numRuns },
    );
  });
}
