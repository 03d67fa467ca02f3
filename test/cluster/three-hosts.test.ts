import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestLab } from '../support/lab.js';
import type { TestLab } from '../support/lab.js';
import { eventually, LATE_ANSWER_MS } from '../support/netns.js';

const examples = new URL('../../examples/three-tier', import.meta.url).pathname;
const workloads = ['front1', 'front2', 'back1', 'back2', 'db1', 'visitor'];
const services = ['tcp:8080', 'tcp:5432'];

let lab: TestLab;

interface LabStatus {
  readonly hosts: readonly { readonly name: string; readonly agent: string; readonly bgp: string }[];
  readonly workloads: readonly { readonly name: string; readonly addresses: readonly string[] }[];
}

async function status(): Promise<LabStatus> {
  return JSON.parse((await lab.lab('status', '-o', 'json')).stdout) as LabStatus;
}

/** Silence counts after a long time where an answer must come, and else soon. */
async function connects(from: string, to: string, service: string, mustBe = false): Promise<boolean> {
  const timeout = `--timeout=${String(mustBe ? LATE_ANSWER_MS : 400)}`;
  const result = await lab.lab('connect', timeout, from, to, service);
  expect(result.stdout).toMatch(/answered in|dropped on the way/);
  return result.exitCode === 0;
}

/** The evaluator's verdict on the same connection. */
async function shouldConnect(from: string, to: string, service: string): Promise<boolean> {
  const { stdout } = await lab.calicoctl('why', from, to, service, '-o', 'json');
  const verdicts = JSON.parse(stdout) as readonly { readonly allowed: boolean }[];
  expect(verdicts.length).toBeGreaterThan(0);
  return verdicts.every(verdict => verdict.allowed);
}

async function inTurns<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = [...items];
  const worker = async (): Promise<void> => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

beforeAll(async () => {
  lab = await createTestLab('shop');
  const up = await lab.lab('up', '-f', `${examples}/lab.yaml`);
  expect(`${up.stdout}${up.stderr}`).toContain('agents ready on host1, host2, host3');
  expect(up.exitCode).toBe(0);
});

afterAll(async () => {
  await lab.remove();
});

describe('three hosts with two workloads each', () => {
  test('give every workload an address of its own in both families', async () => {
    const addresses = (await status()).workloads.flatMap(workload => workload.addresses);
    expect(addresses).toHaveLength(12);
    expect(new Set(addresses).size).toBe(12);
  });

  test('learn by BGP which block is whose, and hold their own blocks back from loops', async () => {
    for (const host of ['host1', 'host2', 'host3']) {
      for (const family of ['-4', '-6']) {
        let routes = '';
        await eventually(`${host} learns the other blocks`, async () => {
          routes = (await lab.lab('exec', host, '--', 'ip', family, 'route', 'show', 'proto', 'bird')).stdout;
          return routes.match(/ via /g)?.length === 2;
        });
        expect(routes).toMatch(family === '-4' ? /^blackhole 10\.65\./m : /^blackhole fd80:65:/m);
      }
    }
    const { hosts } = await status();
    expect(hosts.map(host => host.bgp)).toEqual(Array(3).fill('4 of 4 established'));
  });

  test('let everybody talk with everybody while no policy selects them', async () => {
    const pairs = workloads.flatMap(from => workloads.filter(to => to !== from).map(to => ({ from, to })));
    await inTurns(pairs, 4, async ({ from, to }) => {
      expect({ from, to, connects: await connects(from, to, 'tcp:8080', true) }).toEqual({
        from,
        to,
        connects: true,
      });
    });
  });

  test('do with every connection what the evaluator says, once policy is applied', async () => {
    const applied = await lab.calicoctl('apply', '-f', `${examples}/policy.yaml`);
    expect(applied.stdout).toBe("Successfully applied 3 'policy' resource(s)\n");
    const cases = workloads.flatMap(from =>
      workloads.filter(to => to !== from).flatMap(to => services.map(service => ({ from, to, service }))),
    );
    const allowed: string[] = [];
    // The change has to reach three agents: the first connection that must fail tells when the last one has it.
    for (const to of ['front1', 'front2', 'back1', 'back2', 'db1']) {
      await eventually(
        `${to} is closed for the visitor`,
        async () => !(await connects('visitor', to, 'udp:8125')),
      );
    }
    await inTurns(cases, 4, async ({ from, to, service }) => {
      const verdict = await shouldConnect(from, to, service);
      const real = await connects(from, to, service, verdict);
      expect({ from, to, service, real }).toEqual({ from, to, service, real: verdict });
      if (real) allowed.push(`${from} -> ${to} ${service}`);
    });
    expect(allowed.toSorted()).toEqual(
      [
        ...['front1', 'front2'].flatMap(front =>
          ['back1', 'back2'].map(back => `${front} -> ${back} tcp:8080`),
        ),
        ...['back1', 'back2'].map(back => `${back} -> db1 tcp:5432`),
        ...['front1', 'front2'].map(front => `visitor -> ${front} tcp:8080`),
      ].toSorted(),
    );
  });

  test('lose no packet of an allowed flow, and pass none of a denied one, when an agent is killed and comes back', async () => {
    const back2 = (await status()).workloads.find(({ name }) => name === 'back2')?.addresses[0] ?? '';
    const ping = spawn('nsenter', [
      `--net=/run/netns/${lab.name}-front2`,
      'ping',
      '-i',
      '0.01',
      '-c',
      '400',
      back2,
    ]);
    let said = '';
    ping.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const ended = once(ping, 'exit');
    await eventually('pings are answered', () => said.includes('icmp_seq=20 '));
    const pid = await lab.agentPid('host2');
    expect(pid).toBeGreaterThan(1);
    process.kill(pid ?? 0, 'SIGKILL');
    expect(await connects('front2', 'db1', 'tcp:5432')).toBe(false);
    expect(await connects('front2', 'back2', 'tcp:8080', true)).toBe(true);
    const healed = await lab.lab('up', '-f', `${examples}/lab.yaml`);
    expect(healed.stdout).toContain('agents ready on host2');
    expect(await connects('front2', 'db1', 'tcp:5432')).toBe(false);
    await ended;
    expect(said).toContain('400 packets transmitted, 400 received');
  });

  test('change nothing when one resource of a file is wrong', async () => {
    const before = await lab.calicoctl('get', 'policy', '-o', 'yaml');
    const result = await lab.calicoctl('apply', '-f', `${examples}/lab.yaml`);
    expect(result.exitCode).toBe(1);
    expect(result.stdout).toMatch(/^Failed to execute command: /);
    expect((await lab.calicoctl('get', 'policy', '-o', 'yaml')).stdout).toBe(before.stdout);
  });

  test('leave nothing behind: no namespace, no process, no file', async () => {
    const pid = await lab.agentPid('host1');
    const down = await lab.lab('down');
    expect(down.stdout).toContain('11 namespaces removed');
    expect(await lab.namespaces()).toEqual([]);
    // Gone, or ended and not yet collected by its parent.
    expect(await readFile(`/proc/${String(pid)}/cmdline`, 'utf8').catch(() => '')).toBe('');
    await expect(lab.read('lab.json')).rejects.toThrow('ENOENT');
    expect((await lab.lab('down')).exitCode).toBe(0);
  });
});
