import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runChecked } from '../../src/base/index.js';
import { createTestLab } from '../support/lab.js';
import type { TestLab } from '../support/lab.js';
import { eventually, LATE_ANSWER_MS } from '../support/netns.js';

/** rack1 with host1 ─ spine (BIRD) ─ rack2 with host2 and the router edge (FRR) */
const topology = {
  datastore: 'etcd',
  networks: [{ name: 'rack1' }, { name: 'rack2' }],
  routers: [
    {
      name: 'spine',
      networks: ['rack1', 'rack2'],
      bgp: { asNumber: 65_001, announces: ['198.51.100.0/24', '2001:db8:9::/48'] },
    },
    { name: 'edge', networks: ['rack2'], bgp: { daemon: 'frr', asNumber: 65_002 } },
  ],
  hosts: [
    { name: 'host1', network: 'rack1', workloads: [{ name: 'w1' }] },
    { name: 'host2', network: 'rack2', workloads: [{ name: 'w2' }] },
  ],
  resources: [
    ['172.30.0.1', 65_001],
    ['fd30:ca11::1', 65_001],
    ['172.30.4.2', 65_002],
  ].map(([peerIP, asNumber]) => ({
    apiVersion: 'v1',
    kind: 'bgpPeer',
    metadata: { scope: 'global', peerIP },
    spec: { asNumber },
  })),
};

describe('a lab with two racks, routers that speak BGP, and an etcd', () => {
  let lab: TestLab;
  let folder: string;

  beforeAll(async () => {
    lab = await createTestLab('racks');
    folder = await mkdtemp(join(tmpdir(), 'calico-topology-'));
    await writeFile(join(folder, 'lab.json'), JSON.stringify(topology));
  });

  afterAll(async () => {
    await lab.remove();
    await rm(folder, { recursive: true });
  });

  const up = async (): Promise<string> => (await lab.lab('up', '-f', join(folder, 'lab.json'))).stdout;
  const inside = async (place: string, ...command: readonly string[]): Promise<string> =>
    (await lab.lab('exec', place, '--', ...command)).stdout;
  const connects = async (from: string, to: string, timeoutMs = 700): Promise<boolean> =>
    (await lab.lab('connect', `--timeout=${String(timeoutMs)}`, from, to, 'tcp:8080')).exitCode === 0;

  /** Next hops of the place's IPv4 routes to the blocks of workloads, sorted. */
  async function ways(place: string): Promise<readonly string[]> {
    const text = await inside(place, 'ip', 'route', 'show', 'root', '10.65.0.0/16');
    return [...text.matchAll(/^\S+\/26 .*via (\S+)/gm)].map(([, via = '']) => via).toSorted();
  }

  async function untilWays(place: string, expected: readonly string[]): Promise<void> {
    let last: readonly string[] = [];
    const wanted = expected.toSorted().join();
    await eventually(`ways of ${place}`, async () => (last = await ways(place)).join() === wanted).catch(
      (error: unknown) => {
        throw new Error(`${place} has ${last.join()}, not ${wanted}`, { cause: error });
      },
    );
  }

  test('comes up, and says what it did', async () => {
    const said = await up();
    expect(said).toContain('2 hosts on 2 networks and 2 routers, each a network namespace\n');
    expect(said).toContain('etcd answers\n');
    expect(said).toContain('router spine runs BIRD in AS 65001\n');
    expect(said).toContain('router edge runs FRR in AS 65002\n');
    expect(said).toContain('agents ready on host1, host2\n');
  });

  test('sends packets between racks over the router, with no tunnel', async () => {
    await untilWays('host1', ['172.30.0.1']);
    await untilWays('host2', ['172.30.4.1']);
    // The host in the rack of the other host’s block is the next hop itself.
    await untilWays('spine', ['172.30.0.11', '172.30.4.11']);
    await untilWays('edge', ['172.30.4.1', '172.30.4.11']);
    expect(await connects('w1', 'w2', LATE_ANSWER_MS)).toBe(true);
    for (const [place, family, network, via] of [
      ['host2', '-4', '198.51.100.0/24', '172.30.4.1'],
      ['host1', '-6', '2001:db8:9::/48', 'fd30:ca11::1'],
    ] as const) {
      await eventually(`${place} knows ${network}`, async () =>
        (await inside(place, 'ip', family, 'route', 'show', 'proto', 'bird', network)).includes(
          `via ${via} `,
        ),
      );
    }
  });

  test('shows its hosts, links and routers', async () => {
    const shown = [
      /^host1 +172\.30\.0\.11 +up +ready +\d of \d established/m,
      /^edge +172\.30\.4\.2 +up +FRR, AS 65002 +2 established/m,
      /^spine +172\.30\.0\.1,172\.30\.4\.1 +up,up +BIRD, AS 65001 +[34] established/m,
    ];
    let stdout = '';
    const isShown = async (): Promise<boolean> => {
      ({ stdout } = await lab.lab('status'));
      return shown.every(line => line.test(stdout));
    };
    // What is learned may come by a session before the others are up.
    await eventually('all sessions are up', isShown).catch(() => undefined);
    for (const line of shown) expect(stdout).toMatch(line);
  });

  test('does nothing more when it is brought up again', async () => {
    expect(await up()).toBe('');
  });

  test('makes a link late, lossy and cut, and whole again', async () => {
    const ping = async (...options: readonly string[]): Promise<string> =>
      await inside('host1', 'ping', '-n', '-q', '-W', '1', ...options, '172.30.4.11');
    const late = await lab.lab('fault', 'host2', '--delay=40ms');
    expect(late.stdout).toMatch(/^host2 +40 ms late/m);
    const [, shortest = '0'] =
      /min\/avg\/max\/mdev = ([0-9.]+)/.exec(await ping('-c', '3', '-w', '20', '-i', '0.05')) ?? [];
    expect(Number(shortest)).toBeGreaterThanOrEqual(80);
    await lab.lab('fault', 'spine:rack1', '--loss=50%');
    expect((await lab.lab('fault')).stdout).toMatch(/^spine:rack1 +loses 50%/m);
    const [, received = ''] = /, ([0-9]+) received/.exec(await ping('-c', '60', '-i', '0.01')) ?? [];
    expect(Number(received)).toBeGreaterThan(0);
    expect(Number(received)).toBeLessThan(50);
    await lab.lab('fault', 'spine', '--cut');
    expect(await ping('-c', '1')).toContain('100% packet loss');
    const cleared = await lab.lab('fault', '--clear');
    expect(cleared.stdout).not.toMatch(/cut|late|loses/);
    await eventually('packets flow again', async () => (await ping('-c', '1')).includes(' 0% packet loss'));
    const left = await runChecked('ip', ['-n', `${lab.name}-fabric`, '-br', 'link']);
    expect(left).not.toMatch(/slow|late/);
  });

  test.each([
    [['host9', '--cut'], "no link 'host9'"],
    [['host1', '--loss=0'], "--loss '0': expected a number above 0 and up to 100"],
    [['host1', '--delay=soon'], "--delay 'soon': expected a number above 0"],
    [['host1', '--cut', '--clear'], '--clear takes all faults away'],
    [['--cut'], 'which link?'],
  ])('refuses the fault %j', async (args, message) => {
    const result = await lab.lab('fault', ...args);
    expect(result.stdout).toContain(message);
    expect(result.exitCode).toBe(1);
  });

  test('lets a host fail and come back: its routes are withdrawn, learned again, and traffic flows', async () => {
    // Sessions may still be lost of which the faults before have taken too much, and come back.
    await eventually('traffic flows', async () => await connects('w1', 'w2'));
    const pid = await lab.agentPid('host2');
    await lab.lab('stop', 'host2');
    expect(await lab.agentPid('host2')).toBeUndefined();
    expect((await lab.lab('status')).stdout).toMatch(/^host2 .* cut +not running/m);
    await untilWays('spine', ['172.30.0.11']);
    await untilWays('edge', ['172.30.4.1']);
    expect(await connects('w1', 'w2')).toBe(false);
    expect((await lab.lab('start', 'host2')).stdout).toBe(
      'host2 is back: its link works, its agent is ready\n',
    );
    expect(await lab.agentPid('host2')).not.toBe(pid);
    await untilWays('spine', ['172.30.0.11', '172.30.4.11']);
    await untilWays('edge', ['172.30.4.1', '172.30.4.11']);
    await eventually('traffic flows', async () => await connects('w1', 'w2'));
  });

  test('is named to who asks for one that is not up', async () => {
    const { stdout, exitCode } = await lab.calicoctl('lab', 'status', '--name=other');
    expect(stdout).toBe(`no lab 'other' is up: there is ${lab.name}\n`);
    expect(exitCode).toBe(1);
  });

  test('refuses another topology under its name, and stays as it is', async () => {
    const result = await lab.lab('up', '--hosts=1');
    expect(result.stdout).toContain('is up with another topology: take it down first');
    expect(result.exitCode).toBe(1);
    expect(await lab.agentPid('host1')).toBeGreaterThan(1);
  });

  test('leaves nothing behind', async () => {
    const fabric = await runChecked('ip', ['netns', 'pids', `${lab.name}-fabric`]);
    expect(fabric.trim()).not.toBe('');
    expect((await lab.lab('down')).stdout).toContain('7 namespaces removed');
    expect(await lab.namespaces()).toEqual([]);
    expect((await runChecked('ls', ['/run/frr'])).includes(lab.name)).toBe(false);
  });
});

describe('bringing up a lab', () => {
  let lab: TestLab;

  beforeAll(async () => {
    lab = await createTestLab('small');
  });

  afterAll(async () => {
    await lab.remove();
  });

  test('leaves alone a namespace that is not its own, and makes none', async () => {
    const foreign = `${lab.name}-host1`;
    await runChecked('ip', ['netns', 'add', foreign]);
    try {
      const result = await lab.lab('up', '--hosts=1', '--workloads=1');
      expect(result.stdout).toBe(`network namespace ${foreign} exists and is not this lab's\n`);
      expect(await lab.namespaces()).toEqual([foreign]);
    } finally {
      await runChecked('ip', ['netns', 'delete', foreign]);
    }
  });

  test('removes everything when it is interrupted', async () => {
    const child = spawn(lab.program, ['lab', 'up', `--name=${lab.name}`, '--hosts=3'], {
      env: { ...lab.env, PATH: process.env['PATH'] },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const ended = once(child, 'close');
    await eventually('the namespaces are there', () => said.includes('3 hosts on one network'));
    child.kill('SIGINT');
    await ended;
    expect(said).toMatch(/lab '.*' is gone: 10 namespaces removed\ninterrupted\n$/);
    expect(await lab.namespaces()).toEqual([]);
    expect(child.exitCode).toBe(1);
  });

  test('is done once when two do it at the same time', async () => {
    const both = await Promise.all([
      lab.lab('up', '--hosts=1', '--workloads=1'),
      lab.lab('up', '--hosts=1', '--workloads=1'),
    ]);
    expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    expect(both.map(({ stdout }) => stdout.includes('agents ready on host1')).filter(said => said)).toEqual([
      true,
    ]);
    await lab.lab('down');
  });

  test('builds anew what was killed half-way', async () => {
    const build = async (): Promise<boolean> => {
      const child = spawn(lab.program, ['lab', 'up', `--name=${lab.name}`, '--hosts=2', '--workloads=1'], {
        env: { ...lab.env, PATH: process.env['PATH'] },
        stdio: 'ignore',
      });
      const ended = once(child, 'close');
      await eventually('a namespace is there', async () => (await lab.namespaces()).length > 0);
      child.kill('SIGKILL');
      await ended;
      return await lab.read('built').then(
        () => true,
        () => false,
      );
    };
    // On a busy machine it may have come too far before this test had its turn.
    await eventually('it is killed half-way', async () => {
      if (!(await build())) return true;
      await lab.lab('down');
      return false;
    });
    const again = await lab.lab('up', '--hosts=2', '--workloads=1');
    expect(again.stdout).toContain('is there in part only, and is built anew');
    expect(again.stdout).toContain('agents ready on host1, host2');
    expect((await lab.lab('down')).stdout).toContain('5 namespaces removed');
  });

  test.each([
    [['--hosts=0'], "--hosts '0': expected a whole number from 1 to 250"],
    [['--datastore=mysql'], "--datastore 'mysql': expected sqlite or etcd"],
    [['-f', '/nonexistent.yaml'], 'open /nonexistent.yaml: no such file or directory'],
    [['--hosts=2', '-f', 'x'], '--filename: expected no --hosts and no --workloads beside it'],
  ])('refuses %j', async (args, message) => {
    const result = await lab.lab('up', ...args);
    expect(result.stdout).toBe(`${message}\n`);
    expect(result.exitCode).toBe(1);
    expect(await lab.namespaces()).toEqual([]);
  });
});

describe('a lab of ten hosts', () => {
  let lab: TestLab;

  beforeAll(async () => {
    lab = await createTestLab('ten');
  });

  afterAll(async () => {
    await lab.remove();
  });

  test('comes up with all sessions and all workloads', async () => {
    const { stdout } = await lab.lab('up', '--hosts=10', '--workloads=1');
    expect(stdout.match(/^host[0-9]+-w1 on /gm)).toHaveLength(10);
    await eventually(
      'all sessions',
      async () => (await lab.lab('status')).stdout.match(/ 18 of 18 established/g)?.length === 10,
    );
    const { exitCode } = await lab.lab('connect', 'host1-w1', 'host10-w1', 'tcp:8080');
    expect(exitCode).toBe(0);
  });
});

describe('a lab with two route reflectors and no mesh', () => {
  let lab: TestLab;
  let folder: string;
  const reflector = { asNumber: 64_512, routeReflector: true };
  const reflectors = {
    routers: [
      { name: 'bird', networks: ['lan'], bgp: { ...reflector, daemon: 'bird' } },
      { name: 'frr', networks: ['lan'], bgp: { ...reflector, daemon: 'frr' } },
    ],
    hosts: [
      { name: 'host1', workloads: [{ name: 'w1' }] },
      { name: 'host2', workloads: [{ name: 'w2' }] },
    ],
    resources: ['172.30.0.1', 'fd30:ca11::1', '172.30.0.2', 'fd30:ca11::2'].map(peerIP => ({
      apiVersion: 'v1',
      kind: 'bgpPeer',
      metadata: { scope: 'global', peerIP },
      spec: { asNumber: 64_512 },
    })),
  };

  beforeAll(async () => {
    lab = await createTestLab('reflect');
    folder = await mkdtemp(join(tmpdir(), 'calico-topology-'));
    await writeFile(join(folder, 'lab.json'), JSON.stringify(reflectors));
  });

  afterAll(async () => {
    await lab.remove();
    await rm(folder, { recursive: true });
  });

  test('knows all blocks everywhere, in both families, by the straight way', async () => {
    await lab.lab('up', '-f', join(folder, 'lab.json'));
    await lab.calicoctl('config', 'set', 'nodeToNodeMesh', 'off');
    await eventually(
      'only the sessions with the reflectors are left',
      async () => (await lab.lab('status')).stdout.match(/ 4 of 4 established/g)?.length === 2,
    );
    for (const [place, ways, ways6] of [
      ['host1', ['172.30.0.12'], ['fd30:ca11::c']],
      ['bird', ['172.30.0.11', '172.30.0.12'], ['fd30:ca11::b', 'fd30:ca11::c']],
      ['frr', ['172.30.0.11', '172.30.0.12'], ['fd30:ca11::b', 'fd30:ca11::c']],
    ] as const) {
      for (const [family, range, expected] of [
        ['-4', '10.65.0.0/16', ways],
        ['-6', 'fd80:65::/64', ways6],
      ] as const) {
        const hops = async (): Promise<readonly string[]> => {
          const { stdout } = await lab.lab('exec', place, '--', 'ip', family, 'route', 'show', 'root', range);
          return [...stdout.matchAll(/ via (\S+)/g)].map(([, via = '']) => via).toSorted();
        };
        await eventually(`${place} knows ${range}`, async () => (await hops()).join() === expected.join());
      }
    }
    expect((await lab.lab('connect', 'w1', 'w2', 'tcp:8080')).exitCode).toBe(0);
  });
});
