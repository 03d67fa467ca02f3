import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runProgram } from '../../src/base/index.js';
import type { ProgramResult } from '../../src/base/index.js';
import { createResourceClient, openStore } from '../../src/datastore/index.js';
import type { Store } from '../../src/datastore/index.js';
import { agentEnvironment, startAgentProcess } from '../support/agent-process.js';
import type { AgentPlace } from '../support/agent-process.js';
import { builtInstallation } from '../support/installation.js';
import type { Installation } from '../support/installation.js';
import { createTestNet, eventually } from '../support/netns.js';
import { buildLauncher, createPools } from './cni/agent.js';
import { remains } from './cni/remains.js';

const net = createTestNet();
const config = JSON.stringify({
  cniVersion: '1.0.0',
  name: 'net1',
  type: 'calico',
  ipam: { type: 'calico-ipam' },
});
let installation: Installation;
let launcher: string;
let place: AgentPlace;
let store: Store;

beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'calico-kill-'));
  installation = await builtInstallation();
  await buildLauncher(directory);
  launcher = join(directory, 'calico');
  const program = [join(installation.paths.bin, 'calico-node')] as const;
  place = { program, directory, nodeName: 'n1', netns: await net.add('host') };
  await net.add('pod');
  store = await openStore({ type: 'sqlite', directory: join(directory, 'store') });
  await createPools(createResourceClient(store), '10.65.0.0/24');
});

afterAll(async () => {
  await store.close();
  await net.remove();
  installation.remove();
  await rm(place.directory, { recursive: true, force: true });
});

function environment(command: string): Record<string, string> {
  return {
    ...agentEnvironment(place),
    CNI_COMMAND: command,
    CNI_CONTAINERID: 'c1',
    CNI_IFNAME: 'eth0',
    CNI_NETNS: net.path('pod'),
    CNI_ARGS: '',
    CNI_PATH: '/usr/lib/cni',
  };
}

async function call(command: string): Promise<ProgramResult> {
  return runProgram(launcher, [], { input: config, env: environment(command) });
}

const left = async (): Promise<readonly string[]> =>
  remains({ net, store, runDir: join(place.directory, 'run') });

const nothingRemains = async (): Promise<void> =>
  eventually('nothing remains', async () => (await left()).length === 0);

describe('an agent that is killed in the middle of an ADD', () => {
  test.each([0, 1, 2, 3, 4, 5, 6, 8, 10, 15])(
    'after %d ms is healed by its next start, and by the runtime',
    async milliseconds => {
      const first = await startAgentProcess(place);
      const adding = call('ADD');
      await new Promise(resolve => setTimeout(resolve, milliseconds));
      await first.end('SIGKILL');
      const answer = await adding;
      const second = await startAgentProcess(place);
      try {
        // An ADD that was answered stays; of any other nothing does.
        if (answer.exitCode !== 0) await eventually('it is taken apart or whole', isWholeOrGone);
        expect(await call('ADD')).toMatchObject({ exitCode: 0 });
        expect((await left()).length).toBe(4);
        expect(await call('DEL')).toMatchObject({ exitCode: 0, stdout: '' });
        await nothingRemains();
      } finally {
        await second.end();
      }
    },
  );

  async function isWholeOrGone(): Promise<boolean> {
    return [0, 4].includes((await left()).length);
  }
});

describe('a launcher that is killed in the middle of an ADD', () => {
  test('leaves an attachment that ADD and DEL of the runtime find', async () => {
    const agent = await startAgentProcess(place);
    try {
      for (const milliseconds of [0, 1, 2, 4, 8, 16]) {
        const child = spawn(launcher, [], { env: environment('ADD'), stdio: ['pipe', 'ignore', 'ignore'] });
        const ended = new Promise(resolve => child.on('exit', resolve));
        child.stdin.on('error', () => undefined);
        child.stdin.end(config);
        await new Promise(resolve => setTimeout(resolve, milliseconds));
        child.kill('SIGKILL');
        await ended;
        const commands = milliseconds % 4 === 0 ? ['ADD', 'DEL'] : ['DEL'];
        for (const command of commands) expect(await call(command)).toMatchObject({ exitCode: 0 });
        await nothingRemains();
      }
    } finally {
      await agent.end();
    }
  });
});
