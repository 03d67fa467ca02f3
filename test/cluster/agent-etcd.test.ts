import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createResourceClient } from '../../src/datastore/index.js';
import type { LabHost, LabWorkload } from '../../src/lab/index.js';
import { parseResource } from '../../src/resources/index.js';
import type { Resource } from '../../src/resources/index.js';
import { createAgentLab } from '../support/agent-lab.js';
import type { AgentLab } from '../support/agent-lab.js';
import { changeUnseen, killEtcd } from '../support/datastore-away.js';
import { eventually } from '../support/netns.js';
import { undisturbed } from '../support/streams.js';
import type { Streams } from '../support/streams.js';

let lab: AgentLab;
let host: LabHost;
let web: LabWorkload;
let db: LabWorkload;
let visitor: LabWorkload;
let streams: Streams;

function policy(name: string, selector: string, source: string): Resource {
  const parsed = parseResource({
    apiVersion: 'v1',
    kind: 'policy',
    metadata: { name },
    spec: {
      selector,
      ingress: [{ action: 'allow', source: { selector: source } }],
      egress: [{ action: 'allow' }],
    },
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.resource;
}

const onlyFrom = (source: string): Resource => policy('database', "role == 'db'", `role == '${source}'`);
const closing = policy('closing', "role == 'web'", "role == 'nobody'");

const reaches = async (from: LabWorkload): Promise<boolean> =>
  await lab.connects(from.netns, db.netns, streams.address);

beforeAll(async () => {
  const workloads = ['web', 'db', 'visitor'].map(name => ({ name, labels: { role: name } }));
  lab = await createAgentLab('life-etcd', { datastore: 'etcd', hosts: [{ name: 'host1', workloads }] });
  [host] = lab.plan.hosts as readonly [LabHost]; // as planned above
  [web, db, visitor] = host.workloads as readonly [LabWorkload, LabWorkload, LabWorkload];
  const { endpoints } = await lab.status(host);
  const address = endpoints.find(endpoint => endpoint.id.includes('lab.db'))?.addresses[0] ?? '';
  streams = { lab, to: db, address, allowed: web, denied: visitor };
  for (const name of ['PrometheusMetricsEnabled', 'HealthEnabled']) await lab.felix(name, 'true');
  await lab.client.write([onlyFrom('web'), closing].map(each => ({ verb: 'apply', resource: each })));
  await eventually('policy is in force', async () => (await reaches(web)) && !(await reaches(visitor)));
});

afterAll(async () => {
  await lab.remove();
});

/** What the agent says over TCP on its host. */
async function fetched(url: string): Promise<string> {
  const script = `fetch('${url}').then(async answer => console.log(answer.status, await answer.text()))`;
  return (await lab.run(host.netns, process.execPath, '-e', script)).stdout;
}

/** The agent has noticed: it goes on, and says so wherever one looks. */
async function isTold(): Promise<void> {
  await eventually('its status tells', async () => {
    const { ready, datastore, reasons } = await lab.status(host);
    return (
      ready && !datastore.answers && reasons.some(each => each.startsWith('the datastore does not answer'))
    );
  });
  expect(await fetched('http://localhost:9091/metrics')).toMatch(/^felix_resync_state 1$/m);
  expect(await fetched('http://localhost:9099/live')).toBe('200 live\n\n');
  expect(await lab.calicoNode(host, 'status')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('datastore: etcdv3, does not answer'),
  });
}

async function isWell(): Promise<void> {
  await eventually('nothing is wrong', async () => (await lab.status(host)).reasons.length === 0);
  expect(await fetched('http://localhost:9091/metrics')).toMatch(/^felix_resync_state 3$/m);
}

describe('an agent whose etcd is killed', () => {
  test('hurts no traffic, says so, and follows the datastore when it is back', async () => {
    const agent = lab.pid(host);
    await undisturbed(streams, async () => {
      await killEtcd(lab);
      await isTold();
      await lab.heal();
      await isWell();
    });
    await lab.client.write([{ verb: 'apply', resource: onlyFrom('nobody') }]);
    await eventually('the change is in force', async () => !(await reaches(web)));
    await lab.client.write([{ verb: 'apply', resource: onlyFrom('web') }]);
    await eventually('so is the next one', async () => await reaches(web));
    expect(lab.pid(host)).toBe(agent);
  });

  test('takes what it missed when etcd comes back without the history of it', async () => {
    const agent = lab.pid(host);
    await undisturbed(streams, async () => {
      await killEtcd(lab);
      await changeUnseen(lab, async store => {
        const client = createResourceClient(store);
        await client.write([{ verb: 'delete', resource: closing }]);
        const { revision } = await client.write([{ verb: 'apply', resource: onlyFrom('visitor') }]);
        return revision;
      });
      await isTold();
    });
    await lab.heal();
    await eventually('what was changed is in force', async () => await reaches(visitor));
    expect(await reaches(web)).toBe(false);
    await eventually('what was deleted is gone', async () => !(await lab.ruleset(host)).includes('closing'));
    await isWell();
    await lab.client.write([{ verb: 'apply', resource: onlyFrom('web') }]);
    await eventually('changes arrive again', async () => await reaches(web));
    expect(lab.pid(host)).toBe(agent);
  });
});
