import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LabHost, LabWorkload } from '../../src/lab/index.js';
import { parseResource } from '../../src/resources/index.js';
import type { Resource } from '../../src/resources/index.js';
import { createAgentLab } from '../support/agent-lab.js';
import type { AgentLab } from '../support/agent-lab.js';
import { eventually } from '../support/netns.js';

let lab: AgentLab;
let host: LabHost;
let web: LabWorkload;
let db: LabWorkload;

beforeAll(async () => {
  const workloads = ['web', 'db'].map(name => ({ name, labels: { role: name } }));
  lab = await createAgentLab('agent', { hosts: [{ name: 'host1', workloads }] });
  [host] = lab.plan.hosts as readonly [LabHost]; // as planned above
  [web, db] = host.workloads as readonly [LabWorkload, LabWorkload];
});

afterAll(async () => {
  await lab.remove();
});

/** What is answered over TCP on the host; its status, or the end of the connection as 0. */
async function fetched(
  port: number,
  path: string,
): Promise<{ readonly status: number; readonly body: string }> {
  const script = `fetch('http://localhost:${String(port)}${path}').then(async answer =>
    console.log(JSON.stringify({ status: answer.status, body: await answer.text() })),
    () => console.log('{"status":0,"body":""}'))`;
  const { stdout } = await lab.run(host.netns, process.execPath, '-e', script);
  return JSON.parse(stdout) as { readonly status: number; readonly body: string }; // printed above
}

describe('an agent', () => {
  test('answers health and metrics over loopback when the datastore says so, and no longer when it does not', async () => {
    expect(await fetched(9099, '/ready')).toEqual({ status: 0, body: '' });
    await lab.felix('HealthEnabled', 'true');
    await lab.felix('PrometheusMetricsEnabled', 'true');
    await lab.felix('PrometheusMetricsPort', '19091');
    await eventually('metrics are answered', async () => (await fetched(19_091, '/metrics')).status === 200);
    expect(await fetched(9099, '/readiness')).toEqual({ status: 200, body: 'ready\n' });
    expect(await fetched(9099, '/live')).toEqual({ status: 200, body: 'live\n' });
    expect((await fetched(9099, '/status')).status).toBe(404);
    const { body } = await fetched(19_091, '/metrics');
    expect(body).toMatch(/^felix_active_local_endpoints 2$/m);
    expect(body).toMatch(/^felix_resync_state 3$/m);
    expect(body).toMatch(/^felix_route_table_num_routes [4-9]$/m);
    for (const name of ['HealthEnabled', 'PrometheusMetricsEnabled', 'PrometheusMetricsPort'])
      await lab.felix(name, undefined);
    await eventually('health is silent', async () => (await fetched(9099, '/live')).status === 0);
  });

  test('leads floating addresses to their workload under its policy, also from itself, and no longer when they go', async () => {
    const [endpoint] = await lab.client.list('workloadEndpoint', { workload: 'lab.db' });
    if (endpoint?.kind !== 'workloadEndpoint') throw new Error('the database has no endpoint');
    const own = (endpoint.spec.ipNetworks ?? []).map(net => net.replace(/\/.*/, ''));
    const floating = ['203.0.113.5', '2001:db8:113::5'];
    const ipNATs = floating.map((externalIP, at) => ({ internalIP: own[at] ?? '', externalIP }));
    const apply = async (...resources: readonly Resource[]): Promise<void> => {
      await lab.client.write(resources.map(each => ({ verb: 'apply', resource: each })));
    };
    // One after the other: each begins to answer where nobody does yet.
    const reached = async (): Promise<readonly boolean[]> => {
      const answers: boolean[] = [];
      for (const from of [web.netns, host.netns, db.netns]) {
        for (const address of floating) answers.push(await lab.connects(from, db.netns, address));
      }
      return answers;
    };
    const all = (...values: readonly boolean[]): string =>
      JSON.stringify(values.flatMap(each => [each, each]));
    await apply({ ...endpoint, spec: { ...endpoint.spec, ipNATs } });
    await eventually('all reach it', async () => JSON.stringify(await reached()) === all(true, true, true));
    // Its own host is never policed, and of itself it sees its own policy.
    const closed = parseResource({
      apiVersion: 'v1',
      kind: 'policy',
      metadata: { name: 'closed' },
      spec: {
        selector: "role == 'db'",
        ingress: [{ action: 'allow', source: { selector: "role == 'db'" } }],
        egress: [{ action: 'allow' }],
      },
    });
    if (!closed.ok) throw new Error('not a policy');
    await apply(closed.resource);
    await eventually('it is closed', async () => JSON.stringify(await reached()) === all(false, true, true));
    await lab.client.write([{ verb: 'delete', resource: closed.resource }]);
    await apply(endpoint);
    await eventually('they are gone', async () => !(await reached()).includes(true));
    const routes = await lab.run(host.netns, 'ip', 'route', 'show', '203.0.113.5');
    expect(routes.stdout + (await lab.ruleset(host))).not.toMatch(/203\.0\.113\.5|float-/);
  });

  test('takes a parameter out of the datastore at once, and tells where it comes from', async () => {
    const action = 'DefaultEndpointToHostAction';
    const toHost = async (): Promise<boolean> => await lab.connects(web.netns, host.netns, host.ipv4);
    expect(await toHost()).toBe(false);
    await lab.felix(action, 'ACCEPT');
    await eventually('the host can be reached', toHost);
    expect(await lab.status(host)).toMatchObject({
      config: { [action]: { value: 'ACCEPT', from: 'datastore, global' } },
    });
    await lab.felix(action, 'perhaps');
    await eventually('the problem is told', async () => (await lab.status(host)).reasons.length > 0);
    expect(await lab.reaches(web.netns, host.netns, host.ipv4)).toBe(true);
    await lab.felix(action, undefined);
    await eventually('the host cannot be reached', async () => !(await toHost()));
    expect(await lab.complaints(host)).toEqual([]);
  });

  test('says in words how it and its endpoints are, and which stored object is not in force', async () => {
    expect(await lab.calicoNode(host, 'status')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(
        /^node host1 \(process \d+\): ready, up \d+ s\ndatastore: sqlite, answers; revision \d+ is in force\nendpoints: 2 up, 0 down, 0 error\ndropped:/,
      ),
    });
    const key = '/calico/v1/policy/tier/default/policy/broken';
    await lab.store.commit({ writes: [{ kind: 'put', key, value: '{' }] });
    await eventually('it is told', async () => (await lab.status(host)).problems.length === 1);
    expect((await lab.status(host)).problems).toMatchObject([{ object: 'Policy(name=broken)' }]);
    expect((await lab.calicoNode(host, 'status')).stdout).toContain('\n  Policy(name=broken): ');
    await lab.store.commit({ writes: [{ kind: 'delete', key }] });
    await eventually('it is over', async () => (await lab.status(host)).problems.length === 0);
  });

  test('counts what others changed and it repaired, and nothing else', async () => {
    const repairs = async (): Promise<string> => JSON.stringify((await lab.status(host)).repairs);
    expect(await repairs()).toBe('{"table":0,"route":0,"setting":0}');
    const route = (await lab.run(host.netns, 'ip', 'route', 'show', 'proto', '80')).stdout.split(/\s+/);
    const [address = '', link = ''] = [route[0], route[2]];
    await lab.run(host.netns, 'ip', 'route', 'del', address, 'dev', link);
    await eventually('the route', async () => (await repairs()).includes('"route":1'));
    await lab.run(host.netns, 'sysctl', '-q', '-w', `net.ipv4.conf.${link}.proxy_arp=0`);
    await eventually('the setting', async () => (await repairs()).includes('"setting":1'));
    await lab.run(host.netns, 'nft', 'flush', 'chain', 'inet', 'calico', 'next-from');
    await eventually('the table', async () => (await repairs()) === '{"table":1,"route":1,"setting":1}');
    expect((await lab.calicoNode(host, 'status')).stdout).toMatch(/^repaired: table 1, route 1, setting 1$/m);
  });

  test('tells of its endpoints, the policies over them, the datastore and the BGP daemon', async () => {
    const traffic = async () => {
      const { endpoints } = await lab.status(host);
      return endpoints.find(endpoint => endpoint.id.includes('lab.web'))?.traffic;
    };
    const before = await traffic();
    const [, address = ''] = /inet (10[0-9.]+)/.exec((await lab.run(web.netns, 'ip', 'addr')).stdout) ?? [];
    expect(await lab.reaches(db.netns, web.netns, address)).toBe(true);
    const after = await traffic();
    for (const way of ['in', 'out'] as const) {
      expect(after?.[way].packets).toBeGreaterThan(before?.[way].packets ?? Infinity);
      expect(after?.[way].bytes).toBeGreaterThan(before?.[way].bytes ?? Infinity);
    }
    const { endpoints, ...rest } = await lab.status(host);
    expect(rest).toMatchObject({
      node: 'host1',
      ready: true,
      datastore: { type: 'sqlite', answers: true },
      bgp: { peers: [] },
    });
    expect(endpoints.find(endpoint => endpoint.id.includes('lab.web'))).toMatchObject({
      state: 'up',
      addresses: [expect.stringMatching(/^10\.65\./), expect.stringMatching(/^fd80:65:/)],
      policies: { ingress: [], egress: [] },
      profiles: ['lab'],
    });
  });

  test('keeps what is in force while the datastore is not ready, and takes all of it when it is', async () => {
    const ready = async (value: string): Promise<void> => {
      await lab.store.commit({ writes: [{ kind: 'put', key: '/calico/v1/Ready', value }] });
    };
    const reasons = async (): Promise<string> => (await lab.status(host)).reasons.join();
    const action = 'DefaultEndpointToHostAction';
    await ready('false');
    await eventually('it is told', async () => (await reasons()).includes('is not ready'));
    await lab.felix(action, 'ACCEPT');
    expect((await lab.status(host)).ready).toBe(true);
    expect(await lab.calicoNode(host, 'status')).toMatchObject({ exitCode: 0 });
    expect((await lab.status(host)).config[action]).toBeUndefined();
    // At its start it waits.
    lab.kill(host, 'SIGTERM');
    await eventually('it has ended', () => lab.pid(host) === 0);
    const run = lab.calicoNode(host);
    await eventually('it says what it waits for', async () =>
      (await reasons().catch(() => '')).includes('is not ready'),
    );
    expect((await lab.status(host)).ready).toBe(false);
    await ready('true');
    await eventually('it is ready', async () => (await lab.status(host)).ready);
    expect((await lab.status(host)).config).toMatchObject({ [action]: { value: 'ACCEPT' } });
    await lab.felix(action, undefined);
    lab.kill(host, 'SIGTERM');
    expect(await run).toMatchObject({ exitCode: 0 });
    await lab.heal();
    expect(await lab.complaints(host)).toEqual([]);
  });

  test('writes its own status and, when it shall, that of its endpoints to the datastore', async () => {
    const base = '/calico/felix/v1/host/host1';
    const stored = async (key: string): Promise<string> =>
      (await lab.store.get(`${base}${key}`))?.value ?? '';
    await lab.felix('ReportingIntervalSecs', '1');
    await lab.felix('EndpointReportingEnabled', 'true');
    await lab.felix('EndpointReportingDelaySecs', '0');
    await eventually('it reports itself', async () => (await stored('/status')) !== '');
    expect(JSON.parse(await stored('/last_reported_status'))).toMatchObject({
      first_update: true,
      time: expect.stringMatching(/^20.*Z$/),
    });
    // As when the host is gone: nobody writes it any more, and then it goes by itself.
    await lab.felix('ReportingTTLSecs', '1');
    await lab.felix('ReportingIntervalSecs', '3');
    await eventually('its status goes', async () => (await stored('/status')) === '');
    await eventually('its status comes back', async () => (await stored('/status')) !== '');
    await lab.felix('ReportingTTLSecs', undefined);
    expect(await stored('/last_reported_status')).not.toBe('');
    const reports = async (text: string): Promise<boolean> =>
      (await stored('/workload/k8s/lab.web/endpoint/eth0')).startsWith(text);
    const { endpoints } = await lab.status(host);
    const link = endpoints.find(endpoint => endpoint.id.includes('lab.web'))?.interface ?? '';
    await eventually('the endpoint is up', async () => await reports('{"status":"up"}'));
    await lab.run(host.netns, 'ip', 'link', 'set', link, 'down');
    await eventually('the endpoint is down', async () => await reports('{"status":"down","reason":'));
    await lab.run(host.netns, 'ip', 'link', 'set', link, 'up');
    await eventually('the endpoint is up again', async () => await reports('{"status":"up"}'));
    const uplink = parseResource({
      apiVersion: 'v1',
      kind: 'hostEndpoint',
      metadata: { node: 'host1', name: 'uplink' },
      spec: { interfaceName: 'eth9', profiles: ['lab'] },
    });
    if (!uplink.ok) throw new Error('not a host endpoint');
    await lab.client.write([{ verb: 'create', resource: uplink.resource }]);
    await eventually('the host endpoint is down', async () =>
      (await stored('/endpoint/uplink')).startsWith('{"status":"down"'),
    );
    await lab.run(host.netns, 'ip', 'link', 'add', 'eth9', 'type', 'veth', 'peer', 'eth8');
    await lab.run(host.netns, 'ip', 'link', 'set', 'eth8', 'up');
    await lab.run(host.netns, 'ip', 'link', 'set', 'eth9', 'up');
    await eventually(
      'the host endpoint is up',
      async () => (await stored('/endpoint/uplink')) === '{"status":"up"}',
    );
    await lab.client.write([{ verb: 'delete', resource: uplink.resource }]);
    await eventually('its report is gone', async () => (await stored('/endpoint/uplink')) === '');
    await lab.run(host.netns, 'ip', 'link', 'del', 'eth9');
    for (const name of ['ReportingIntervalSecs', 'EndpointReportingEnabled', 'EndpointReportingDelaySecs'])
      await lab.felix(name, undefined);
    await eventually('no report gets old', async () => !(await reports('{')));
  });

  test('ends when it is asked to, and leaves the kernel as it is', async () => {
    const before = await lab.ruleset(host);
    lab.kill(host, 'SIGTERM');
    await eventually('it has ended', () => lab.pid(host) === 0);
    expect(await lab.ruleset(host)).toBe(before);
    await lab.heal();
    expect(await lab.ruleset(host)).toBe(before);
  });

  // The last one: the host's own IPv6 addresses do not come back.
  test('gives workloads their IPv4 on a host whose IPv6 is switched off, and is ready', async () => {
    await lab.run(host.netns, 'sysctl', '-q', '-w', 'net.ipv6.conf.all.disable_ipv6=1');
    const routes = async (): Promise<string> =>
      (await lab.run(host.netns, 'ip', 'route', 'show', 'proto', '80')).stdout;
    const before = await routes();
    expect(before).toContain('cali');
    lab.kill(host, 'SIGTERM');
    await eventually('it has ended', () => lab.pid(host) === 0);
    await lab.heal();
    expect(await lab.status(host)).toMatchObject({ ready: true, problems: [] });
    expect(await routes()).toBe(before);
  });
});
