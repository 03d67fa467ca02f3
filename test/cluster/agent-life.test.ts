import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/index.js';
import type { ProgramResult } from '../../src/base/index.js';
import { hostEnvironment, storeDirectory } from '../../src/lab/index.js';
import type { LabHost, LabWorkload } from '../../src/lab/index.js';
import { parseResource } from '../../src/resources/index.js';
import type { Resource } from '../../src/resources/index.js';
import { createAgentLab } from '../support/agent-lab.js';
import type { AgentLab } from '../support/agent-lab.js';
import { eventually } from '../support/netns.js';
import { undisturbed } from '../support/streams.js';
import type { Streams } from '../support/streams.js';

let lab: AgentLab;
let host: LabHost;
let web: LabWorkload;
let db: LabWorkload;
let visitor: LabWorkload;
let address: string;
let streams: Streams;

function resource(value: unknown): Resource {
  const parsed = parseResource(value);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.resource;
}

/** Only `source` may reach the database. */
function onlyFrom(source: string): Resource {
  return resource({
    apiVersion: 'v1',
    kind: 'policy',
    metadata: { name: 'database' },
    spec: {
      selector: "role == 'db'",
      ingress: [{ action: 'allow', source: { selector: `role == '${source}'` } }],
      egress: [{ action: 'allow' }],
    },
  });
}

beforeAll(async () => {
  const workloads = ['web', 'db', 'visitor'].map(name => ({ name, labels: { role: name } }));
  lab = await createAgentLab('life', { hosts: [{ name: 'host1', workloads }] });
  [host] = lab.plan.hosts as readonly [LabHost]; // as planned above
  [web, db, visitor] = host.workloads as readonly [LabWorkload, LabWorkload, LabWorkload];
  const { endpoints } = await lab.status(host);
  address = endpoints.find(endpoint => endpoint.id.includes('lab.db'))?.addresses[0] ?? '';
  streams = { lab, to: db, address, allowed: web, denied: visitor };
  await lab.client.write([{ verb: 'apply', resource: onlyFrom('web') }]);
  await eventually('policy is in force', async () => await isAsItShall());
});

afterAll(async () => {
  await lab.remove();
});

async function isAsItShall(): Promise<boolean> {
  const [allowed, denied] = await Promise.all([
    lab.reaches(web.netns, db.netns, address),
    lab.connects(visitor.netns, db.netns, address),
  ]);
  return allowed && !denied;
}

async function endAgent(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const pid = lab.pid(host);
  if (pid !== 0) process.kill(pid, signal);
  await eventually('the agent has ended', () => lab.pid(host) === 0);
}

/** Moments of an agent's life, from before the first line of the program up to a report of its status. */
const moments = [
  'before program',
  'after control.sock',
  'before nft',
  'after nft',
  'before route',
  'after route',
  'before neighbour',
  'after neighbour',
  'before cni.sock',
  'before status',
  'before status-commit',
  'after status-commit',
];

/** The visitor with an address that it did not have before: something to do for an agent that starts. */
async function anotherEndpoint(): Promise<Resource> {
  const [endpoint] = await lab.client.list('workloadEndpoint', { workload: 'lab.visitor' });
  if (endpoint?.kind !== 'workloadEndpoint') throw new Error('the visitor has no endpoint');
  turn += 1;
  const { ipNetworks = [] } = endpoint.spec;
  const others = ipNetworks.filter(net => !net.startsWith('10.65.250.'));
  return { ...endpoint, spec: { ...endpoint.spec, ipNetworks: [...others, `10.65.250.${String(turn)}/32`] } };
}

/** An agent that ends without a last word at that moment of its life; resolves when it has. */
async function dyingAgent(moment: string): Promise<ProgramResult> {
  const preload = join(import.meta.dirname, '../support/die-at.ts');
  const environment = {
    ...hostEnvironment(lab.installation.paths, lab.plan, host),
    NODE_OPTIONS: `--import=${preload}`,
    DIE_AT: moment,
    FELIX_REPORTINGINTERVALSECS: '1',
  };
  const words = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  return await lab.run(host.netns, 'env', ...words, `${lab.installation.paths.bin}/calico-node`);
}

let turn = 0;

describe('traffic of running workloads', () => {
  test('does not notice a restart of the agent', async () => {
    await undisturbed(streams, async () => {
      for (let round = 0; round < 3; round++) {
        await endAgent('SIGTERM');
        await lab.heal();
      }
    });
    expect(await isAsItShall()).toBe(true);
  });

  test('does not notice that the agent is killed at each of these moments', async () => {
    await endAgent('SIGTERM');
    await undisturbed(streams, async () => {
      for (const moment of moments) {
        await lab.client.write([{ verb: 'apply', resource: await anotherEndpoint() }]);
        const { stdout, stderr } = await dyingAgent(moment);
        expect(stderr, `${moment}: ${stdout}`).toContain('killed by SIGKILL');
      }
      await lab.heal();
    });
    expect(await isAsItShall()).toBe(true);
    expect(await lab.complaints(host)).toEqual([]);
  });

  test('does not notice that the datastore is away, and follows it when it is back', async () => {
    const directory = storeDirectory(lab.installation.paths, lab.plan);
    await undisturbed(streams, async () => {
      await rename(directory, `${directory}.away`);
      await systemClock.sleep(2_500);
      await rename(`${directory}.away`, directory);
    });
    await lab.client.write([{ verb: 'apply', resource: onlyFrom('visitor') }]);
    await eventually(
      'the change is in force',
      async () => await lab.connects(visitor.netns, db.netns, address),
    );
    expect(await lab.connects(web.netns, db.netns, address)).toBe(false);
    await lab.client.write([{ verb: 'apply', resource: onlyFrom('web') }]);
    await eventually('it is as it was', isAsItShall);
  });
});

/** What is in the table, whatever order it was made in. */
async function content(): Promise<string> {
  const words = (await lab.ruleset(host)).split(/[\s,]+/);
  return words.sort().join(' ');
}

describe('an agent that starts while its datastore is away', () => {
  test('takes nothing for gone, says what it waits for, and goes on when it is back', async () => {
    const directory = storeDirectory(lab.installation.paths, lab.plan);
    await endAgent('SIGTERM');
    await rename(directory, `${directory}.away`);
    const run = lab.calicoNode(host);
    await undisturbed(streams, async () => {
      await eventually('it says what it waits for', async () => {
        const { ready, reasons } = await lab.status(host).catch(() => ({ ready: true, reasons: [] }));
        return !ready && reasons.some(reason => reason.includes('there is no datastore in'));
      });
    });
    await rename(`${directory}.away`, directory);
    await eventually('it is ready', async () => (await lab.status(host)).ready);
    expect(await isAsItShall()).toBe(true);
    await endAgent('SIGTERM');
    expect(await run).toMatchObject({ exitCode: 0 });
    await lab.heal();
  });
});

describe('what somebody else did to our table', () => {
  test.each(['flush table inet calico', 'delete table inet calico', 'flush ruleset'])(
    'is undone at once: nft %s',
    async command => {
      const before = await content();
      await lab.run(host.netns, 'nft', ...command.split(' '));
      await eventually('the table is whole', async () => (await content()) === before);
      expect(await isAsItShall()).toBe(true);
    },
  );
});

describe('an endpoint', () => {
  test('that is deleted is closed, and open as before when it comes back with its address', async () => {
    const [endpoint] = await lab.client.list('workloadEndpoint', { workload: 'lab.db' });
    if (endpoint === undefined) throw new Error('the database has no endpoint');
    for (let round = 0; round < 3; round++) {
      await lab.client.write([{ verb: 'delete', resource: endpoint }]);
      await eventually('it is closed', async () => !(await lab.connects(web.netns, db.netns, address)));
      await lab.client.write([{ verb: 'create', resource: endpoint }]);
      await eventually('it is as it was', isAsItShall);
    }
    expect(await lab.client.list('workloadEndpoint', { workload: 'lab.db' })).toEqual([endpoint]);
  });
});

describe('two prefixes of interfaces', () => {
  const other = '10.65.200.1';

  async function attachByHand(netns: string): Promise<void> {
    const ip = async (where: string, ...words: readonly string[]): Promise<void> => {
      expect(await lab.run(where, 'ip', ...words)).toMatchObject({ exitCode: 0 });
    };
    await ip(host.netns, 'link', 'add', 'tap1', 'type', 'veth', 'peer', 'name', 'tap0', 'netns', netns);
    await ip(host.netns, 'link', 'set', 'tap1', 'up');
    await ip(netns, 'addr', 'add', `${other}/32`, 'dev', 'tap0');
    await ip(netns, 'link', 'set', 'tap0', 'up');
    // Its way back to the other workloads; what it had by its first interface stays for all else.
    await ip(netns, 'rule', 'add', 'from', other, 'table', '100');
    await ip(netns, 'route', 'add', '169.254.1.1', 'dev', 'tap0', 'table', '100');
    await ip(netns, 'route', 'add', 'default', 'via', '169.254.1.1', 'dev', 'tap0', 'onlink', 'table', '100');
  }

  test('are both policed, each towards the other', async () => {
    await lab.felix('InterfacePrefix', 'cali,tap');
    await eventually('a restart is asked for', async () =>
      (await lab.status(host)).reasons.some(reason => reason.includes('at the next start')),
    );
    await endAgent('SIGTERM');
    await lab.heal();
    expect((await lab.status(host)).config).toMatchObject({ InterfacePrefix: { value: 'cali,tap' } });
    await attachByHand(visitor.netns);
    expect(await lab.connects(web.netns, visitor.netns, other)).toBe(false);
    const tap = resource({
      apiVersion: 'v1',
      kind: 'workloadEndpoint',
      metadata: {
        node: 'host1',
        orchestrator: 'test',
        workload: 'tap',
        name: 'tap0',
        labels: { role: 'tap' },
      },
      spec: { interfaceName: 'tap1', ipNetworks: [`${other}/32`], profiles: ['lab'] },
    });
    const closed = resource({
      apiVersion: 'v1',
      kind: 'policy',
      metadata: { name: 'tap' },
      spec: {
        selector: "role == 'tap'",
        ingress: [{ action: 'allow', source: { selector: "role == 'web'" } }],
        egress: [],
      },
    });
    await lab.client.write([tap, closed].map(each => ({ verb: 'create', resource: each })));
    await eventually('web reaches it', async () => await lab.connects(web.netns, visitor.netns, other));
    expect(await lab.connects(db.netns, visitor.netns, other)).toBe(false);
    expect(await lab.complaints(host)).toEqual([]);
  });
});
