import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock } from '../../src/base/index.js';
import { bgpStateFrom, createBird, renderBird } from '../../src/bgp/index.js';
import type { BgpDaemon, BgpSource } from '../../src/bgp/index.js';
import { createTestNet, eventually } from './netns.js';
import type { TestNet } from './netns.js';

/** A host of the test: a namespace with `eth0` on the link that all share, and a BIRD of its own. */
export interface BirdNode {
  readonly name: string;
  readonly ipv4: string;
  readonly ipv6: string;
  /** the care for the node's BIRD */
  readonly daemon: BgpDaemon;
  /** Ends the care and begins another, as an agent that is started again. */
  renew(): Promise<void>;
  /** of its control socket */
  readonly socket: string;
  log(): string;
  /** `<destination> <gateway or type>` of each route that BIRD wrote, sorted */
  birdRoutes(): Promise<readonly string[]>;
}

/** Hosts `names` at 172.31.9.1, .2, … and fd31:9::1, ::2, … on one link. */
export interface BirdNodes {
  readonly net: TestNet;
  readonly nodes: readonly BirdNode[];
  /** Ends every daemon and removes all namespaces and files. */
  remove(): Promise<void>;
}

/** Renders what the node would from `source`; a reported issue fails the test. */
export function configOf(source: BgpSource): string {
  const { state, issues } = bgpStateFrom(source);
  if (issues.length > 0) throw new Error(JSON.stringify(issues));
  return renderBird(state);
}

/** Prints a measured value into the output of the test run. */
export function note(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Waits until BIRD's routes in the node's kernel are exactly these; else fails with what is there. */
export async function untilRoutes(node: BirdNode, expected: readonly string[]): Promise<void> {
  let last = '';
  const wanted = expected.join(', ');
  try {
    await eventually(`routes of ${node.name} are ${wanted}`, async () => {
      last = (await node.birdRoutes()).join(', ');
      return last === wanted;
    });
  } catch (error) {
    const log = node.log().split('\n').slice(-15).join('\n');
    throw new Error(`routes of ${node.name} are ${last} instead of ${wanted}\n${log}`, { cause: error });
  }
}

/** Hosts on one link, without any daemon yet. */
export async function createBirdNodes(names: readonly string[]): Promise<BirdNodes> {
  const net = createTestNet();
  const folder = mkdtempSync(join(tmpdir(), 'calico-bird-'));
  await net.add('link');
  await net.run('link', 'ip', 'link', 'add', 'br0', 'type', 'bridge');
  await net.run('link', 'ip', 'link', 'set', 'br0', 'up');
  const nodes: BirdNode[] = [];
  for (const [index, name] of names.entries()) {
    await connect(net, name, index + 1);
    nodes.push(birdNode(net, join(folder, name), name, index + 1));
  }
  return {
    net,
    nodes,
    async remove() {
      // A care that has ended its daemon already is done; a new one ends what a failed test left.
      await Promise.all(nodes.map(async node => await node.renew()));
      await Promise.allSettled(nodes.map(async node => await node.daemon.stop({ graceful: false })));
      await net.remove();
      rmSync(folder, { recursive: true });
    },
  };
}

async function connect(net: TestNet, name: string, number: number): Promise<void> {
  const path = await net.add(name);
  const port = `port${String(number)}`;
  await net.run('link', 'ip', 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', path);
  await net.run('link', 'ip', 'link', 'set', port, 'master', 'br0', 'up');
  await net.run(name, 'ip', 'link', 'set', 'eth0', 'up');
  await net.run(name, 'ip', 'address', 'add', `172.31.9.${String(number)}/24`, 'dev', 'eth0');
  await net.run(name, 'ip', 'address', 'add', `fd31:9::${String(number)}/64`, 'dev', 'eth0', 'nodad');
  await net.run(name, 'sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
}

function birdNode(net: TestNet, folder: string, name: string, number: number): BirdNode {
  let hadRoutes = false;
  const create = (): BgpDaemon =>
    createBird({
      runDir: join(folder, 'run'),
      logDir: join(folder, 'log'),
      launchPrefix: ['nsenter', `--net=${net.path(name)}`, '--'],
      hasBirdRoutes: () => hadRoutes,
      log: silentLogger,
      clock: systemClock,
    });
  const birdRoutes = async (): Promise<readonly string[]> => {
    const families = ['-4', '-6'];
    const lists = await Promise.all(
      families.map(async f => await net.ipJson(name, f, 'route', 'show', 'proto', 'bird')),
    );
    const texts = lists.flat().map(({ dst, gateway, type }) => `${String(dst)} ${String(gateway ?? type)}`);
    hadRoutes = texts.length > 0;
    return texts.sort();
  };
  const ipv4 = `172.31.9.${String(number)}`;
  const ipv6 = `fd31:9::${String(number)}`;
  const log = (): string => readFileSync(join(folder, 'log', 'bird.log'), 'utf8');
  let daemon = create();
  return {
    name,
    ipv4,
    ipv6,
    get daemon() {
      return daemon;
    },
    async renew() {
      await daemon.close();
      daemon = create();
    },
    socket: join(folder, 'run', 'bird.ctl'),
    log,
    birdRoutes,
  };
}
