import type { Commit } from '../store.js';
import type { Servers } from './servers.js';

/** The lease for each time to live, in seconds. */
export type Leases = ReadonlyMap<number, bigint>;

/**
 * Asks for a lease for each time to live that the commit names. Each put has a lease of its own, which nobody
 * keeps alive: the next put of the key brings a new one, and the old one ends with no key left on it. So a key
 * goes when its last put is old, whatever became of who put it.
 */
export async function grantLeases(servers: Servers, { writes }: Commit): Promise<Leases> {
  const granted = new Map<number, bigint>();
  for (const write of writes) {
    if (write.kind !== 'put' || write.ttlSeconds === undefined || granted.has(write.ttlSeconds)) continue;
    const ttl = BigInt(write.ttlSeconds);
    // One that was granted twice does no harm: it ends unused.
    const { id } = await servers.read(async ({ lease }, options) => await lease.leaseGrant({ ttl }, options));
    granted.set(write.ttlSeconds, id);
  }
  return granted;
}
