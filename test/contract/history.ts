import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/index.js';
import type { Clock } from '../../src/base/index.js';
import { createHistory, createResourceClient, subjectId } from '../../src/datastore/index.js';
import type { Difference, History, ResourceClient, Store, Verb } from '../../src/datastore/index.js';
import type { Resource } from '../../src/resources/index.js';
import { trimHistory } from '../../src/datastore/history/trim-history.js';
import { anyHistory } from './history-property.js';
import { endpoint, node, policy, profile, resource } from './support/resources.js';

export interface HistoryContractOptions {
  readonly name: string;
  /** how often the property is tried */
  readonly numRuns: number;
  /** an empty store that lives as long as one test */
  readonly create: () => Promise<{ readonly store: Store; readonly dispose: () => Promise<void> }>;
}

const author = { command: "calicoctl apply -f 'my policy.yaml'", user: 'alice', host: 'desk' };

/** The suite that the history of every store with keys must pass. */
export function runHistoryContract({ name, numRuns, create }: HistoryContractOptions): void {
  describe(`the history over ${name}`, () => {
    let opened: Awaited<ReturnType<typeof create>>;
    let client: ResourceClient;
    let history: History;
    beforeEach(async () => {
      opened = await create();
      client = createResourceClient(opened.store, { author });
      history = createHistory(opened.store, { author: { ...author, command: 'calicoctl rollback' } });
    });
    afterEach(async () => {
      await opened.dispose();
    });
    const write = async (verb: Verb, ...resources: readonly Resource[]): Promise<number> =>
      (await client.write(resources.map(each => ({ verb, resource: each })))).revision;
    const orders = async (): Promise<readonly unknown[]> =>
      (await client.list('policy')).map(({ metadata, spec }) => [metadata.name, spec.order]);

    test('has a revision for each change, with time, command and user, the newest first', async () => {
      const before = systemClock.now();
      const first = await write('create', policy('a', 1), profile('b'));
      const second = await write('apply', policy('a', 2), policy('c'));
      const third = await write('delete', policy('a'));
      await client.setSetting({ component: 'bgp', name: 'as_num' }, '65000');
      const revisions = await history.revisions();
      expect(revisions.map(told)).toEqual([
        ['/calico/bgp/v1/global/as_num created'],
        ['Policy(name=a) deleted'],
        ['Policy(name=a) updated', 'Policy(name=c) created'],
        ['Policy(name=a) created', 'Profile(name=b) created'],
      ]);
      expect(revisions.slice(1).map(({ revision }) => revision)).toEqual([third, second, first]);
      for (const each of revisions) {
        expect(each).toMatchObject(author);
        expect(each.time).toBeGreaterThanOrEqual(before);
        expect(each.time).toBeLessThanOrEqual(systemClock.now());
      }
      expect(await history.revisions({ limit: 2 })).toEqual(revisions.slice(0, 2));
    });

    test('leaves no trace of what was refused, and of what changed nothing', async () => {
      await write('create', policy('a'));
      await write('apply', policy('a'));
      await client.setSetting({ component: 'bgp', name: 'as_num' }, undefined);
      await expect(write('create', policy('b'), policy('a'))).rejects.toMatchObject({
        code: 'already-exists',
      });
      expect((await history.revisions()).map(told)).toEqual([['Policy(name=a) created']]);
    });

    test('finds the revisions of one resource', async () => {
      await write('create', policy('a'), policy('b'));
      await write('apply', policy('b', 1));
      await write('apply', policy('a', 1), policy('b', 2));
      const concerns = (id: string) => async (): Promise<readonly unknown[]> =>
        (await history.revisions({ concerns: subject => subjectId(subject) === id, limit: 2 })).map(told);
      expect(await concerns('Policy(name=a)')()).toEqual([
        ['Policy(name=a) updated'],
        ['Policy(name=a) created'],
      ]);
      expect(await concerns('Policy(name=x)')()).toEqual([]);
    });

    test('tells what one revision changed, and what is different between two, in both directions', async () => {
      const first = await write('create', policy('a', 1), profile('p'));
      const second = await write('apply', policy('a', 2), policy('new'));
      await write('delete', profile('p'));
      expect(differences((await history.revision(second)).differences)).toEqual([
        ['Policy(name=a)', policy('a', 1), policy('a', 2)],
        ['Policy(name=new)', undefined, policy('new')],
      ]);
      const sinceFirst = [
        ['Policy(name=a)', policy('a', 1), policy('a', 2)],
        ['Policy(name=new)', undefined, policy('new')],
        ['Profile(name=p)', profile('p'), undefined],
      ];
      expect(differences(await history.differences(first))).toEqual(sinceFirst);
      const now = (await opened.store.list('')).revision;
      expect(differences(await history.differences(now, first))).toEqual(
        sinceFirst.map(([id, before, after]) => [id, after, before]),
      );
      expect(await history.differences(first, first)).toEqual([]);
      expect(await history.differences(now)).toEqual([]);
    });

    test('refuses revisions that are not there, in one line that names those that are', async () => {
      const first = await write('create', policy('a'));
      const newest = (await opened.store.list('')).revision;
      await expect(history.differences(newest + 5)).rejects.toMatchObject({
        code: 'not-found',
        message: `there is no revision ${String(newest + 5)}: the newest is ${String(newest)}`,
      });
      await expect(history.revision(newest + 5)).rejects.toMatchObject({ code: 'not-found' });
      await opened.store.commit({ writes: [{ kind: 'put', key: '/calico/ipam/x', value: '' }] });
      await expect(history.revision(newest + 1)).rejects.toMatchObject({
        message: `revision ${String(newest + 1)} of the datastore changed no resource and no setting`,
      });
      await expect(history.rollBack({ to: first - 2 })).rejects.toMatchObject({
        code: 'not-found',
        message: `revision ${String(first - 2)} is not in the history any more: the oldest is ${String(first - 1)}`,
      });
    });

    test('a rollback is one change, recorded, and can be rolled back', async () => {
      const first = await write('create', policy('a', 1), policy('b', 1));
      await write('apply', policy('a', 2), policy('c', 1));
      await write('delete', policy('b'));
      const before = await orders();
      const { revision = 0, changes, leftAlone } = await history.rollBack({ to: first });
      expect(await orders()).toEqual([
        ['a', 1],
        ['b', 1],
      ]);
      expect(leftAlone).toEqual([]);
      const [newest] = await history.revisions();
      expect(newest).toMatchObject({ revision, command: 'calicoctl rollback', changes });
      expect(newest?.changes.map(({ change }) => change).sort()).toEqual(['created', 'deleted', 'updated']);
      await history.rollBack({ to: revision - 1 });
      expect(await orders()).toEqual(before);
    });

    test('a rollback to the present writes nothing, a dry run says what would be', async () => {
      const first = await write('create', policy('a', 1));
      expect(await history.rollBack({ to: first })).toEqual({
        changes: [],
        leftAlone: [],
        revision: undefined,
      });
      const now = await write('delete', policy('a'));
      const dry = await history.rollBack({ to: first, dryRun: true });
      expect(dry.changes).toMatchObject([{ change: 'created' }]);
      expect((await opened.store.list('')).revision).toBe(now);
    });

    test('a rollback leaves endpoints, nodes and what their agents tell, unless it shall not', async () => {
      const tunnel = { component: 'felix', node: 'n', name: 'IpInIpTunnelAddr' } as const;
      const start = await write('create', policy('a', 1));
      await write(
        'create',
        node('n'),
        endpoint('n', 'w'),
        resource('hostEndpoint', { node: 'n', name: 'h' }),
      );
      await client.setSetting(tunnel, '10.0.0.1');
      await client.setSetting({ component: 'felix', node: 'n', name: 'LogSeverityScreen' }, 'debug');
      const { leftAlone } = await history.rollBack({ to: start });
      expect(leftAlone.map(subjectId).sort()).toEqual([
        '/calico/v1/host/n/config/IpInIpTunnelAddr',
        'Node(name=n)',
        'WorkloadEndpoint(node=n, orchestrator=cni, workload=w, name=eth0)',
      ]);
      expect(await client.list('hostEndpoint')).toEqual([]);
      expect(await client.getSetting(tunnel)).toBe('10.0.0.1');
      await history.rollBack({ to: start, includeLive: true });
      expect(await client.list('workloadEndpoint')).toEqual([]);
      expect(await client.list('node')).toEqual([]);
      expect(await client.getSetting({ component: 'felix', name: 'ClusterGUID' })).toMatch(/^[0-9a-f]{32}$/);
      expect(await opened.store.get('/calico/v1/Ready')).toMatchObject({ value: 'true' });
    });

    test('a rollback does not bring back what belonged to a host that was deleted', async () => {
      await write('create', node('n'), resource('hostEndpoint', { node: 'n', name: 'h' }), policy('a', 1));
      const then = await write('apply', policy('a', 2));
      await write('delete', node('n'), policy('a'));
      const { leftAlone } = await history.rollBack({ to: then });
      expect(leftAlone).toHaveLength(2);
      expect(await client.list('node')).toEqual([]);
      expect(await orders()).toEqual([['a', 2]]);
      await history.rollBack({ to: then, includeLive: true });
      expect(await client.list('node')).toEqual([node('n')]);
      expect(await client.list('hostEndpoint')).toHaveLength(1);
    });

    test('a rollback of what somebody changes meanwhile is refused, and nothing is written', async () => {
      const first = await write('create', policy('a', 1), policy('b', 1));
      await write('apply', policy('a', 2), policy('b', 2));
      let raced = 0;
      const racing: Store = {
        ...passOn(opened.store),
        commit: async commit => {
          raced = await write('apply', policy('b', 3));
          return await opened.store.commit(commit);
        },
      };
      const late = createHistory(racing, { author });
      await expect(late.rollBack({ to: first })).rejects.toMatchObject({
        code: 'conflict',
        message: "update conflict: 'Policy(name=b)' was changed just now",
      });
      expect(await orders()).toEqual([
        ['a', 2],
        ['b', 3],
      ]);
      expect((await opened.store.list('')).revision).toBe(raced);
    });

    test('a rollback in parts says how far it came, and goes on when it is repeated', async () => {
      const start = await write('create', policy('first', 1));
      for (const part of ['a', 'b']) {
        await write('create', ...Array.from({ length: 80 }, (_, n) => policy(`${part}${String(n)}`)));
      }
      let commits = 0;
      const racing: Store = {
        ...passOn(opened.store),
        commit: async commit => {
          if (++commits === 2) await write('apply', policy('b79', 1));
          return await opened.store.commit(commit);
        },
      };
      const late = createHistory(racing, { author });
      await expect(late.rollBack({ to: start, inParts: true })).rejects.toMatchObject({
        code: 'conflict',
        message:
          "update conflict: 'Policy(name=b79)' was changed just now; 1 of 2 parts are done: repeat it to go on",
      });
      expect(await client.list('policy')).toHaveLength(61);
      await late.rollBack({ to: start, inParts: true });
      expect(await orders()).toEqual([['first', 1]]);
    });

    test('what others change while the past is read does not change the past', async () => {
      const first = await write('create', policy('a', 1), policy('b', 1));
      await write('apply', policy('a', 2));
      const second = (await opened.store.list('')).revision;
      let reads = 0;
      const racing: Store = {
        ...passOn(opened.store),
        get: async key => {
          if (key.includes('/policy/') && reads++ === 0) await write('apply', policy('a', 3));
          return await opened.store.get(key);
        },
      };
      const late = createHistory(racing, { author });
      expect(differences(await late.differences(first, second))).toEqual([
        ['Policy(name=a)', policy('a', 1), policy('a', 2)],
      ]);
      expect(reads).toBeGreaterThan(0);
    });

    test('a node with hundreds of keys is deleted at once, and comes back whole', async () => {
      const endpoints = Array.from({ length: 300 }, (_, n) => endpoint('n', `w${String(n)}`));
      await write('create', node('n'));
      for (let from = 0; from < endpoints.length; from += 100) {
        await write('create', ...endpoints.slice(from, from + 100));
      }
      const then = (await opened.store.list('')).revision;
      const deleted = await write('delete', node('n'));
      expect(await client.list('workloadEndpoint')).toEqual([]);
      expect((await history.revision(deleted)).changes).toHaveLength(301);
      const { changes } = await history.rollBack({ to: then, includeLive: true, inParts: true });
      expect(changes).toHaveLength(301);
      expect(await client.list('workloadEndpoint')).toHaveLength(300);
    });

    test('many who write at once leave a revision each, in which nothing is missing', async () => {
      await Promise.all(
        Array.from({ length: 20 }, async (_, n) => {
          await write('create', policy(`p${String(n)}`, 1));
          await write('apply', policy('shared', n));
        }),
      );
      const revisions = await history.revisions();
      expect(new Set(revisions.map(({ revision }) => revision)).size).toBe(40);
      for (let n = 0; n < revisions.length - 1; n++) {
        const [newer, older] = [revisions[n]?.revision ?? 0, revisions[n + 1]?.revision ?? 0];
        expect(await history.differences(older, newer)).toEqual((await history.revision(newer)).differences);
      }
    }, 120_000);

    test('is trimmed by count, and says from then on what the oldest is', async () => {
      await client.setSetting({ component: 'felix', name: 'HistoryRevisions' }, '5');
      const made = await writeUntilTrimmed();
      const kept = await history.revisions();
      expect(kept.length).toBeLessThan(20);
      const oldest = kept.at(-1)?.revision ?? 0;
      await expect(history.rollBack({ to: made[3] ?? 0 })).rejects.toMatchObject({
        message: expect.stringMatching(/^revision \d+ is not in the history any more: the oldest is \d+$/),
      });
      await history.rollBack({ to: oldest });
      const state = await client.list('policy');
      expect(state).toMatchObject([{ spec: { order: made.indexOf(oldest) } }]);
    });

    test('is trimmed by age and by room, whatever the clocks of the writers say', async () => {
      const days = (number: number): Clock => ({
        ...systemClock,
        now: () => systemClock.now() + number * 86_400_000,
      });
      const past = createResourceClient(opened.store, { author, clock: days(-40) });
      await past.write([{ verb: 'create', resource: policy('old') }]);
      await createResourceClient(opened.store, { author, clock: days(5) }).write([
        { verb: 'create', resource: policy('new') },
      ]);
      await past.write([{ verb: 'create', resource: policy('late') }]);
      await write('create', policy('last'));
      const ids = async (): Promise<readonly string[]> => (await history.revisions()).flatMap(told);
      await writeUntilTrimmed();
      // What is older than a revision that goes has to go as well: only so the rest is whole.
      expect((await ids()).filter(each => /new|old|late/.test(each))).toEqual([]);
      expect(await ids()).toContain('Policy(name=last) created');
      await client.setSetting({ component: 'felix', name: 'HistoryMegabytes' }, '0');
      await writeUntilTrimmed();
      expect((await history.revisions()).length).toBeLessThan(10);
      expect(await client.list('policy')).toHaveLength(5);
    });

    test('of workload endpoints is trimmed apart, and what is left is still whole', async () => {
      await client.setSetting({ component: 'felix', name: 'HistoryRevisions' }, '20');
      const then = await write('create', policy('a', 1), endpoint('n', 'mixed'));
      const mark = async (): Promise<unknown> => await opened.store.get('/calico/audit/v1/trimmed/endpoints');
      for (let n = 0; (await mark()) === undefined; n++) {
        const workload = `w${String(n % 50)}`;
        await write(n % 100 < 50 ? 'create' : 'delete', endpoint('n', workload));
        if (n > 600) throw new Error('nobody trims');
      }
      await write('apply', policy('a', 2));
      expect((await history.revisions()).map(told)).toEqual([
        ['Policy(name=a) updated'],
        [
          'Policy(name=a) created',
          'WorkloadEndpoint(node=n, orchestrator=cni, workload=mixed, name=eth0) created',
        ],
        ['/calico/v1/config/HistoryRevisions created'],
      ]);
      expect((await history.revisions({ endpoints: true })).length).toBeGreaterThan(10);
      expect((await history.differences(then - 1)).map(({ subject }) => subjectId(subject))).toEqual([
        'Policy(name=a)',
      ]);
      await expect(history.rollBack({ to: then, includeLive: true })).rejects.toMatchObject({
        code: 'not-found',
        message: expect.stringMatching(
          /^workload endpoints of revision \d+ are not in the history any more: the oldest are of \d+$/,
        ),
      });
      const running = await client.list('workloadEndpoint');
      await history.rollBack({ to: then });
      expect(await orders()).toEqual([['a', 1]]);
      expect(await client.list('workloadEndpoint')).toEqual(running);
    });

    test('is trimmed once by many who do it together', async () => {
      await client.setSetting({ component: 'felix', name: 'HistoryRevisions' }, '7');
      for (let n = 0; n < 130; n++) await write('apply', policy('counted', n));
      const all = (await history.revisions()).map(({ revision }) => revision);
      await Promise.all(Array.from({ length: 6 }, async () => await trimHistory(opened.store, systemClock)));
      await trimHistory(opened.store, systemClock);
      expect((await history.revisions()).map(({ revision }) => revision)).toEqual(all.slice(0, 7));
      await history.rollBack({ to: all[6] ?? 0 });
      expect(await orders()).toEqual([['counted', 123]]);
    });

    /** Writes with other changes between, as addresses are, until somebody has trimmed; the revisions of it. */
    async function writeUntilTrimmed(): Promise<readonly number[]> {
      const mark = async (): Promise<string | undefined> =>
        (await opened.store.get('/calico/audit/v1/trimmed/config'))?.value;
      const before = await mark();
      const made: number[] = [];
      for (let n = 0; (await mark()) === before; n++) {
        made.push(await write('apply', policy('counted', n)));
        if (n > 600) throw new Error('nobody trims');
      }
      return made;
    }

    anyHistory(() => opened.store, numRuns);
  });
}

function told({
  changes,
}: {
  readonly changes: Awaited<ReturnType<History['revisions']>>[number]['changes'];
}): readonly string[] {
  return changes.map(({ subject, change }) => `${subjectId(subject)} ${change}`);
}

function differences(found: readonly Difference[]): readonly unknown[] {
  const shown = (state: Difference['before']): unknown =>
    state.kind === 'resource' ? state.resource : undefined;
  return found
    .map(({ subject, before, after }) => [subjectId(subject), shown(before), shown(after)] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** The methods of a store as functions, to replace some of them. */
function passOn(store: Store): Store {
  return {
    get: async key => await store.get(key),
    list: async (prefix, options) => await store.list(prefix, options),
    commit: async commit => await store.commit(commit),
    flush: async () => await store.flush(),
    watch: (prefix, options) => store.watch(prefix, options),
    close: async () => await store.close(),
  };
}
