import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askSocket, runProgram, systemClock } from '../../src/base/index.js';
import { createResourceClient, openStore } from '../../src/datastore/index.js';
import type { ResourceClient, Store } from '../../src/datastore/index.js';
import {
  agentPid,
  connectInLab,
  controlSocket,
  labDown,
  labUp,
  netnsPath,
  planLab,
  storeDirectory,
} from '../../src/lab/index.js';
import type { LabHost, LabPlan, LabWorkload } from '../../src/lab/index.js';
import type { AgentStatus } from '../../src/node/index.js';
import { builtInstallation } from '../support/installation.js';
import type { Installation } from '../support/installation.js';
import { eventually } from '../support/netns.js';

const plan: LabPlan = planLab(`ta${String(process.pid)}`, {
  hosts: [
    {
      name: 'host1',
      workloads: [
        { name: 'web', labels: { role: 'web' } },
        { name: 'db', labels: { role: 'db' } },
      ],
    },
  ],
});
const [host] = plan.hosts as readonly [LabHost]; // as planned above
const [web] = host.workloads as readonly [LabWorkload, LabWorkload];

let installation: Installation;
let store: Store;
let client: ResourceClient;

const context = () => ({ paths: installation.paths, clock: systemClock, say: () => undefined });

beforeAll(async () => {
  installation = await builtInstallation();
  await labUp(context(), plan);
  store = await openStore({ type: 'sqlite', directory: storeDirectory(installation.paths, plan) });
  client = createResourceClient(store);
});

afterAll(async () => {
  await store.close();
  await labDown(context(), plan);
  installation.remove();
});

async function ruleset(): Promise<string> {
  const args = [`--net=${netnsPath(host.netns)}`, 'nft', '-s', 'list', 'table', 'inet', 'calico'];
  return (await runProgram('nsenter', args)).stdout;
}

/** Whether a new TCP connection from one place to the other is answered. */
async function connects(from: string, to: string, address: string): Promise<boolean> {
  const { outcome } = await connectInLab({
    node: process.execPath,
    program: installation.probe,
    fromNetns: from,
    toNetns: to,
    address,
    service: 'tcp:8080',
    timeoutMs: 300,
  });
  return outcome === 'answered';
}

async function status(): Promise<AgentStatus> {
  const answer = await askSocket(controlSocket(installation.paths, plan, host), '/status');
  return JSON.parse(answer.body) as AgentStatus;
}

function pid(): number {
  const found = agentPid(host);
  if (found === undefined) throw new Error('no agent runs');
  return found;
}

/** What is answered over TCP on the host; its status, or the end of the connection as 0. */
async function fetched(
  port: number,
  path: string,
): Promise<{ readonly status: number; readonly body: string }> {
  const script = `fetch('http://localhost:${String(port)}${path}').then(async answer =>
    console.log(JSON.stringify({ status: answer.status, body: await answer.text() })),
    () => console.log('{"status":0,"body":""}'))`;
  const args = [`--net=${netnsPath(host.netns)}`, process.execPath, '-e', script];
  const { stdout } = await runProgram('nsenter', args);
  return JSON.parse(stdout) as { readonly status: number; readonly body: string }; // printed above
}

describe('an agent', () => {
  test('answers health and metrics over loopback when the datastore says so, and no longer when it does not', async () => {
    const felix = async (name: string, value: string | undefined): Promise<void> =>
      await client.setSetting({ component: 'felix', name }, value);
    expect(await fetched(9099, '/ready')).toEqual({ status: 0, body: '' });
    await felix('HealthEnabled', 'true');
    await felix('PrometheusMetricsEnabled', 'true');
    await felix('PrometheusMetricsPort', '19091');
    await eventually('metrics are answered', async () => (await fetched(19_091, '/metrics')).status === 200);
    expect(await fetched(9099, '/readiness')).toEqual({ status: 200, body: 'ready\n' });
    expect(await fetched(9099, '/live')).toEqual({ status: 200, body: 'live\n' });
    expect((await fetched(9099, '/status')).status).toBe(404);
    const { body } = await fetched(19_091, '/metrics');
    expect(body).toMatch(/^felix_active_local_endpoints 2$/m);
    expect(body).toMatch(/^felix_resync_state 3$/m);
    expect(body).toMatch(/^felix_route_table_num_routes [4-9]$/m);
    for (const name of ['HealthEnabled', 'PrometheusMetricsEnabled', 'PrometheusMetricsPort'])
      await felix(name, undefined);
    await eventually('health is silent', async () => (await fetched(9099, '/live')).status === 0);
  });

  test('takes a parameter out of the datastore at once, and tells where it comes from', async () => {
    const action = { component: 'felix', name: 'DefaultEndpointToHostAction' } as const;
    const toHost = async (): Promise<boolean> => await connects(web.netns, host.netns, host.ipv4);
    expect(await toHost()).toBe(false);
    await client.setSetting(action, 'ACCEPT');
    await eventually('the host can be reached', toHost);
    expect(await status()).toMatchObject({
      config: { DefaultEndpointToHostAction: { value: 'ACCEPT', from: 'datastore, global' } },
    });
    await client.setSetting(action, 'perhaps');
    await eventually('the problem is told', async () => (await status()).reasons.length > 0);
    expect(await toHost()).toBe(true);
    await client.setSetting(action, undefined);
    await eventually('the host cannot be reached', async () => !(await toHost()));
    expect((await status()).reasons).toEqual([]);
  });

  test('tells of its endpoints, the policies over them, the datastore and the BGP daemon', async () => {
    const { endpoints, ...rest } = await status();
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

  test('writes its own status and, when it shall, that of its endpoints to the datastore', async () => {
    const felix = async (name: string, value: string | undefined): Promise<void> =>
      await client.setSetting({ component: 'felix', name }, value);
    const base = '/calico/felix/v1/host/host1';
    await felix('ReportingIntervalSecs', '1');
    await felix('EndpointReportingEnabled', 'true');
    await felix('EndpointReportingDelaySecs', '0');
    await eventually('it reports itself', async () => (await store.get(`${base}/status`)) !== undefined);
    const report = JSON.parse((await store.get(`${base}/last_reported_status`))?.value ?? '') as unknown;
    expect(report).toMatchObject({ first_update: true, time: expect.stringMatching(/^20.*Z$/) });
    const key = `${base}/workload/k8s/lab.web/endpoint/eth0`;
    const is = async (value: string): Promise<boolean> =>
      (await store.get(key))?.value.startsWith(value) ?? false;
    await eventually('the endpoint is up', async () => await is('{"status":"up"}'));
    const link =
      (await status()).endpoints.find(endpoint => endpoint.id.includes('lab.web'))?.interface ?? '';
    const onHost = [`--net=${netnsPath(host.netns)}`, 'ip', 'link', 'set', link];
    await runProgram('nsenter', [...onHost, 'down']);
    await eventually('the endpoint is down', async () => await is('{"status":"down","reason":'));
    await runProgram('nsenter', [...onHost, 'up']);
    await eventually('the endpoint is up again', async () => await is('{"status":"up"}'));
    for (const name of ['ReportingIntervalSecs', 'EndpointReportingEnabled', 'EndpointReportingDelaySecs'])
      await felix(name, undefined);
  });

  test('ends within a second when it is asked to, and leaves the kernel as it is', async () => {
    const before = await ruleset();
    process.kill(pid(), 'SIGTERM');
    await eventually('it has ended', () => agentPid(host) === undefined, 1_000);
    expect(await ruleset()).toBe(before);
    await labUp(context(), plan);
    expect(await ruleset()).toBe(before);
  });
});
