import { closeSync, readFileSync } from 'node:fs';
import { runChecked } from '../../src/base/index.js';
import { loadLibc } from '../../src/netlink/libc.js';
import type { Libc } from '../../src/netlink/libc.js';
import { openNetns, warmThreadPool, withNetns } from '../../src/netlink/netns.js';
import { openHostSender, senderMark } from './host-sender.js';
import { createTestNet, eventually } from './netns.js';
import type { TestNet } from './netns.js';
import { markOf, packetBytes } from './packets.js';
import type { Mark, PacketOptions } from './packets.js';
import { createNetlinkNftApplier, createNftApplier } from '../../src/dataplane/index.js';
import type { NftApplier, RunNft } from '../../src/dataplane/index.js';
import type { Packet } from '../../src/policy/index.js';

/** An interface of the router, and who is at the other end of it. */
export interface WireSpec {
  readonly interfaceName: string;
  readonly addresses: readonly string[];
}

/**
 * A router in a network namespace, with one wire for each neighbour. The test itself is at the far end of the
 * wires: it puts packets on them and sees what comes out, so nothing but the router decides.
 *
 *   test ── wire ── caliw1 ─┐
 *   test ── wire ── caliw2 ─┼─ router (nftables, conntrack, routes)
 *   test ── wire ── eth0 ───┘
 */
export interface Router {
  readonly net: TestNet;
  /** nft, inside the router */
  readonly nft: RunNft;
  /** as the agent has it: netlink, or, with CALICO_NFT_APPLIER=program, the nft program */
  readonly applier: NftApplier;
  /** Puts a packet on the wire of that interface. */
  send(interfaceName: string, packet: Packet, mark: Mark, options?: PacketOptions): void;
  /** Sends a packet as one of the router's own processes. */
  sendFromHost(packet: Packet, mark: Mark): void;
  /** All IP packets that have come out of that interface so far, by mark. */
  received(interfaceName: string): ReadonlyMap<Mark, Buffer>;
  /** Waits until all of the marks have come out of that interface; fails when they do not. */
  arrival(interfaceName: string, ...marks: readonly Mark[]): Promise<void>;
  /** Marks of the packets that the router took for itself so far. */
  receivedByHost(): Promise<ReadonlySet<Mark>>;
  forgetConnections(): Promise<void>;
  remove(): Promise<void>;
}

const ETHERNET = 14;
const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const SOL_PACKET = 263;
const PACKET_IGNORE_OUTGOING = 23;
const ETH_P_ALL_BE = 0x0300;

interface Wire {
  readonly fd: number;
  readonly header: Readonly<Record<4 | 6, Buffer>>;
  readonly packets: Map<Mark, Buffer>;
}

const mac = (end: 'router' | 'far', index: number): string =>
  `02:00:00:00:${end === 'router' ? '01' : '02'}:${(index + 1).toString(16).padStart(2, '0')}`;

function ethernet(index: number, etherType: number): Buffer {
  const type = Buffer.alloc(2);
  type.writeUInt16BE(etherType);
  const bytes = (text: string): Buffer => Buffer.from(text.replaceAll(':', ''), 'hex');
  return Buffer.concat([bytes(mac('router', index)), bytes(mac('far', index)), type]);
}

function openWire(libc: Libc, ifindex: number, index: number): Wire {
  const fd = libc.socket(AF_PACKET, SOCK_RAW, ETH_P_ALL_BE);
  const address = Buffer.alloc(20);
  address.writeUInt16LE(AF_PACKET, 0);
  address.writeUInt16LE(ETH_P_ALL_BE, 2);
  address.writeInt32LE(ifindex, 4);
  const results = [
    fd,
    libc.setSocketOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20),
    libc.setSocketOption(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1),
    libc.bind(fd, address),
  ];
  const failed = results.find(result => result < 0);
  if (failed !== undefined) throw new Error(`packet socket: errno ${String(-failed)}`);
  return { fd, header: { 4: ethernet(index, 0x0800), 6: ethernet(index, 0x86dd) }, packets: new Map() };
}

/** One batch for `ip`: links with both ends, a route and a neighbour for each address. */
function linkCommands(specs: readonly WireSpec[], farPath: string): string {
  return specs
    .flatMap(({ interfaceName, addresses }, index) => [
      `link add ${interfaceName} address ${mac('router', index)} type veth peer name far${String(index)} address ${mac('far', index)} netns ${farPath.split('/').at(-1) ?? ''}`,
      `link set ${interfaceName} up`,
      ...addresses.flatMap(address => [
        `route add ${address} dev ${interfaceName}`,
        `neigh add ${address} lladdr ${mac('far', index)} dev ${interfaceName} nud permanent`,
      ]),
    ])
    .map(line => `${line}\n`)
    .join('');
}

/**
 * Remembers what reaches the router itself, after all other tables; keeps the router from saying anything of its
 * own; and makes conntrack exist, which it does in a namespace only once something asks for it.
 */
const testTable = `
table inet test {
  set v4 { typeof ip id; size 65535; flags dynamic; }
  set v6 { typeof ip6 flowlabel; size 65535; flags dynamic; }
  chain forward { type filter hook forward priority 300; ct state new accept; }
  chain input {
    type filter hook input priority 300;
    meta nfproto ipv4 add @v4 { ip id }
    meta nfproto ipv6 add @v6 { ip6 flowlabel }
  }
  chain output { type filter hook output priority 300; policy drop; meta mark ${String(senderMark)} accept; }
}
`;

const routerSysctls = [
  'net.ipv4.ip_forward=1',
  'net.ipv4.conf.all.rp_filter=0',
  'net.ipv4.conf.default.rp_filter=0',
  'net.ipv4.conf.all.send_redirects=0',
  'net.ipv4.conf.default.send_redirects=0',
  'net.ipv4.icmp_ratelimit=0',
  'net.ipv6.icmp.ratelimit=0',
  'net.ipv6.conf.all.forwarding=1',
  'net.ipv6.conf.default.accept_dad=0',
];

async function feed(
  net: TestNet,
  name: string,
  input: string,
  ...command: readonly [string, ...string[]]
): Promise<void> {
  const { exitCode, stderr } = await net.feed(name, input, ...command);
  if (exitCode !== 0) throw new Error(`${command.join(' ')}: ${stderr}`);
}

async function setUp(
  net: TestNet,
  specs: readonly WireSpec[],
  ownAddresses: readonly string[],
): Promise<void> {
  await net.add('router');
  const far = await net.add('far');
  await net.run('router', 'sysctl', '-qw', ...routerSysctls);
  await net.run(
    'far',
    'sysctl',
    '-qw',
    'net.ipv6.conf.all.disable_ipv6=1',
    'net.ipv6.conf.default.disable_ipv6=1',
  );
  const own = ownAddresses.map(address => `address add ${address} dev lo\n`).join('');
  await feed(net, 'router', linkCommands(specs, far) + own, 'ip', '-batch', '-');
  const up = specs.map((_, index) => `link set far${String(index)} up\n`).join('');
  await feed(net, 'far', up, 'ip', '-batch', '-');
  await untilWiresCarry(net, specs);
  await feed(net, 'router', testTable, 'nft', '-f', '-');
  await net.run('router', 'sysctl', '-qw', 'net.netfilter.nf_conntrack_checksum=0');
}

/**
 * Keeps the thread that sends on one processor: what it puts on any wire goes through the kernel in that order,
 * however busy the processors are.
 */
async function stayOnOneProcessor(): Promise<void> {
  const [, allowed = '0'] =
    /^Cpus_allowed_list:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  await runChecked('taskset', ['-cp', allowed, String(process.pid)]);
}

/** Until a link carries packets there is a moment in which they are lost without a word. */
async function untilWiresCarry(net: TestNet, specs: readonly WireSpec[]): Promise<void> {
  const ends = { router: specs.map(each => each.interfaceName), far: specs.map((_, i) => `far${String(i)}`) };
  for (const [name, links] of Object.entries(ends)) {
    await eventually(`the links of ${name} are up`, async () => {
      const now = await net.ipJson(name, 'link');
      const up = now.filter(link => link['operstate'] === 'UP').map(link => link['ifname']);
      return links.every(link => up.includes(link));
    });
  }
}

/** The elements of all sets in nft's JSON: what it looks like is nft's affair, the numbers are ours. */
function marksIn(listing: string): readonly Mark[] {
  const { nftables } = JSON.parse(listing) as { nftables: { set?: { elem?: number[] } }[] };
  return nftables.flatMap(({ set }) => set?.elem ?? []);
}

/** Makes the router; call `remove` in afterAll. `ownAddresses` are the router's, for packets to the host. */
export async function createRouter(
  specs: readonly WireSpec[],
  ownAddresses: readonly string[] = [],
): Promise<Router> {
  const net = createTestNet();
  const libc = await loadLibc();
  await warmThreadPool();
  const wires = new Map<string, Wire>();
  try {
    await stayOnOneProcessor();
    await setUp(net, specs, ownAddresses);
    const links = await net.ipJson('far', 'link');
    const namespace = openNetns(net.path('far'));
    for (const [index, { interfaceName }] of specs.entries()) {
      const ifindex = Number(links.find(link => link['ifname'] === `far${String(index)}`)?.['ifindex']);
      wires.set(
        interfaceName,
        withNetns(libc, namespace, () => openWire(libc, ifindex, index)),
      );
    }
    closeSync(namespace);
  } catch (error) {
    await net.remove();
    throw error;
  }

  const host = await openHostSender(libc, net.path('router'));
  const wireOf = (interfaceName: string): Wire => {
    const wire = wires.get(interfaceName);
    if (wire === undefined) throw new Error(`no wire at ${interfaceName}`);
    return wire;
  };
  const buffer = Buffer.alloc(2048);
  const receive = (interfaceName: string): ReadonlyMap<Mark, Buffer> => {
    const { fd, packets } = wireOf(interfaceName);
    for (let length = libc.receive(fd, buffer); length > 0; length = libc.receive(fd, buffer)) {
      const bytes = Buffer.from(buffer.subarray(ETHERNET, length));
      const mark = markOf(bytes);
      if (mark !== undefined) packets.set(mark, bytes);
    }
    return packets;
  };

  const nft: RunNft = async (args, input) => await net.feed('router', input ?? '', 'nft', ...args);
  const applier =
    process.env['CALICO_NFT_APPLIER'] === 'program'
      ? createNftApplier(nft)
      : await createNetlinkNftApplier({ netns: net.path('router') });

  return {
    net,
    nft,
    applier,
    send(interfaceName, packet, mark, options) {
      const { fd, header } = wireOf(interfaceName);
      const frame = Buffer.concat([header[packet.ipVersion], packetBytes(packet, mark, options)]);
      const sent = libc.send(fd, frame, frame.length);
      if (sent !== frame.length) throw new Error(`send at ${interfaceName}: errno ${String(-sent)}`);
    },
    sendFromHost(packet, mark) {
      host.send(packet, packetBytes(packet, mark));
    },
    received: receive,
    async arrival(interfaceName, ...marks) {
      const wanted = new Set(marks);
      await eventually(`packets ${marks.join(', ')} at ${interfaceName}`, () =>
        wanted.isSubsetOf(receive(interfaceName)),
      );
    },
    async receivedByHost() {
      const listing = await net.run('router', 'nft', '-j', 'list', 'sets', 'table', 'inet', 'test');
      return new Set(marksIn(listing));
    },
    async forgetConnections() {
      await net.run('router', 'conntrack', '-F');
    },
    async remove() {
      applier.close?.();
      host.close();
      for (const { fd } of wires.values()) libc.close(fd);
      await net.remove();
    },
  };
}
