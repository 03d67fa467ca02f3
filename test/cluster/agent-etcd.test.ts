import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/index.js';
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
let address: string;

function onlyFrom(source: string): Resource {
  const parsed = parseResource({
    apiVersion: 'v1',
    kind: 'policy',
    metadata: { name: 'database' },
    spec: {
      selector: "role == 'db'",
      ingress: [{ action: 'allow', source: { selector: `role == '${source}'` } }],
      egress: [{ action: 'allow' }],
    },
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.resource;
}

const isOpen = async (): Promise<boolean> => await lab.connects(web.netns, db.netns, address);

beforeAll(async () => {
  const workloads = ['web', 'db'].map(name => ({ name, labels: { role: name } }));
  lab = await createAgentLab('life-etcd', { datastore: 'etcd', hosts: [{ name: 'host1', workloads }] });
  [host] = lab.plan.hosts as readonly [LabHost]; // as planned above
  [web, db] = host.workloads as readonly [LabWorkload, LabWorkload];
  const { endpoints } = await lab.status(host);
  address = endpoints.find(endpoint => endpoint.id.includes('lab.db'))?.addresses[0] ?? '';
  await lab.client.write([{ verb: 'apply', resource: onlyFrom('web') }]);
  await eventually('policy is in force', isOpen);
});

afterAll(async () => {
  await lab.remove();
});

/** The lab's own etcd: it alone runs in the fabric of the lab by that name. */
async function etcdPid(): Promise<number> {
  const { netns } = lab.plan.fabric;
  const { stdout } = await lab.run(netns, 'ip', 'netns', 'pids', netns);
  for (const pid of stdout.split('\n').filter(line => line !== '')) {
    const { stdout: name } = await lab.run(netns, 'cat', `/proc/${pid}/comm`);
    if (name.trim() === 'etcd') return Number(pid);
  }
  throw new Error('the lab has no etcd');
}

describe('an agent whose etcd is killed', () => {
  test('hurts no traffic, says so, and follows the datastore when it is back', async () => {
    const agent = lab.pid(host);
    const words = ['steady', 'tcp:8080', address, '6'];
    const stream = lab.run(web.netns, process.execPath, lab.installation.probe, ...words);
    process.kill(await etcdPid(), 'SIGKILL');
    await eventually('it is told', async () => {
      const { ready, datastore } = await lab.status(host);
      return ready && !datastore.answers;
    });
    await systemClock.sleep(2_000);
    await lab.heal();
    const { attempts, failures } = JSON.parse((await stream).stdout) as {
      attempts: number;
      failures: number;
    };
    expect(attempts).toBeGreaterThan(100);
    expect(failures).toBe(0);
    await lab.client.write([{ verb: 'apply', resource: onlyFrom('nobody') }]);
    await eventually('the change is in force', async () => !(await isOpen()), 20_000);
    expect(lab.pid(host)).toBe(agent);
    await eventually('nothing is wrong any more', async () => (await lab.status(host)).reasons.length === 0);
  });
});
