import { spawn } from 'node:child_process';
import { execPath, stdout } from 'node:process';
import { runChecked, runProgram, systemClock } from '../../src/base/index.js';
import { createResourceClient, openStore } from '../../src/datastore/index.js';
import type { ResourceClient, Store } from '../../src/datastore/index.js';
import { createAllocator } from '../../src/ipam/index.js';
import type { ResourceOf } from '../../src/resources/index.js';
import { STORE } from './host.js';

/** `a` and `b` are neighbours; `c` is behind a router. */
const HOSTS = [
  { name: 'a', address: '172.31.9.1', router: '172.31.9.254' },
  { name: 'b', address: '172.31.9.2', router: '172.31.9.254' },
  { name: 'c', address: '172.31.8.3', router: '172.31.8.254' },
] as const;
type Host = (typeof HOSTS)[number];
const POOL = '10.64.0.0/16';
const LINK_MTU = 1500;
const IPIP_HEADER = 20;
const ICMP_HEADERS = 28;

let passed = 0;

function ok(what: string): void {
  passed += 1;
  stdout.write(`ok - ${what}\n`);
}

async function inside(netns: string, program: string, ...args: readonly string[]): Promise<string> {
  return await runChecked('ip', ['netns', 'exec', netns, program, ...args]);
}

/** Asks again until it is so; the one processor of the machine is slow, so the deadline is generous. */
async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const end = systemClock.monotonic() + 20_000;
  while (!(await condition())) {
    if (systemClock.monotonic() > end) throw new Error(`it did not happen: ${what}`);
    await systemClock.sleep(100);
  }
  ok(what);
}

/** Several commands of `ip` in one process, which is slow to start here; in a namespace where one is named. */
async function ipBatch(netns: string | undefined, lines: readonly string[]): Promise<void> {
  const where = netns === undefined ? [] : ['-n', netns];
  const { exitCode, stderr } = await runProgram('ip', [...where, '-batch', '-'], {
    input: `${lines.join('\n')}\n`,
  });
  if (exitCode !== 0) throw new Error(`ip -batch in ${netns ?? 'the first namespace'}: ${stderr}`);
}

async function buildNetwork(): Promise<void> {
  const names = ['router', ...HOSTS.map(({ name }) => name)];
  await ipBatch(
    undefined,
    [...names, ...HOSTS.map(({ name }) => `w${name}`)].map(name => `netns add ${name}`),
  );
  await ipBatch('router', [
    ...(['near 172.31.9.254/24', 'far 172.31.8.254/24'] as const).flatMap(text => {
      const [bridge = '', address = ''] = text.split(' ');
      return [`link add ${bridge} type bridge`, `addr add ${address} dev ${bridge}`, `link set ${bridge} up`];
    }),
    ...HOSTS.flatMap(({ name }) => [
      `link add to-${name} type veth peer name eth0 netns ${name}`,
      `link set to-${name} master ${name === 'c' ? 'far' : 'near'} up`,
    ]),
  ]);
  for (const { name, address, router } of HOSTS) {
    await ipBatch(name, [
      'link set lo up',
      `addr add ${address}/24 dev eth0`,
      'link set eth0 up',
      `route add default via ${router}`,
    ]);
  }
  for (const name of names) await inside(name, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
}

/** A workload as the CNI plugin makes it; returns its address. */
async function addWorkload(store: Store, { name }: Host): Promise<string> {
  const allocator = createAllocator({ store, clock: systemClock });
  const { addresses } = await allocator.assign({
    node: name,
    handle: `workload-${name}`,
    attributes: { node: name },
    count: { 4: 1, 6: 0 },
  });
  const address = addresses[0] ?? '';
  const netns = `w${name}`;
  await ipBatch(name, [
    `link add cali1 type veth peer name eth0 netns ${netns}`,
    'addr add 169.254.1.1/32 dev cali1 scope link',
    'link set cali1 up',
    `route add ${address}/32 dev cali1 proto 80`,
  ]);
  await ipBatch(netns, [
    `addr add ${address}/32 dev eth0`,
    'link set eth0 up',
    'route add default via 169.254.1.1 dev eth0 onlink',
  ]);
  return address;
}

async function setPool(client: ResourceClient, ipip: ResourceOf<'ipPool'>['spec']['ipip']): Promise<void> {
  const spec = ipip === undefined ? {} : { ipip };
  const metadata = { cidr: POOL };
  await client.write([{ verb: 'apply', resource: { apiVersion: 'v1', kind: 'ipPool', metadata, spec } }]);
}

async function pings(netns: string, address: string, ...options: readonly string[]): Promise<boolean> {
  const args = ['netns', 'exec', netns, 'ping', '-n', '-c', '1', '-W', '2', ...options, address];
  return (await runProgram('ip', args)).exitCode === 0;
}

/** The kernel's choice for a packet from a host: `10.64.3.1 via 172.31.8.3 dev tunl0 …`. */
async function way(host: string, address: string): Promise<string> {
  return await inside(host, 'ip', 'route', 'get', address);
}

/** One packet on the router's wire to a host, as tcpdump writes it, while a ping goes there. */
async function onTheWire(port: string, netns: string, address: string): Promise<string> {
  const filter = ['-c', '1', '-nn', '-l', '-i', port, 'ip proto 4 or icmp'];
  const capture = inside('router', 'timeout', '10', 'tcpdump', ...filter);
  for (let tries = 0; tries < 5; tries++) {
    await systemClock.sleep(300);
    await pings(netns, address);
  }
  return await capture;
}

type Addresses = Readonly<Record<Host['name'], string>>;

async function checkAlways(addresses: Addresses): Promise<void> {
  await until('every host leads to the blocks of the others through the tunnel', async () => {
    const ways = await Promise.all([
      way('a', addresses.b),
      way('a', addresses.c),
      way('b', addresses.a),
      way('c', addresses.a),
    ]);
    return ways.every(text => text.includes('dev tunl0'));
  });
  await until('a workload reaches one on a neighbouring host', async () => await pings('wa', addresses.b));
  await until('a workload reaches one behind the router', async () => await pings('wa', addresses.c));
  await until('a host reaches a workload of another one', async () => await pings('a', addresses.c));
  const packet = await onTheWire('to-c', 'wa', addresses.c);
  const expected = `IP 172.31.9.1 > 172.31.8.3: IP ${addresses.a} > ${addresses.c}: ICMP echo request`;
  if (!packet.includes(expected)) throw new Error(`on the wire is ${packet}, not ${expected}`);
  ok('on the wire the packet travels inside one between the hosts');
  const fits = String(LINK_MTU - IPIP_HEADER - ICMP_HEADERS);
  const tooLong = String(LINK_MTU - IPIP_HEADER - ICMP_HEADERS + 1);
  await until(`${fits} bytes pass whole`, async () => await pings('a', addresses.c, '-M', 'do', '-s', fits));
  await until(
    `${tooLong} bytes do not`,
    async () => !(await pings('a', addresses.c, '-M', 'do', '-s', tooLong)),
  );
}

async function checkCrossSubnet(addresses: Addresses): Promise<void> {
  await until('neighbours are reached without the tunnel', async () => {
    const ways = await Promise.all([way('a', addresses.b), way('b', addresses.a)]);
    return ways.every(text => text.includes('dev eth0'));
  });
  await until('hosts behind the router are reached through it', async () => {
    const ways = await Promise.all([way('a', addresses.c), way('c', addresses.b)]);
    return ways.every(text => text.includes('dev tunl0'));
  });
  await until('packets flow both ways', async () => {
    return (await pings('wa', addresses.b)) && (await pings('wb', addresses.c));
  });
}

async function checkReturn(addresses: Addresses): Promise<void> {
  await inside('a', 'ip', 'link', 'set', 'tunl0', 'down');
  await until('a device that somebody took down comes back with its routes', async () => {
    return (await way('a', addresses.c)).includes('dev tunl0') && (await pings('wa', addresses.c));
  });
}

async function checkOff(addresses: Addresses): Promise<void> {
  await until('without encapsulation neighbours are reached by the routes of BIRD', async () => {
    const text = await inside('a', 'ip', 'route', 'show', 'root', POOL, 'proto', 'bird');
    return text.includes('via 172.31.9.2') && (await pings('wa', addresses.b));
  });
}

/** Builds the network, runs the hosts, and checks what the product does with a pool in each mode. */
export async function runScenario(program: string): Promise<void> {
  await buildNetwork();
  const store = await openStore(STORE);
  const client = createResourceClient(store);
  await setPool(client, { enabled: true });
  for (const { name, address } of HOSTS) {
    const resource = { apiVersion: 'v1', kind: 'node', metadata: { name } } as const;
    await client.write([
      { verb: 'apply', resource: { ...resource, spec: { bgp: { ipv4Address: address } } } },
    ]);
    spawn('ip', ['netns', 'exec', name, execPath, program, 'host', name], { stdio: 'inherit' });
  }
  const found: Record<string, string> = {};
  for (const host of HOSTS) found[host.name] = await addWorkload(store, host);
  const addresses = { a: '', b: '', c: '', ...found };
  await checkAlways(addresses);
  await setPool(client, { enabled: true, mode: 'cross-subnet' });
  await checkCrossSubnet(addresses);
  await checkReturn(addresses);
  await setPool(client, undefined);
  await checkOff(addresses);
  stdout.write(`# all ${String(passed)} passed\n`);
}
