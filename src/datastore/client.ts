import { CalicoError, silentLogger, systemClock } from '../base/index.js';
import type { Clock, Logger } from '../base/index.js';
import { identify } from '../resources/index.js';
import type { Kind, Metadata } from '../resources/index.js';
import { settingKey } from './codec/settings.js';
import type { Author } from './history/record.js';
import { commitRecorded, createRecorder } from './history/write-recorded.js';
import type { Recorder } from './history/write-recorded.js';
import { listResources } from './list-resources.js';
import { PendingContent } from './pending-content.js';
import { checkIdentifiers, keysOf, planWrite } from './plan-writes.js';
import type {
  ClusterEvent,
  ResourceClient,
  ResourceWrite,
  SettingWrite,
  WriteOutcome,
} from './resource-client.js';
import { ResourceView, watchedPrefixes } from './resource-view.js';
import type { Store } from './store.js';

export interface ResourceClientOptions {
  /** told of stored resources that cannot be read */
  readonly logger?: Logger;
  readonly clock?: Clock;
  /** whose changes these are, for the history */
  readonly author?: Author;
  /** Called now and then, for `trimHistory`; without it a write does so itself. */
  readonly trimDue?: () => void;
}

const nobody: Author = { command: '', user: '', host: '' };

/** How often a write is tried again when others change the same keys; with the back-off about 10 s. */
const maxAttempts = 50;
const maxBackOffMs = 250;

/**
 * A resource client over a store with keys. It does not close the store. Releasing the addresses of a deleted
 * node, and the blocks of a deleted pool, is the part of `ipam`, which lies above.
 */
export function createResourceClient(
  store: Store,
  { logger = silentLogger, clock = systemClock, author = nobody, trimDue }: ResourceClientOptions = {},
): ResourceClient {
  const recorder = createRecorder({ store, author, clock, trimDue });
  return {
    list: async <K extends Kind>(kind: K, filter: Partial<Metadata<K>> = {}) =>
      await listResources(store, { kind, filter, logger }),
    write: async writes => await writeResources(recorder, writes),
    check: async writes => {
      await plan(store, prepared(writes));
    },
    watch: ({ signal }) => watchResources(store, signal),
    getSetting: async setting => (await store.get(settingKey(setting)))?.value,
    setSetting: async (setting, value) => await writeSettings(recorder, [{ setting, value }]),
    setSettings: async changes => await writeSettings(recorder, changes),
  };
}

/** The writes with all identifiers, or why one of them cannot be. */
function prepared(given: readonly ResourceWrite[]): readonly ResourceWrite[] {
  const writes = given.map(nameEndpoint);
  for (const write of writes) checkIdentifiers(write);
  return writes;
}

/** What the writes make of what is stored now. */
async function plan(store: Store, writes: readonly ResourceWrite[]): Promise<PendingContent> {
  const keys = new Set(writes.flatMap(keysOf));
  const hosts = new Set(writes.flatMap(deletedHost));
  const content = await PendingContent.read(store, { keys, hosts });
  for (const write of writes) planWrite(write, content, newGuid);
  return content;
}

async function writeResources(recorder: Recorder, given: readonly ResourceWrite[]): Promise<WriteOutcome> {
  const writes = prepared(given);
  return await writePlanned(recorder, {
    plan: async () => await plan(recorder.store, writes),
    nameOf: conflicts => {
      const loser = writes.find(write => keysOf(write).some(key => conflicts.includes(key))) ?? writes[0];
      return loser === undefined ? '' : identify(loser.resource);
    },
  });
}

async function writeSettings(recorder: Recorder, changes: readonly SettingWrite[]): Promise<void> {
  const keys = new Set(changes.map(({ setting }) => settingKey(setting)));
  await writePlanned(recorder, {
    plan: async () => {
      const content = await PendingContent.read(recorder.store, { keys, hosts: new Set() });
      for (const { setting, value } of changes) content.set(settingKey(setting), value);
      return content;
    },
    nameOf: ([conflict = '']) => conflict,
  });
}

interface PlannedWrite {
  /** reads what is there, and says what to make of it */
  readonly plan: () => Promise<PendingContent>;
  /** what to call the loser of these conflicts */
  readonly nameOf: (conflicts: readonly string[]) => string;
}

/** Commits the plan, made anew as long as others change what it was made from. */
async function writePlanned(recorder: Recorder, { plan: make, nameOf }: PlannedWrite): Promise<WriteOutcome> {
  const { clock } = recorder;
  let conflicts: readonly string[] = [];
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    if (attempt > 0) await clock.sleep(clock.random() * Math.min(maxBackOffMs, 2 ** attempt));
    const result = await commitRecorded(recorder, (await make()).toCommit());
    if (result.committed) return { revision: result.revision };
    ({ conflicts } = result);
  }
  throw new CalicoError('conflict', `update conflict: '${nameOf(conflicts)}'`);
}

/** A workload endpoint may be created without a name; it gets one that nobody has. */
function nameEndpoint(write: ResourceWrite): ResourceWrite {
  const { verb, resource } = write;
  if (verb !== 'create' || resource.kind !== 'workloadEndpoint' || resource.metadata.name !== '')
    return write;
  return {
    ...write,
    resource: { ...resource, metadata: { ...resource.metadata, name: crypto.randomUUID() } },
  };
}

function deletedHost({ verb, resource }: ResourceWrite): readonly string[] {
  return verb === 'delete' && resource.kind === 'node' ? [resource.metadata.name] : [];
}

/** 32 hex digits. */
function newGuid(): string {
  return crypto.randomUUID().replaceAll('-', '');
}

async function* watchResources(store: Store, signal: AbortSignal): AsyncGenerator<ClusterEvent, void> {
  const view = new ResourceView();
  let wasReady = true;
  let inSync = true; // for the first event: a listing, the whole content
  for await (const event of store.watch(watchedPrefixes, { signal })) {
    const revision = event.kind === 'listing' ? event.listing.revision : event.revision;
    const changes =
      event.kind === 'listing' ? view.replace(event.listing.entries) : view.apply(event.changes);
    const { isReady } = view;
    if (changes.length > 0 || inSync || isReady !== wasReady)
      yield { revision, inSync, changes, ...(isReady ? {} : { ready: false }) };
    inSync = false;
    wasReady = isReady;
  }
}
