import { rename } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/index.js';
import { storeDirectory } from '../../src/lab/index.js';
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
let visitor: LabWorkload;
let address: string;

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
  await lab.client.write([{ verb: 'apply', resource: onlyFrom('web') }]);
  await eventually('policy is in force', async () => await isAsItShall());
});

afterAll(async () => {
  await lab.remove();
});

async function isAsItShall(): Promise<boolean> {
  const [allowed, denied] = await Promise.all([
    lab.connects(web.netns, db.netns, address),
    lab.connects(visitor.netns, db.netns, address),
  ]);
  return allowed && !denied;
}

interface Steady {
  readonly attempts: number;
  readonly failures: number;
}

/** A new connection every 20 ms for so long. */
async function steady(from: LabWorkload, seconds: number): Promise<Steady> {
  const words = ['steady', 'tcp:8080', address, String(seconds)];
  const { stdout } = await lab.run(from.netns, process.execPath, lab.installation.probe, ...words);
  return JSON.parse(stdout) as Steady; // printed by our own program
}

/** While `action` happens, everything allowed passes and nothing denied does. */
async function undisturbed(seconds: number, action: () => Promise<void>): Promise<void> {
  const streams = Promise.all([steady(web, seconds), steady(visitor, seconds)]);
  await Promise.all([streams, action()]);
  const [allowed, denied] = await streams;
  expect(allowed.attempts).toBeGreaterThan(seconds * 20);
  expect(allowed.failures).toBe(0);
  expect(denied.attempts).toBeGreaterThan(seconds * 20);
  expect(denied.failures).toBe(denied.attempts);
}

async function endAgent(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const pid = lab.pid(host);
  if (pid !== 0) process.kill(pid, signal);
  await eventually('the agent has ended', () => lab.pid(host) === 0);
}

describe('traffic of running workloads', () => {
  test('does not notice a restart of the agent', async () => {
    await undisturbed(4, async () => {
      for (let round = 0; round < 3; round++) {
        await endAgent('SIGTERM');
        await lab.heal();
      }
    });
    expect(await isAsItShall()).toBe(true);
  });

  test('does not notice that the agent is killed at any moment of its life', async () => {
    await endAgent('SIGTERM');
    await undisturbed(6, async () => {
      // From before the first line of the program up to a little after it is ready.
      for (const ms of [30, 120, 180, 240, 300, 360, 420, 480, 700]) {
        const run = lab.calicoNode(host);
        await systemClock.sleep(ms);
        await endAgent('SIGKILL');
        await run;
      }
    });
    await lab.heal();
    expect(await isAsItShall()).toBe(true);
  });

  test('does not notice that the datastore is away, and follows it when it is back', async () => {
    const directory = storeDirectory(lab.installation.paths, lab.plan);
    await undisturbed(4, async () => {
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
    await undisturbed(2, async () => {
      await eventually('it says what it waits for', async () => {
        const { ready, reasons } = await lab.status(host).catch(() => ({ ready: true, reasons: [] }));
        return !ready && reasons.some(reason => reason.includes('there is no datastore in'));
      });
    });
    await rename(`${directory}.away`, directory);
    await eventually('it is ready', async () => (await lab.status(host)).ready, 10_000);
    expect(await isAsItShall()).toBe(true);
    await endAgent('SIGTERM');
    expect(await run).toMatchObject({ exitCode: 0 });
    await lab.heal();
  });
});

describe('what somebody else did to our table', () => {
  test.each(['flush table inet calico', 'delete table inet calico', 'flush ruleset'])(
    'is undone within a second: nft %s',
    async command => {
      const before = await content();
      await lab.run(host.netns, 'nft', ...command.split(' '));
      await eventually('the table is whole', async () => (await content()) === before, 1_000);
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
    expect((await lab.status(host)).reasons).toEqual([]);
  });
});
