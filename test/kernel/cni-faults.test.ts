import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ProgramResult } from '../../src/base/index.js';
import { createCniHost, createPools } from './cni/agent.js';
import type { CniCall, CniHost } from './cni/agent.js';
import { createFaults } from './cni/faults.js';
import type { FaultMode } from './cni/faults.js';

const faults = createFaults();
let host: CniHost;

beforeAll(async () => {
  host = await createCniHost({ wrap: parts => faults.wrap(parts) });
  await createPools(host.client, '10.65.0.0/24', 'fd65::/64');
  await host.startServer();
  await host.net.add('pod');
});

afterAll(async () => host.close());

const config = { ipam: { type: 'calico-ipam', assign_ipv4: 'true', assign_ipv6: 'true' } };

async function call(command: string, more: Partial<CniCall> = {}): Promise<ProgramResult> {
  return host.call({ command, netns: host.net.path('pod'), config, ...more });
}

/** All that is left anywhere, without the blocks of the node. */
async function remains(): Promise<readonly string[]> {
  // First those that wait until the agent has finished what it does after its answer: removing the link.
  const left = [...(await host.traces()), ...(await host.links())];
  const inPod = (await host.net.ipJson('pod', 'link')).map(({ ifname }) => String(ifname));
  const routes = host.network.routes().filter(({ table }) => table === 254);
  return [
    ...left,
    ...inPod.filter(name => name !== 'lo' && !/^(tunl|sit|gre|ip)/.test(name)),
    ...routes.map(({ destination }) => `route ${destination}`).filter(text => !text.includes('ff00:')),
  ];
}

/** How many steps a command takes when nothing goes wrong. */
async function stepsOf(command: () => Promise<ProgramResult>): Promise<number> {
  faults.arm(10_000, 'before');
  const { exitCode } = await command();
  await host.links();
  const { steps } = faults.disarm();
  expect(exitCode).toBe(0);
  return steps;
}

/** Runs a command once for each of its steps, with that step going wrong; `judge` sees what became of it. */
async function atEachStep(
  mode: FaultMode,
  run: {
    readonly prepare?: () => Promise<void>;
    readonly command: () => Promise<ProgramResult>;
    readonly judge: (result: ProgramResult) => Promise<void>;
  },
): Promise<void> {
  await run.prepare?.();
  const steps = await stepsOf(run.command);
  await call('DEL');
  expect(steps).toBeGreaterThan(5);
  for (let step = 1; step <= steps; step++) {
    await run.prepare?.();
    faults.arm(step, mode);
    const result = await run.command();
    await host.links();
    expect(faults.disarm().struck).toBe(true);
    await run.judge(result);
  }
}

describe('an ADD of which any one step goes wrong', () => {
  test.each(['before', 'after'] as const)(
    'either succeeds or leaves nothing behind (the step fails %s it is done)',
    async mode => {
      await atEachStep(mode, {
        command: async () => call('ADD'),
        judge: async result => {
          if (result.exitCode === 0) await call('DEL');
          expect({ answer: result.stdout, remains: await remains() }).toMatchObject({ remains: [] });
        },
      });
    },
  );
});

describe('an agent that dies after any step of an ADD', () => {
  test('has all of it taken apart by its next start, unless all was done', async () => {
    await atEachStep('death', {
      command: async () => call('ADD'),
      judge: async () => {
        await host.undoInterrupted();
        const isComplete = host.records.list().some(({ state }) => state === 'added');
        if (isComplete) await call('DEL');
        expect(await remains()).toEqual([]);
      },
    });
  });

  test('is healed by the same ADD again', async () => {
    await atEachStep('death', {
      command: async () => call('ADD'),
      judge: async () => {
        const again = await call('ADD');
        expect(again.exitCode).toBe(0);
        expect(await host.links()).toHaveLength(1);
        expect((await host.traces()).length).toBe(3);
        await call('DEL');
        expect(await remains()).toEqual([]);
      },
    });
  });

  test('is healed by a DEL', async () => {
    await atEachStep('death', {
      command: async () => call('ADD'),
      judge: async () => {
        expect(await call('DEL')).toMatchObject({ exitCode: 0, stdout: '' });
        expect(await remains()).toEqual([]);
      },
    });
  });
});

describe('a hundred containers at the same time', () => {
  test('get a hundred addresses, and leave nothing when they go', async () => {
    const pods = Array.from({ length: 100 }, (_, i) => `p${String(i)}`);
    for (const pod of pods) await host.net.add(pod);
    const all = async (command: string): Promise<readonly ProgramResult[]> =>
      Promise.all(pods.map(async pod => host.call({ command, id: pod, netns: host.net.path(pod), config })));
    const answers = (await all('ADD')).map(
      ({ stdout }) => JSON.parse(stdout) as { readonly ips?: readonly { readonly address: string }[] },
    );
    const addresses = answers.flatMap(({ ips = [] }) => ips.map(({ address }) => address));
    expect(new Set(addresses).size).toBe(200);
    expect(await host.links()).toHaveLength(100);
    expect((await all('DEL')).map(({ stdout }) => stdout).join('')).toBe('');
    expect(await remains()).toEqual([]);
    // What stays are the node's blocks, without a holder.
    const blocks = (await host.store.list('/calico/ipam/v2/assignment/')).entries;
    const holders = blocks.map(
      ({ value }) => (JSON.parse(value) as { readonly attributes: object[] }).attributes,
    );
    expect(holders.flat()).toEqual([]);
  });
});

describe('a pool that is full', () => {
  test('refuses with the reason, and serves again after a DEL', async () => {
    await createPools(host.client, '10.66.0.0/26');
    const small = { ipam: { type: 'calico-ipam', ipv4_pools: ['10.66.0.0/26'] } };
    const ipam = { program: 'calico-ipam', netns: '/x', config: small } as const;
    for (let i = 0; i < 64; i++) {
      expect(await host.call({ ...ipam, command: 'ADD', id: `f${String(i)}` })).toMatchObject({
        exitCode: 0,
      });
    }
    const refused = await call('ADD', { config: small });
    expect(JSON.parse(refused.stdout)).toMatchObject({
      code: 101,
      msg: expect.stringContaining('No IPs available in pools: [10.66.0.0/26]'),
    });
    expect((await remains()).filter(text => !text.includes('/handle/net1.f'))).toEqual([]);
    await host.call({ ...ipam, command: 'DEL', id: 'f7' });
    expect(await call('ADD', { config: small })).toMatchObject({ exitCode: 0 });
    await call('DEL', { config: small });
    for (let i = 0; i < 64; i++) await host.call({ ...ipam, command: 'DEL', id: `f${String(i)}` });
    expect(await remains()).toEqual([]);
  });
});

describe('a DEL of which any one step goes wrong', () => {
  const prepare = async (): Promise<void> => {
    expect(await call('ADD')).toMatchObject({ exitCode: 0 });
  };

  test.each(['before', 'after', 'death'] as const)('is completed by another DEL (%s)', async mode => {
    await atEachStep(mode, {
      prepare,
      command: async () => call('DEL'),
      judge: async () => {
        expect(await call('DEL')).toMatchObject({ exitCode: 0 });
        expect(await remains()).toEqual([]);
      },
    });
  });

  test('is completed by the next start of an agent that died', async () => {
    await atEachStep('death', {
      prepare,
      command: async () => call('DEL'),
      judge: async () => {
        // Dead before its first note, it has done nothing: then it is as if the DEL had never come.
        if ((await host.undoInterrupted()) === 0 && (await host.traces()).length > 0) await call('DEL');
        expect(await remains()).toEqual([]);
      },
    });
  });
});
