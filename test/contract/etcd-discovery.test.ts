import { Resolver } from 'node:dns/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { etcdConfig } from '../../src/datastore/index.js';
import { discoverEndpoints } from '../../src/datastore/etcd/discover.js';
import type { ResolveSrv } from '../../src/datastore/etcd/discover.js';
import { openEtcdStore } from '../../src/datastore/etcd/etcd-store.js';
import { startDnsServer } from './support/dns-server.js';
import { startEtcd } from './support/etcd-server.js';

describe('ETCD_DISCOVERY_SRV', () => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });
  /** Asks a real name server on this host. */
  const resolverOf = async (records: Parameters<typeof startDnsServer>[0]): Promise<ResolveSrv> => {
    const server = await startDnsServer(records);
    closing.push(async () => await server.close());
    const resolver = new Resolver({ timeout: 10_000, tries: 1 });
    resolver.setServers([server.address]);
    return async name => await resolver.resolveSrv(name);
  };

  test('finds the servers of a cluster by the records of its domain', async () => {
    const etcd = await startEtcd();
    closing.push(async () => await etcd.dispose());
    const port = Number(new URL(etcd.endpoint).port);
    const resolveSrv = await resolverOf({
      '_etcd-client._tcp.calico.test': [{ priority: 1, port, host: 'localhost' }],
    });
    const store = await openEtcdStore({ ...etcdConfig({ discoverySrv: 'calico.test' }), resolveSrv });
    closing.unshift(async () => await store.close());
    expect(await store.commit({ writes: [{ kind: 'put', key: 'a', value: 'x' }] })).toMatchObject({
      committed: true,
    });
  });

  test('takes only servers with TLS where there are any, those of the best priority first', async () => {
    const resolveSrv = await resolverOf({
      '_etcd-client-ssl._tcp.calico.test': [
        { priority: 2, port: 2379, host: 'b.calico.test' },
        { priority: 1, port: 2380, host: 'a.calico.test' },
      ],
      '_etcd-client._tcp.calico.test': [{ priority: 0, port: 2379, host: 'plain.calico.test' }],
    });
    expect(await discoverEndpoints('calico.test', resolveSrv)).toEqual([
      'https://a.calico.test:2380',
      'https://b.calico.test:2379',
    ]);
  });

  test('says which records are missing', async () => {
    await expect(discoverEndpoints('calico.test', await resolverOf({}))).rejects.toMatchObject({
      code: 'unavailable',
      message:
        'client: etcd cluster is unavailable or misconfigured: calico.test: DNS has no SRV records ' +
        '_etcd-client-ssl._tcp.calico.test or _etcd-client._tcp.calico.test; check ETCD_DISCOVERY_SRV',
    });
  });

  test('says that no name server answers', async () => {
    const silent = new Resolver({ timeout: 200, tries: 1 });
    silent.setServers(['127.0.0.1:9']);
    const lookup = discoverEndpoints('calico.test', async name => await silent.resolveSrv(name));
    await expect(lookup).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(
        /DNS does not answer \(E\w+\); check ETCD_DISCOVERY_SRV and \/etc\/resolv.conf$/,
      ),
    });
  });

  test.each(['two words', 'http://calico.test', '../x', '-'])('refuses %j', async domain => {
    await expect(discoverEndpoints(domain)).rejects.toMatchObject({ code: 'invalid' });
  });

  test('is refused beside ETCD_ENDPOINTS', () => {
    const both = { discoverySrv: 'calico.test', endpoints: 'http://a:1' };
    expect(() => etcdConfig(both)).toThrow('set ETCD_ENDPOINTS or ETCD_DISCOVERY_SRV, not both');
  });
});
