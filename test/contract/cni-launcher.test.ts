import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { runChecked, runProgram, silentLogger } from '../../src/base/index.js';
import type { ProgramResult } from '../../src/base/index.js';
import { deleteQueueOf, replayQueuedDeletes, startCniServer } from '../../src/cni/index.js';
import type { CniHandler, CniRequest } from '../../src/cni/index.js';

const root = new URL('../../', import.meta.url).pathname;
let directory: string;
let runDir: string;
let stateDir: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'calico-launcher-'));
  const flags = ['-O2', '-Wall', '-Wextra', '-Werror', '-std=c11', '-DCALICO_VERSION="v1.2.3"'];
  await runChecked('cc', [...flags, '-o', join(directory, 'calico'), `${root}native/calico-cni.c`]);
  await runChecked('ln', ['-s', 'calico', join(directory, 'calico-ipam')]);
  await build({
    entryPoints: [`${root}src/bin/calico-cni.ts`],
    outfile: join(directory, 'calico-cni.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    define: { __VERSION__: '"v1.2.3"' },
    logLevel: 'error',
  });
});

beforeEach(async () => {
  const own = await mkdtemp(join(directory, 'test-'));
  runDir = join(own, 'run');
  stateDir = join(own, 'state');
});

afterAll(async () => rm(directory, { recursive: true, force: true }));

type Launch = (
  env: Readonly<Record<string, string>>,
  input: string,
  program?: string,
  ...args: readonly string[]
) => Promise<ProgramResult>;

const environment = (env: Readonly<Record<string, string>>): Record<string, string> => ({
  CALICO_RUN_DIR: runDir,
  CALICO_STATE_DIR: stateDir,
  CNI_CONTAINERID: 'c1',
  CNI_IFNAME: 'eth0',
  CNI_NETNS: '',
  CNI_ARGS: '',
  ...env,
});

const native: Launch = async (env, input, program = 'calico', ...args) =>
  runProgram(join(directory, program), args, { input, env: environment(env) });

const onNode: Launch = async (env, input, program = 'calico', ...args) =>
  runProgram(process.execPath, [join(directory, 'calico-cni.mjs'), program, ...args], {
    input,
    env: environment(env),
  });

async function serving(handle: CniHandler, use: () => Promise<void>): Promise<void> {
  const server = await startCniServer({ socketPath: join(runDir, 'cni.sock'), handle, log: silentLogger });
  try {
    await use();
  } finally {
    await server.close();
  }
}

describe.each([
  ['native', native],
  ['Node', onNode],
])('the %s launcher', (_, launch) => {
  test('passes on all it was given, whatever bytes, and answers what the agent says', async () => {
    const seen: CniRequest[] = [];
    const handle: CniHandler = async request => {
      seen.push(request);
      return { exitCode: 3, stdout: 'tëxt\n' };
    };
    const stdin = `{"name": "nëtz",\n "pad": "${'x'.repeat(200_000)}"}\n`;
    await serving(handle, async () => {
      const env = {
        CNI_COMMAND: 'ADD',
        CNI_NETNS: '/run/netns/a',
        CNI_ARGS: 'A=1;\n2=ü',
        CNI_PATH: '/opt/cni',
      };
      expect(await launch(env, stdin, 'calico-ipam')).toMatchObject({ exitCode: 3, stdout: 'tëxt\n' });
    });
    expect(seen).toEqual([
      {
        program: 'calico-ipam',
        command: 'ADD',
        containerId: 'c1',
        netns: '/run/netns/a',
        ifName: 'eth0',
        args: 'A=1;\n2=ü',
        path: '/opt/cni',
        stdin,
      },
    ]);
  });

  test.each([
    ['', '1.1.0'],
    ['{"cniVersion": "0.3.1"}', '0.3.1'],
    ['{"name":"x","cniVersion" : "1.0.0","type":"calico"}', '1.0.0'],
    ['{"cniVersion":7}', '1.1.0'],
    ['no json', '1.1.0'],
  ])('answers VERSION without an agent to %j', async (input, cniVersion) => {
    const { exitCode, stdout } = await launch({ CNI_COMMAND: 'VERSION', CNI_CONTAINERID: 'dummy' }, input);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      cniVersion,
      supportedVersions: ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'],
    });
  });

  test.each([
    ['ADD', 11],
    ['CHECK', 11],
    ['GC', 11],
    ['STATUS', 51],
  ])('fails %s without an agent with code %i', async (command, code) => {
    const { exitCode, stdout } = await launch({ CNI_COMMAND: command }, '{"cniVersion":"0.4.0"}');
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ cniVersion: '0.4.0', code });
  });

  test('says where the agent should be', async () => {
    const { stdout } = await launch({ CNI_COMMAND: 'ADD' }, '{}');
    const { msg } = JSON.parse(stdout) as { readonly msg: string };
    expect(msg).toContain(`calico-node does not answer at ${join(runDir, 'cni.sock')}: `);
  });

  test('tells its version by hand', async () => {
    expect(await launch({}, '', 'calico', '-v')).toMatchObject({ exitCode: 0, stdout: 'v1.2.3\n' });
  });

  test('queues a DEL without an agent, once, for root alone', async () => {
    const env = { CNI_COMMAND: 'DEL', CNI_NETNS: '/run/netns/a' };
    for (let times = 0; times < 2; times++) {
      expect(await launch(env, '{"name":"net1"}')).toMatchObject({ exitCode: 0, stdout: '' });
    }
    const folder = deleteQueueOf(stateDir);
    expect(await readdir(folder)).toEqual(['calico.c1.eth0']);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, 'calico.c1.eth0'))).mode & 0o777).toBe(0o600);
  });

  test('queues a DEL when the agent goes away before it has answered', async () => {
    await serving(
      async () => ({ exitCode: 0, stdout: '' }),
      async () => undefined,
    );
    const server = createServer(socket => socket.destroy()).listen(join(runDir, 'cni.sock'));
    try {
      expect((await launch({ CNI_COMMAND: 'DEL' }, '{}')).exitCode).toBe(0);
      expect(await readdir(deleteQueueOf(stateDir))).toEqual(['calico.c1.eth0']);
      const { stdout } = await launch({ CNI_COMMAND: 'ADD' }, '{}');
      expect(JSON.parse(stdout)).toMatchObject({ code: 11 });
    } finally {
      server.close();
    }
  });

  test.each(['', '../../etc/passwd', '.hidden', 'a'.repeat(300)])(
    'does not queue a DEL of the container %j',
    async id => {
      const { exitCode, stdout } = await launch({ CNI_COMMAND: 'DEL', CNI_CONTAINERID: id }, '{}');
      expect(exitCode).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({ code: 4 });
    },
  );

  test('fails a DEL that it cannot queue, so that it is tried again', async () => {
    await writeFile(stateDir, 'not a folder');
    const { exitCode, stdout } = await launch({ CNI_COMMAND: 'DEL' }, '{}');
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ code: 11 });
  });
});

describe('both launchers', () => {
  test('queue the same bytes', async () => {
    const env = { CNI_COMMAND: 'DEL', CNI_NETNS: '/run/netns/a', CNI_ARGS: 'K8S_POD_NAME=ü' };
    const path = join(deleteQueueOf(stateDir), 'calico-ipam.c1.eth0');
    await native(env, '{"name":"nëtz"}', 'calico-ipam');
    const bytes = await readFile(path);
    await onNode(env, '{"name":"nëtz"}', 'calico-ipam');
    expect(await readFile(path)).toEqual(bytes);
  });
});

describe('the socket', () => {
  test('is for root alone', async () => {
    await serving(
      async () => ({ exitCode: 0, stdout: '' }),
      async () => {
        expect((await stat(join(runDir, 'cni.sock'))).mode & 0o777).toBe(0o600);
      },
    );
  });
});

describe('replaying queued DELs', () => {
  const replay = async (handle: CniHandler) => replayQueuedDeletes({ stateDir, handle, log: silentLogger });

  test('hands each to the agent, and keeps those that fail for the next time', async () => {
    for (const id of ['c1', 'c2']) await native({ CNI_COMMAND: 'DEL', CNI_CONTAINERID: id }, '{}');
    const seen: string[] = [];
    const handle: CniHandler = async request => {
      seen.push(`${request.command} ${request.containerId}`);
      return { exitCode: request.containerId === 'c1' ? 1 : 0, stdout: '' };
    };
    expect(await replay(handle)).toEqual({ done: 1, kept: 1 });
    expect(await replay(handle)).toEqual({ done: 0, kept: 1 });
    expect(seen.sort()).toEqual(['DEL c1', 'DEL c1', 'DEL c2']);
  });

  test('puts a file aside that cannot be read', async () => {
    await native({ CNI_COMMAND: 'DEL' }, '{}');
    await writeFile(join(deleteQueueOf(stateDir), 'calico.c1.eth0'), 'PROGRAM 99\ncal');
    const handle: CniHandler = async () => ({ exitCode: 0, stdout: '' });
    expect(await replay(handle)).toEqual({ done: 0, kept: 1 });
    expect(await replay(handle)).toEqual({ done: 0, kept: 0 });
    expect(await readdir(deleteQueueOf(stateDir))).toEqual(['calico.c1.eth0.bad']);
  });
});
