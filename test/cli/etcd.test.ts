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

/** Three policies, four workload endpoints, a profile, a host endpoint and a pool in ten. */
function mixedResource(index: number): unknown {
  const n = String(index);
  const of = (kind: string, metadata: object, spec: object = {}): unknown => ({
    apiVersion: 'v1',
    kind,
    metadata,
    spec,
  });
  switch (index % 10) {
    case 0:
      return of('profile', { name: n, tags: [n] });
    case 1:
      return of('hostEndpoint', { node: 'n', name: n }, { interfaceName: `eth${n}` });
    case 2:
      return of('ipPool', { cidr: `10.${String(index >> 8)}.${String(index & 255)}.0/24` });
    case 3:
    case 4:
    case 5:
      return of('policy', { name: n }, { order: index, selector: `app == '${n}'` });
    default:
      return of(
        'workloadEndpoint',
        { node: 'n', orchestrator: 'k8s', workload: n, name: 'eth0' },
        { interfaceName: `cali${n}` },
      );
  }
}

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

  test('is named by the fields of the configuration file when it does not answer', async () => {
    const path = join(calicoctl.directory, 'unreachable.cfg');
    for (const endpoint of ['http://127.0.0.1:1', 'nonsense']) {
      writeFileSync(path, `apiVersion: v1\nkind: calicoApiConfig\nspec: {etcdEndpoints: "${endpoint}"}\n`);
      const { code, out } = await run(`get policy -c ${path}`, { ETCD_ENDPOINTS: server.endpoint });
      expect(code).toBe(1);
      expect(out).toMatch(/^Failed to .* etcdEndpoints\b[^\n]*\n$/);
      expect(out.trimEnd().endsWith(` (${path})`)).toBe(true);
      expect(out).not.toContain('ETCD_');
    }
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

  test('writes ten thousand mixed resources in parts, and takes them back', async () => {
    const env = { ETCD_ENDPOINTS: server.endpoint };
    await server.empty();
    const before = await run('apply -f -', env, policy('before'));
    expect(before.code).toBe(0);
    const mixed = Array.from({ length: 10_000 }, (_, index) => JSON.stringify(mixedResource(index)));
    expect((await run('apply --no-atomic -f -', env, mixed.join('\n---\n'))).out).toBe(
      'Successfully applied 10000 resource(s)\n',
    );
    const count = async (kind: string): Promise<number> =>
      (await run(`get ${kind} -o name`, env)).out.trimEnd().split('\n').length;
    expect(await Promise.all(['policy', 'workloadEndpoint'].map(count))).toEqual([3001, 4000]);
    const history = JSON.parse((await run('history --limit 0 -o json', env)).out) as { revision: number }[];
    const first = history.at(-1)?.revision ?? 0;
    const back = await run(`rollback --to=${String(first)} --no-atomic`, env);
    expect(back.out).toMatch(
      /^Successfully rolled back to revision \d+: 6000 deleted .*\nLeft alone: 4000 workloadEndpoint /,
    );
    expect((await run('get policy -o name', env)).out).toBe('policy/before\n');
  });

  test.for([
    [
      'http://127.0.0.1:1',
      /cluster is unavailable or misconfigured: http:\/\/127.0.0.1:1: connection refused; check ETCD_ENDPOINTS$/,
    ],
    ['etcd1:2379', /ETCD_ENDPOINTS='etcd1:2379': expected a URL such as http:\/\/10.0.0.1:2379, or unix:/],
  ] as const)('ends soon in one line that says what to check: %s', async ([endpoints, words]) => {
    const began = performance.now();
    const ran = await run('get policy', { ETCD_ENDPOINTS: endpoints });
    expect(performance.now() - began).toBeLessThan(20_000);
    expect(ran.code).toBe(1);
    expect(`${ran.out}${ran.err}`.trimEnd()).toMatch(words);
    expect(`${ran.out}${ran.err}`.trimEnd()).not.toContain('\n');
  });
});
