import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openStore } from '../../src/datastore/index.js';
import type { Store, StoreConfig } from '../../src/datastore/index.js';
import { makeCertificates } from './support/certificates.js';
import type { Certificates, KeyPair } from './support/certificates.js';
import { startEtcd } from './support/etcd-server.js';
import type { EtcdServer } from './support/etcd-server.js';
import { follow } from './support/follow.js';

type EtcdConfig = Extract<StoreConfig, { readonly type: 'etcdv3' }>;

let stores: Store[] = [];

async function open(server: EtcdServer, more: Partial<EtcdConfig> = {}): Promise<Store> {
  const store = await openStore({ type: 'etcdv3', endpoints: [server.endpoint], ...more });
  stores.push(store);
  return store;
}

async function put(store: Store, key: string): Promise<void> {
  await store.commit({ writes: [{ kind: 'put', key, value: 'x' }] });
}

afterEach(async () => {
  for (const store of stores) await store.close();
  stores = [];
});

const unavailable = 'client: etcd cluster is unavailable or misconfigured:';
const unauthorized = 'connection is unauthorized:';

describe('an etcd that asks for certificates', () => {
  let certificates: Certificates;
  let ca: KeyPair;
  let other: KeyPair;
  let client: KeyPair;
  let server: EtcdServer;

  beforeAll(async () => {
    certificates = await makeCertificates();
    ca = await certificates.authority('ca');
    other = await certificates.authority('other');
    client = await certificates.issue('alice', ca);
    const { cert, key } = await certificates.issue('server', ca);
    server = await startEtcd({ tls: { cert, key, ca: ca.cert } });
  });
  afterAll(async () => {
    await server.dispose();
    await certificates.dispose();
  });
  const files = ({ cert, key }: KeyPair): Partial<EtcdConfig> => ({
    ca: { file: ca.cert },
    cert: { file: cert },
    key: { file: key },
  });

  test('serves who has one, by calls and watches', async () => {
    const store = await open(server, files(client));
    const follower = follow(store, 'w/');
    await put(store, 'w/a');
    await follower.until(() => follower.content.has('w/a'));
    await follower.stop();
    expect(await store.get('w/a')).toMatchObject({ value: 'x' });
  });

  test('takes certificates that are given as they are', async () => {
    const text = async (path: string): Promise<{ text: string }> => ({ text: await readFile(path, 'utf8') });
    const inline = { ca: await text(ca.cert), cert: await text(client.cert), key: await text(client.key) };
    await put(await open(server, inline), 'a');
    expect(await (await open(server, inline)).get('a')).toMatchObject({ value: 'x' });
  });

  test('sends events also while large answers are on their way', async () => {
    const store = await open(server, files(client));
    for (let number = 0; number < 8; number++) {
      const value = 'x'.repeat(1_300_000);
      await store.commit({ writes: [{ kind: 'put', key: `large/${String(number)}`, value }] });
    }
    const follower = follow(store, 'w/');
    await follower.until(() => follower.events.length > 0);
    const load = Array.from({ length: 5 }, async () => await store.list('large/'));
    const writer = await open(server, files(client));
    let slowest = 0;
    for (let number = 0; number < 10; number++) {
      const began = performance.now();
      await put(writer, `w/${String(number)}`);
      await follower.until(() => follower.content.has(`w/${String(number)}`));
      slowest = Math.max(slowest, performance.now() - began);
    }
    await Promise.all(load);
    await follower.stop();
    expect(slowest).toBeLessThan(20_000);
  });

  test.for([
    ['we trust another authority', { ca: 'other' }, 'ETCD_CA_CERT_FILE', 'its certificate is not good: '],
    ['we have none', { client: 'none' }, 'ETCD_CERT_FILE and ETCD_KEY_FILE', 'wants a certificate'],
    ['ours is of another authority', { client: 'other' }, 'ETCD_CERT_FILE and ETCD_KEY_FILE', 'wants a '],
    [
      'we speak no TLS',
      { scheme: 'http:' },
      'ETCD_ENDPOINTS',
      'closed the connection; does it want https://?',
    ],
  ] as const)('is told apart when %s', async ([, wrong, setting, text]) => {
    const store = await open(server, {
      ...files(client),
      ...('ca' in wrong && { ca: { file: other.cert } }),
      ...('client' in wrong &&
        (wrong.client === 'none' ? { cert: undefined, key: undefined } : files(other))),
      ...('scheme' in wrong && { endpoints: [server.endpoint.replace('https:', wrong.scheme)] }),
    });
    const failures = await Promise.allSettled([store.get('a'), put(store, 'a')]);
    for (const failure of failures) {
      const { message } = failure.status === 'rejected' ? (failure.reason as Error) : new Error('none');
      expect(message.startsWith(unavailable)).toBe(true);
      expect(message).toContain(`127.0.0.1:${new URL(server.endpoint).port}: ${text}`);
      expect(message.endsWith(`; check ${setting}`)).toBe(true);
    }
  });

  test('cannot be named with certificates that are missing, foreign or no certificates', async () => {
    const refused = async (config: Partial<EtcdConfig>): Promise<string> =>
      await open(server, config).then(
        () => '',
        (error: unknown) => String(error),
      );
    expect(await refused({ ca: { file: '/nowhere/ca.crt' } })).toMatch(
      /ENOENT.*\/nowhere\/ca.crt.*; check ETCD_CA_CERT_FILE$/,
    );
    expect(await refused({ cert: { file: client.cert } })).toMatch(
      /ETCD_CERT_FILE is set without ETCD_KEY_FILE/,
    );
    expect(await refused({ cert: { file: client.cert }, key: { file: other.key } })).toMatch(
      /belong together/,
    );
    expect(await refused({ ca: { text: 'no PEM' } })).toMatch(/ETCD_CA_CERT_FILE/);
  });
});

describe('an etcd that asks for users', () => {
  let server: EtcdServer;

  beforeAll(async () => {
    server = await startEtcd({ args: ['--auth-token-ttl=1'] });
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    for (const [name, password] of [
      ['root', 'r'],
      ['calico', 'c'],
    ]) {
      await server.ask('auth/user/add', { name, password });
    }
    await server.ask('auth/role/add', { name: 'root' });
    await server.ask('auth/role/add', { name: 'calico' });
    const perm = { permType: 'READWRITE', key: base64('/calico/'), range_end: base64('/calico0') };
    await server.ask('auth/role/grant', { name: 'calico', perm });
    await server.ask('auth/user/grant', { user: 'root', role: 'root' });
    await server.ask('auth/user/grant', { user: 'calico', role: 'calico' });
    await server.ask('auth/enable', {});
  });
  afterAll(async () => {
    await server.dispose();
  });
  const calico = { username: 'calico', password: 'c' };

  test('serves a user with a role for our keys', async () => {
    const store = await open(server, calico);
    const follower = follow(store, ['/calico/v1/', '/calico/bgp/v1/']);
    await put(store, '/calico/v1/a');
    await follower.until(() => follower.content.has('/calico/v1/a'));
    expect((await store.list('/calico/')).entries).toHaveLength(1);
    await follower.stop();
  });

  test('lets such a user delete prefixes, and put keys that go by themselves', async () => {
    const store = await open(server, calico);
    const prefix = '/calico/v1/host/n/';
    await put(store, `${prefix}metadata`);
    const { revision } = await store.list(prefix);
    const result = await store.commit({
      conditions: [{ prefix, unchangedSince: revision }],
      writes: [
        { kind: 'delete-prefix', prefix },
        { kind: 'put', key: '/calico/felix/v1/host/n/status', value: 'x', ttlSeconds: 60 },
      ],
    });
    expect(result.committed).toBe(true);
    expect((await store.list(prefix)).entries).toEqual([]);
  });

  test('is asked for a new token when the old one was forgotten', async () => {
    const store = await open(server, calico);
    await put(store, '/calico/v1/a');
    await delay(2500); // tokens live for 1 s without use, and are looked at every second
    await put(store, '/calico/v1/b');
    expect(await store.get('/calico/v1/b')).toBeDefined();
    await delay(2500);
    const follower = follow(store, '/calico/v1/');
    await follower.until(() => follower.content.has('/calico/v1/b'));
    await follower.stop();
  });

  test('has its watches opened again with a new token after a restart', async () => {
    const store = await open(server, calico);
    const follower = follow(store, '/calico/v1/');
    await follower.until(() => follower.events.length === 1);
    await server.restart();
    await put(await open(server, calico), '/calico/v1/again');
    await follower.until(() => follower.content.has('/calico/v1/again'));
    expect(follower.events.map(event => event.kind)).toEqual(['listing', 'changes']);
    await follower.stop();
  });

  test.for([
    [
      'a wrong password',
      { username: 'calico', password: 'x' },
      'wrong user or password; check ETCD_USERNAME',
    ],
    ['an unknown user', { username: 'bob', password: 'c' }, 'wrong user or password; check ETCD_USERNAME'],
    ['no user', {}, 'etcd asks who we are; set ETCD_USERNAME and ETCD_PASSWORD'],
    ['a user without a password', { username: 'calico' }, 'etcd asks who we are; set ETCD_USERNAME'],
  ] as const)('refuses %s, and says so to calls and watches', async ([, config, text]) => {
    const store = await open(server, config);
    const refusal = {
      code: 'unauthorized',
      message: expect.stringContaining(`${unauthorized} ${server.endpoint}: ${text}`),
    };
    await expect(store.get('/calico/a')).rejects.toMatchObject(refusal);
    await expect(put(store, '/calico/a')).rejects.toMatchObject(refusal);
    await expect(
      store.watch('/calico/', { afterRevision: 1 })[Symbol.asyncIterator]().next(),
    ).rejects.toMatchObject({ code: 'unauthorized' });
  });

  test('refuses keys that are not of our role', async () => {
    const store = await open(server, calico);
    const refusal = {
      code: 'unauthorized',
      message: `${unauthorized} ${server.endpoint}: permission denied; check the role of ETCD_USERNAME (or of the name in ETCD_CERT_FILE)`,
    };
    await expect(store.list('/other/')).rejects.toMatchObject(refusal);
    await expect(put(store, '/other/a')).rejects.toMatchObject(refusal);
    await expect(
      store.watch('/other/', { afterRevision: 1 })[Symbol.asyncIterator]().next(),
    ).rejects.toMatchObject(refusal);
  });
});

describe('an etcd that asks for nothing', () => {
  test('serves also who has a password', async () => {
    const server = await startEtcd();
    const store = await open(server, { username: 'u', password: 'p' });
    await put(store, 'a');
    expect(await store.get('a')).toMatchObject({ value: 'x' });
    await store.close();
    await server.dispose();
  });
});
