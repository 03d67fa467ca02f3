import { Resolver } from 'node:dns/promises';
import type { SrvRecord } from 'node:dns';
import { CalicoError } from '../../base/index.js';
import { unavailable } from './failures.js';

/** Asks DNS for the SRV records of a name. */
export type ResolveSrv = (name: string) => Promise<readonly SrvRecord[]>;

/** So that both names and all servers of the resolver have had their chance within 4 s. */
const timeoutMs = 1000;

/** The resolver of the system, which does not wait longer than an operator does. */
function systemResolver(): ResolveSrv {
  const resolver = new Resolver({ timeout: timeoutMs, tries: 2 });
  return async name => await resolver.resolveSrv(name);
}

/**
 * The endpoints of the cluster that a domain names by its SRV records, as etcd's own clients look for them:
 * those with TLS where there are any, so that nobody is led to send a password in the clear beside them.
 */
export async function discoverEndpoints(
  domain: string,
  resolveSrv: ResolveSrv = systemResolver(),
): Promise<readonly string[]> {
  if (!/^[a-z0-9_]([a-z0-9_.-]{0,252})$/i.test(domain)) {
    const expected = 'a domain such as example.com';
    throw new CalicoError('invalid', `datastore: ETCD_DISCOVERY_SRV='${domain}': expected ${expected}`, {
      issues: [{ path: 'ETCD_DISCOVERY_SRV', value: domain, expected }],
    });
  }
  const names = { https: `_etcd-client-ssl._tcp.${domain}`, http: `_etcd-client._tcp.${domain}` };
  const [secure, plain] = await Promise.all([
    endpointsOf(resolveSrv, names.https, 'https'),
    endpointsOf(resolveSrv, names.http, 'http'),
  ]);
  const found = secure.endpoints.length > 0 ? secure.endpoints : plain.endpoints;
  if (found.length > 0) return found;
  const failure = secure.failure ?? plain.failure;
  const why =
    failure === undefined
      ? `DNS has no SRV records ${names.https} or ${names.http}; check ETCD_DISCOVERY_SRV`
      : `DNS does not answer (${failure}); check ETCD_DISCOVERY_SRV and /etc/resolv.conf`;
  throw new CalicoError('unavailable', `${unavailable}: ${domain}: ${why}`);
}

interface Answer {
  readonly endpoints: readonly string[];
  /** what kept DNS from an answer; that there is no such record is one */
  readonly failure?: string;
}

async function endpointsOf(resolveSrv: ResolveSrv, name: string, scheme: 'https' | 'http'): Promise<Answer> {
  try {
    const records = await resolveSrv(name);
    const endpoints = records
      .filter(({ name: host, port }) => host !== '' && port > 0)
      .toSorted((a, b) => a.priority - b.priority || b.weight - a.weight)
      .map(({ name: host, port }) => `${scheme}://${host.replace(/\.$/, '')}:${String(port)}`);
    return { endpoints };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return /^(ENOTFOUND|ENODATA)$/.test(code) ? { endpoints: [] } : { endpoints: [], failure: code };
  }
}
