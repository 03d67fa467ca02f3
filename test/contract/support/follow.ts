import type { Store, WatchEvent } from '../../../src/datastore/index.js';

/** A watch whose events are collected and replayed into a copy of the content. */
export interface Follower {
  readonly events: readonly WatchEvent[];
  /** what the watch has told so far */
  readonly content: ReadonlyMap<string, string>;
  /** Resolves when the condition holds; it is looked at after each event. */
  until(condition: () => boolean): Promise<void>;
  /** Aborts the watch; resolves when the iteration has finished. */
  stop(): Promise<void>;
}

export function follow(
  store: Store,
  prefix: string | readonly string[],
  options: { readonly afterRevision?: number; readonly deadlineMs?: number } = {},
): Follower {
  const { deadlineMs = 60_000, ...watchOptions } = options;
  const events: WatchEvent[] = [];
  const content = new Map<string, string>();
  const abort = new AbortController();
  let onEvent = (): void => undefined;
  const finished = (async () => {
    for await (const event of store.watch(prefix, { ...watchOptions, signal: abort.signal })) {
      events.push(event);
      replay(content, event);
      onEvent();
    }
  })();
  return {
    events,
    content,
    until: async condition => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const timer = setTimeout(() => reject(new Error(`not seen: ${String(condition)}`)), deadlineMs);
      onEvent = () => {
        if (condition()) resolve();
      };
      onEvent();
      try {
        await Promise.race([promise, finished.then(() => reject(new Error('the watch ended')))]);
        await promise;
      } finally {
        clearTimeout(timer);
        onEvent = () => undefined;
      }
    },
    stop: async () => {
      abort.abort();
      await finished;
    },
  };
}

/** The revisions of all changes told, one for each change. */
export function revisionsOf(events: readonly WatchEvent[]): readonly number[] {
  return events.flatMap(event =>
    event.kind === 'listing'
      ? []
      : event.changes.map(change => (change.kind === 'put' ? change.entry.modRevision : change.revision)),
  );
}

function replay(content: Map<string, string>, event: WatchEvent): void {
  if (event.kind === 'listing') {
    content.clear();
    for (const { key, value } of event.listing.entries) content.set(key, value);
    return;
  }
  for (const change of event.changes) {
    if (change.kind === 'put') content.set(change.entry.key, change.entry.value);
    else content.delete(change.key);
  }
}
