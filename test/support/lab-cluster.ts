import { spawn } from 'node:child_process';
import { runChecked } from '../../src/base/index.js';
import type { BgpStatus } from '../../src/bgp/index.js';
import { netnsPath, placeNamed, plainTopology } from '../../src/lab/index.js';
import type { LabHost, LabRouter, LabTopology } from '../../src/lab/index.js';
import { note } from './bird-nodes.js';
import { eventually, LATE_ANSWER_MS } from './netns.js';
import { runLab } from './running-lab.js';
import type { RunningLab } from './running-lab.js';

/** A lab with the product as it is installed, for a test. */
export interface LabCluster extends RunningLab {
  router(name: string): LabRouter;
  /** What BIRD of a host says, through its agent; nothing while it does not answer. */
  bgp(host: LabHost): Promise<Partial<BgpStatus>>;
  /** `<protocol> <gateway> <device>` of the host's routes to networks inside `range` that lead to other hosts. */
  ways(host: LabHost, range: string): Promise<readonly string[]>;
  /** Waits until `ways` are exactly these, in any order; else fails with what is there. */
  untilWays(host: LabHost, range: string, expected: readonly string[]): Promise<void>;
  /** Whether a new TCP connection between the first workloads of two hosts is answered, however late. */
  connects(from: LabHost, to: LabHost): Promise<boolean>;
  /** Packets lost of a ping every 20 ms between the first workloads of two hosts, from before to after `work`. */
  lostBetween(from: LabHost, to: LabHost, work: () => Promise<void>): Promise<number>;
  /** IPv4 address of the first workload of a host */
  addressOn(host: LabHost): Promise<string>;
  /** `ip` in the namespace of a host */
  ip(host: LabHost, ...args: readonly string[]): Promise<string>;
}

/** Builds the product and brings up a topology, or hosts with one workload each; call `remove` in afterAll. */
export async function createLabCluster(name: string, topology: number | LabTopology): Promise<LabCluster> {
  const plain = typeof topology === 'number' ? plainTopology(topology, 1) : topology;
  const lab = await runLab(`${name}${String(process.pid)}`, plain);
  const { plan, client } = lab;

  const ip = async (host: LabHost, ...args: readonly string[]): Promise<string> =>
    await runChecked('ip', ['-n', host.netns, ...args]);
  const ways = async (host: LabHost, range: string): Promise<readonly string[]> => {
    const text = await ip(host, '-j', 'route', 'show', 'root', range);
    // What iproute2 prints for routes.
    const routes = JSON.parse(text) as readonly Readonly<Record<string, string | undefined>>[];
    return routes
      .filter(({ gateway }) => gateway !== undefined)
      .map(({ protocol, gateway, dev }) => `${String(protocol)} ${String(gateway)} ${String(dev)}`)
      .sort();
  };
  const addressOn = async (host: LabHost): Promise<string> => {
    const [endpoint] = await client.list('workloadEndpoint', { node: host.name });
    return endpoint?.spec.ipNetworks?.[0]?.replace('/32', '') ?? '';
  };
  return {
    ...lab,
    router(router) {
      const found = placeNamed(plan, router);
      if (found.kind !== 'router') throw new Error(`${router} is no router`);
      return found.router;
    },
    ip,
    bgp: async host => (await lab.status(host)).bgp as Partial<BgpStatus>, // as above
    ways,
    addressOn,
    async untilWays(host, range, expected) {
      const wanted = expected.toSorted().join();
      let last: readonly string[] = [];
      try {
        await eventually(wanted, async () => {
          last = await ways(host, range);
          return last.join() === wanted;
        });
      } catch (error) {
        throw new Error(`${host.name} has ${last.join(', ')} instead of ${wanted}`, { cause: error });
      }
    },
    async connects(from, to) {
      const [fromNetns, toNetns] = [from.workloads[0]?.netns ?? '', to.workloads[0]?.netns ?? ''];
      return await lab.answers({
        fromNetns,
        toNetns,
        address: await addressOn(to),
        timeoutMs: LATE_ANSWER_MS,
      });
    },
    async lostBetween(from, to, work) {
      return await lostOf(from.workloads[0]?.netns ?? '', await addressOn(to), work);
    },
  };
}

async function lostOf(netns: string, address: string, work: () => Promise<void>): Promise<number> {
  const ping = spawn('nsenter', [`--net=${netnsPath(netns)}`, 'ping', '-n', '-i', '0.02', address]);
  let output = '';
  ping.stdout.on('data', (text: Buffer) => (output += text.toString()));
  const ended = new Promise(resolve => {
    ping.once('close', resolve);
  });
  const answered = (): ReadonlySet<number> =>
    new Set([...output.matchAll(/bytes from \S+ icmp_seq=(\d+) /g)].map(([, number]) => Number(number)));
  try {
    await eventually('packets flow', () => answered().size >= 10);
    await work();
    const last = Math.max(...answered());
    await eventually('packets flow afterwards', () => answered().has(last + 10));
  } finally {
    ping.kill('SIGINT');
    await ended;
  }
  // Those after the last answer may have been under way.
  const numbers = answered();
  const sent = Math.max(...numbers) - Math.min(...numbers) + 1;
  note(`${String(sent)} packets sent, ${String(numbers.size)} received`);
  return sent - numbers.size;
}
