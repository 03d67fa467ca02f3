import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askSocket, runChecked, runProgram } from '../../src/base/index.js';
import { nativeVariables, systemdUnit } from '../../src/cli/commands/node/native.js';
import { readRunOptions } from '../../src/cli/commands/node/run-options.js';
import { createResourceClient, openStore } from '../../src/datastore/index.js';
import { builtCalicoctl } from '../cli/program.js';
import { builtInstallation } from '../support/installation.js';
import type { Installation } from '../support/installation.js';
import { createTestNet, eventually } from '../support/netns.js';
import type { TestNet } from '../support/netns.js';

const root = new URL('../..', import.meta.url).pathname;
const SECRET = 'swordfish-etcd';
const hasSystemd = existsSync('/usr/bin/systemd-analyze');

describe('the systemd unit', () => {
  let installation: Installation;
  let net: TestNet;
  let unit: string;
  let runDir: string;
  let agent: ChildProcess | undefined;

  beforeAll(async () => {
    installation = await builtInstallation();
    net = createTestNet();
    await net.add('host');
    await net.run('host', 'ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'wire');
    await net.run('host', 'ip', 'addr', 'add', '172.31.9.1/24', 'dev', 'eth0');
    await net.run('host', 'ip', 'link', 'set', 'eth0', 'up');
    const directory = join(installation.directory, 'unit');
    runDir = join(directory, 'run');
    const options = readRunOptions(
      {
        ip: '172.31.9.1',
        ip6: undefined,
        as: undefined,
        name: 'unit-1',
        logDir: join(directory, 'log'),
        nodeImage: '',
        backend: 'bird',
        noDefaultIpPools: true,
        disableDockerNetworking: true,
        dockerNetworkingPrefix: undefined,
      },
      'h',
    );
    const variables = nativeVariables(
      options,
      {},
      {
        CALICO_RUN_DIR: runDir,
        CALICO_STATE_DIR: join(directory, 'state'),
        CALICO_ETC_DIR: directory,
      },
    );
    unit = systemdUnit(join(installation.paths.bin, 'calico-node'), variables);
  });

  afterAll(async () => {
    agent?.kill('SIGKILL');
    const pid = birdPid();
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
    await net.remove();
    installation.remove();
  });

  function birdPid(): number | undefined {
    const file = join(runDir, 'bird.pid');
    // BIRD makes the file before it writes to it.
    const pid = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
    return pid > 0 ? pid : undefined;
  }

  /** What stands in quotes behind each `name=`, as systemd reads it. */
  function values(name: string): readonly string[] {
    const lines = unit.matchAll(new RegExp(`^${name}="(.*)"$`, 'gm'));
    return [...lines].map(([, text = '']) => text.replaceAll(/\\(.)/g, '$1').replaceAll('%%', '%'));
  }

  /** As systemd starts a service: nothing in its environment but what the unit says. */
  async function start(): Promise<ChildProcess> {
    const [program = ''] = values('ExecStart');
    const environment = [
      '-i',
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin',
      ...values('Environment'),
      `ETCD_PASSWORD=${SECRET}`,
    ];
    const inside = [`--net=${net.path('host')}`, 'env', ...environment, program];
    const child = spawn('nsenter', inside, { stdio: 'ignore' });
    await eventually(
      'it is ready',
      async () =>
        (await askSocket(join(runDir, 'control.sock'), '/ready').catch(() => undefined))?.status === 200,
    );
    return child;
  }

  test.skipIf(!hasSystemd)('passes the check of systemd', async () => {
    const file = join(installation.directory, 'calico-node.service');
    writeFileSync(file, unit);
    const { exitCode, stderr } = await runProgram('systemd-analyze', ['verify', file]);
    expect([exitCode, stderr]).toEqual([0, '']);
  });

  test('starts the agent, whose BIRD outlives it when systemd ends the one process', async () => {
    expect(unit).toContain('\nKillMode=process\n');
    agent = await start();
    await eventually('BIRD runs', () => birdPid() !== undefined);
    const before = birdPid();
    const ended = new Promise(resolve => agent?.once('close', resolve));
    agent.kill('SIGTERM');
    await ended;
    agent = await start();
    expect(existsSync(`/proc/${String(before)}`)).toBe(true);
    expect(birdPid()).toBe(before);
  });

  test('runs an agent whose diagnostics hold no password', async () => {
    const store = await openStore({ type: 'sqlite', directory: join(dirname(runDir), 'state', 'store') });
    const client = createResourceClient(store);
    const calicoctl = await builtCalicoctl();
    try {
      await client.setSetting({ component: 'bgp', name: 'mesh_password' }, 'swordfish-mesh');
      const spec = { bgp: { ipv4Address: '172.31.9.2' } };
      const resource = { apiVersion: 'v1', kind: 'node', metadata: { name: 'other' }, spec } as const;
      await client.write([{ verb: 'apply', resource }]);
      const config = join(runDir, 'bird.conf');
      await eventually('BIRD has it', async () => {
        const { body } = await askSocket(join(runDir, 'control.sock'), '/status');
        return readFileSync(config, 'utf8').includes('swordfish-mesh') && body.includes('"172.31.9.2"');
      });
      const { out } = await calicoctl.run(['node', 'diags', `--log-dir=${join(dirname(runDir), 'log')}`], {
        env: {
          CALICO_RUN_DIR: runDir,
          TMPDIR: runDir,
          PATH: process.env['PATH'] ?? '',
          ETCD_PASSWORD: SECRET,
        },
      });
      const archive = /\nDiags saved to (\S+\.tar\.gz)\n/.exec(out)?.[1] ?? '';
      const all = await runChecked('tar', ['-xzOf', archive]);
      expect(all).toContain('"node": "unit-1"');
      expect(all).toContain('neighbor 172.31.9.2 as 64512; password "…";');
      expect(all).toMatch(/^ +Neighbor address: +172\.31\.9\.2$/m);
      expect(all).not.toMatch(/swordfish|PRIVATE KEY/);
    } finally {
      calicoctl.remove();
      await store.close();
    }
  });

  test('of the package is the one that is printed, and keeps what the agent has in /run', async () => {
    const packaged = systemdUnit('/opt/calico/bin/calico-node', {});
    expect(packaged).toContain('\nRuntimeDirectoryPreserve=yes\n');
    await expect(packaged).toMatchFileSnapshot('../../packaging/calico-node.service');
  });
});

/** No container engine runs everywhere: what the file says is done by hand. */
describe('the node image', () => {
  const instructions = readFileSync(join(root, 'packaging/Dockerfile'), 'utf8')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'));
  const last = instructions.slice(instructions.findLastIndex(line => line.startsWith('FROM')));
  const copies = last.flatMap(line => {
    const [, from = '', to = ''] = /^COPY --from=build \/src\/(\S+) (\S+)$/.exec(line) ?? [];
    return from === '' ? [] : [{ from, to }];
  });

  test('is built of files that are there, and has the daemons that the agent runs', () => {
    const own = instructions.flatMap(line => (/^COPY (?!--)(.*) \S+$/.exec(line)?.[1] ?? '').split(' '));
    const made = ['', '.', 'dist', 'node_modules'];
    const sources = [...own, ...copies.map(({ from }) => from)].filter(name => !made.includes(name));
    expect(sources.filter(name => !existsSync(join(root, name)))).toEqual([]);
    const packages = last.filter(line => line.includes('apt-get install')).join();
    for (const name of ['bird2', 'gobgpd', 'iproute2', 'nftables']) expect(packages).toContain(` ${name} `);
  });

  test('has a tree in which the agent runs', async () => {
    const installation = await builtInstallation();
    try {
      const image = join(installation.directory, 'image');
      for (const { from, to } of copies) {
        const target = join(image, to);
        mkdirSync(dirname(target), { recursive: true });
        if (from === 'dist') symlinkSync(join(installation.directory, 'dist'), target);
        else if (from === 'node_modules') linkDependencies(target);
        else cpSync(join(root, from), target, { recursive: true });
      }
      const [entry = ''] = /(?<=ENTRYPOINT \[")[^"]+/.exec(last.join('\n')) ?? [];
      expect(await runChecked(join(image, entry), ['--version'])).toMatch(/^v\d+\.\d+\.\d+\n$/);
    } finally {
      installation.remove();
    }
  });

  /** What `npm prune --omit=dev` leaves. */
  function linkDependencies(target: string): void {
    const { dependencies, optionalDependencies } = JSON.parse(
      readFileSync(join(root, 'package.json'), 'utf8'),
    ) as Readonly<Record<string, Readonly<Record<string, string>>>>; // as npm writes it
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      if (!existsSync(join(root, 'node_modules', name))) continue;
      mkdirSync(dirname(join(target, name)), { recursive: true });
      symlinkSync(join(root, 'node_modules', name), join(target, name));
    }
  }
});
