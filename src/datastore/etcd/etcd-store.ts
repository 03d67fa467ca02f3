import { CalicoError, systemClock } from '../../base/index.js';
import type { Clock } from '../../base/index.js';
import { checkCommit } from '../check-commit.js';
import { Lookups } from '../lookups.js';
import { disjointPrefixes } from '../prefix-range.js';
import type {
  Commit,
  CommitResult,
  Entry,
  ListOptions,
  Listing,
  Store,
  WatchEvent,
  WatchOptions,
} from '../store.js';
import type { EtcdConfig } from './config.js';
import { Credentials } from './credentials.js';
import type { ResolveSrv } from './discover.js';
import { findKeys } from './find-keys.js';
import { follow } from './follow.js';
import { grantLeases } from './leases.js';
import { maxOperations } from './limits.js';
import { conflictsOf, revisionOf, transactionOf } from './messages.js';
import { readListing } from './read-listing.js';
import { secureContext } from './secure-context.js';
import { Servers } from './servers.js';

export interface EtcdStoreOptions extends EtcdConfig {
  readonly clock?: Clock;
  /** how to ask DNS, instead of the resolver of the system */
  readonly resolveSrv?: ResolveSrv;
}

/**
 * A store in an etcd v3 cluster. Opening it reads the certificates and, where it shall, asks DNS, but no etcd:
 * an agent may start before its etcd, and its watches wait for it.
 */
export async function openEtcdStore(options: EtcdStoreOptions): Promise<Store> {
  const { discoverySrv, resolveSrv } = options;
  const endpoints = discoverySrv === undefined ? options.endpoints : await discover(discoverySrv, resolveSrv);
  const urls = endpoints.map(endpointUrl);
  const context = urls.some(url => url.startsWith('https:')) ? await secureContext(options) : undefined;
  const { clock = systemClock } = options;
  const shared = { urls, context, clock, credentials: new Credentials(options) };
  return new EtcdStore({ calls: new Servers(shared), watches: new Servers(shared), clock });
}

interface Parts {
  readonly calls: Servers;
  /** large answers on the same connection would hold events back for seconds */
  readonly watches: Servers;
  readonly clock: Clock;
}

class EtcdStore implements Store {
  readonly #parts: Parts;
  readonly #lookups: Lookups;
  readonly #closing = new AbortController();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#lookups = new Lookups(async keys => await findKeys(parts.calls, keys), maxOperations);
  }

  async get(key: string): Promise<Entry | undefined> {
    // etcd has no empty key, and no key of ours is anything but UTF-8.
    return key === '' || !key.isWellFormed() ? undefined : await this.#lookups.get(key);
  }

  async list(prefix: string | readonly string[], options: ListOptions = {}): Promise<Listing> {
    return await readListing(this.#parts.calls, disjointPrefixes(prefix), options);
  }

  async commit(commit: Commit): Promise<CommitResult> {
    checkCommit(commit);
    const transaction = transactionOf(commit, await grantLeases(this.#parts.calls, commit));
    const response = await this.#parts.calls.write(
      async ({ kv }, options) => await kv.txn(transaction, options),
    );
    return response.succeeded
      ? { committed: true, revision: revisionOf(response.header) }
      : { committed: false, conflicts: conflictsOf(commit.conditions ?? [], response) };
  }

  /** Nothing is committed here before it is on the disks of most servers. */
  flush(): Promise<void> {
    return Promise.resolve();
  }

  watch(
    prefix: string | readonly string[],
    { afterRevision, signal }: WatchOptions = {},
  ): AsyncIterable<WatchEvent> {
    const closing = this.#closing.signal;
    return follow({
      ...this.#parts,
      prefixes: disjointPrefixes(prefix),
      afterRevision,
      signal: signal === undefined ? closing : AbortSignal.any([signal, closing]),
    });
  }

  close(): Promise<void> {
    this.#closing.abort();
    this.#parts.calls.close();
    this.#parts.watches.close();
    return Promise.resolve();
  }
}

/** The form in which an endpoint is kept: the origin of a URL, or `unix://` and the path of a socket. */
/** Loaded only for those who use it. */
async function discover(domain: string, resolveSrv: ResolveSrv | undefined): Promise<readonly string[]> {
  const { discoverEndpoints } = await import('./discover.js');
  return await discoverEndpoints(domain, resolveSrv);
}

function endpointUrl(endpoint: string): string {
  if (/^unix:\/\/\/[^\0]+$/.test(endpoint)) return endpoint;
  const url = URL.parse(endpoint);
  const plain = url?.pathname === '/' && `${url.search}${url.hash}${url.username}${url.password}` === '';
  if (url === null || !plain || !/^https?:$/.test(url.protocol)) {
    const expected = 'a URL such as http://10.0.0.1:2379, or unix:///path/of/a/socket';
    throw new CalicoError('invalid', `datastore: ETCD_ENDPOINTS='${endpoint}': expected ${expected}`, {
      issues: [{ path: 'ETCD_ENDPOINTS', value: endpoint, expected }],
    });
  }
  return url.origin;
}
