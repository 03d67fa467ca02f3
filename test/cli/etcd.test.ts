import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEtcd } from '../contract/support/etcd-server.js';
import type { EtcdServer } from '../contract/support/etcd-server.js';
import { builtCalicoctl } from './program.js';
import type { Calicoctl, Ran } from './program.js';

let calicoctl: Calicoctl;
let server: EtcdServer;

beforeAll(async () => {
  [calicoctl, server] = await Promise.all([builtCalicoctl(), startEtcd()]);
});
afterAll(async () => {
  await server.dispose();
  calicoctl.remove();
});

const run = async (line: string, env: Readonly<Record<string, string>>, input = ''): Promise<Ran> =>
  await calicoctl.run(line.split(' '), { input, env });

const policy = (name: string): string =>
  `apiVersion: v1\nkind: policy\nmetadata: {name: ${name}}\nspec: {}\n`;

describe('calicoctl over etcd', () => {
  test('finds in one process what another one has written', async () => {
    const env = { ETCD_ENDPOINTS: `http://127.0.0.1:1,${server.endpoint}` };
    expect(await run('apply -f -', env, `${policy('a')}---\n${policy('b')}`)).toMatchObject({
      code: 0,
      out: "Successfully applied 2 'policy' resource(s)\n",
    });
    const authority = { ETCD_AUTHORITY: new URL(server.endpoint).host, ETCD_SCHEME: 'http' };
    expect((await run('get policy', authority)).out).toBe('NAME   \na      \nb      \n\n');
    expect((await run('delete policy a', env)).code).toBe(0);
    expect((await run('get policy -o name', env)).out).toBe('policy/b\n');
  });

  test('takes the endpoints of a configuration file', async () => {
    mkdirSync(join(calicoctl.directory, 'etcd'));
    const path = join(calicoctl.directory, 'etcd', 'calicoctl.cfg');
    const spec = `{datastoreType: etcdv2, etcdEndpoints: "${server.endpoint}"}`;
    writeFileSync(path, `apiVersion: v1\nkind: calicoApiConfig\nmetadata:\nspec: ${spec}\n`);
    const env = { ETCD_ENDPOINTS: 'http://127.0.0.1:1' };
    expect((await run(`get policy b -c ${path}`, env)).out).toBe('NAME   \nb      \n\n');
  });

  test('writes nothing of a file that is too large for one transaction, and says what would', async () => {
    const env = { ETCD_ENDPOINTS: server.endpoint };
    const many = Array.from({ length: 200 }, (_, index) => policy(`many-${String(index)}`)).join('---\n');
    const refused = await run('create -f -', env, many);
    expect(refused.code).toBe(1);
    expect(refused.out).toContain(
      'a change of 200 keys and its entry in the history; etcd takes 128 in one transaction; nothing was written',
    );
    expect(refused.out).toContain('--no-atomic');
    expect((await run('get policy -o name', env)).out).toBe('policy/b\n');
    expect((await run('create --no-atomic -f -', env, many)).out).toBe(
      "Successfully created 200 'policy' resource(s)\n",
    );
    expect((await run('get policy -o name', env)).out.split('\n')).toHaveLength(202);
  });

  test.for([
    [
      'http://127.0.0.1:1',
      /cluster is unavailable or misconfigured: http:\/\/127.0.0.1:1: connection refused; check ETCD_ENDPOINTS$/,
    ],
    ['etcd1:2379', /ETCD_ENDPOINTS='etcd1:2379': expected a URL such as http:\/\/10.0.0.1:2379, or unix:/],
  ] as const)('ends within 5 s in one line that says what to check: %s', async ([endpoints, words]) => {
    const began = performance.now();
    const ran = await run('get policy', { ETCD_ENDPOINTS: endpoints });
    expect(performance.now() - began).toBeLessThan(5000);
    expect(ran.code).toBe(1);
    expect(`${ran.out}${ran.err}`.trimEnd()).toMatch(words);
    expect(`${ran.out}${ran.err}`.trimEnd()).not.toContain('\n');
  });
});
