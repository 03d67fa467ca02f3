import { closeSync } from 'node:fs';
import { forgetConnections } from './conntrack/forget-connections.js';
import type {
  ForwardingEntry,
  HostNetwork,
  NetworkChange,
  RouteRequest,
  VethRequest,
  VxlanRequest,
} from './host-network.js';
import { loadLibc } from './libc.js';
import { openNetns, warmThreadPool, withNetns } from './netns.js';
import { addAddress, dumpAddresses } from './rtnl/addr.js';
import { createVeth, deleteLinkNow, dumpLinks, dumpTraffic, linkByName, setLinkUp } from './rtnl/link.js';
import {
  deleteForwarding,
  deleteNeighbour,
  dumpForwarding,
  dumpNeighbours,
  replaceForwarding,
  replaceNeighbour,
  setProxyNeighbour,
} from './rtnl/neigh.js';
import { deleteRoute, dumpRoutes, replaceRoute, routeTo } from './rtnl/route.js';
import { createIpip, deleteAddress, setLinkMtu } from './rtnl/tunnel-device.js';
import { ensureVxlan } from './rtnl/vxlan.js';
import { SlowSocket } from './slow.js';
import { createKernel, NETLINK_NETFILTER, NETLINK_ROUTE, NetlinkSocket } from './socket.js';
import type { Kernel } from './socket.js';
import { readSysctlFile, writeSysctlFile } from './sysctl.js';
import { NetworkWatch } from './watch.js';

export interface HostNetworkOptions {
  /** path of the namespace; without it that of the process */
  readonly netns?: string;
  /** bytes that the kernel queues for a watch before it reports an overrun; default 4 MiB */
  readonly watchBuffer?: number;
}

/** Loads the FFI and opens a network namespace, by default that of the process. */
export async function openHostNetwork(options: HostNetworkOptions = {}): Promise<HostNetwork> {
  const [libc] = await Promise.all([loadLibc(), warmThreadPool()]);
  return new KernelNetwork(createKernel(libc), options);
}

class KernelNetwork implements HostNetwork {
  readonly #kernel: Kernel;
  readonly #netnsFd: number | undefined;
  readonly #socket: NetlinkSocket;
  readonly #watches = new Set<NetworkWatch>();
  readonly #watchBuffer: number | undefined;
  #slow: SlowSocket | undefined;
  #open = true;

  constructor(kernel: Kernel, { netns, watchBuffer }: HostNetworkOptions) {
    this.#kernel = kernel;
    this.#watchBuffer = watchBuffer;
    this.#netnsFd = netns === undefined ? undefined : openNetns(netns);
    try {
      this.#socket = this.#inside(() => new NetlinkSocket(kernel, NETLINK_ROUTE));
    } catch (error) {
      if (this.#netnsFd !== undefined) closeSync(this.#netnsFd);
      throw error;
    }
  }

  #inside<T>(use: () => T): T {
    return this.#netnsFd === undefined ? use() : withNetns(this.#kernel.libc, this.#netnsFd, use);
  }

  enter(netns: string) {
    return new KernelNetwork(this.#kernel, { netns });
  }

  links() {
    return dumpLinks(this.#socket);
  }

  traffic() {
    return dumpTraffic(this.#socket);
  }

  linkByName(name: string) {
    return linkByName(this.#socket, name);
  }

  addresses() {
    return dumpAddresses(this.#socket);
  }

  routes() {
    return dumpRoutes(this.#socket);
  }

  createVeth(request: VethRequest) {
    const { hostName, hostMac, containerName, containerMac, mtu } = request;
    const containerNetnsFd = openNetns(request.containerNetns);
    try {
      const names = { hostName, hostMac, containerName, containerMac };
      return createVeth(this.#socket, { ...names, containerNetnsFd, mtu });
    } finally {
      closeSync(containerNetnsFd);
    }
  }

  createIpip(name: string) {
    return createIpip(this.#socket, name);
  }

  ensureVxlan(request: VxlanRequest) {
    return ensureVxlan(this.#socket, request);
  }

  setLinkMtu(index: number, mtu: number): void {
    setLinkMtu(this.#socket, index, mtu);
  }

  setLinkUp(index: number): void {
    setLinkUp(this.#socket, index, true);
  }

  setLinkDown(index: number): void {
    setLinkUp(this.#socket, index, false);
  }

  async deleteLink(index: number): Promise<void> {
    this.#slow ??= this.#inside(() => new SlowSocket(this.#kernel));
    await this.#slow.deleteLink(index);
  }

  deleteLinkNow(index: number): void {
    deleteLinkNow(this.#socket, index);
  }

  addAddress(index: number, address: string, scope: 'link' | 'universe' = 'universe'): void {
    addAddress(this.#socket, { index, address, scope });
  }

  deleteAddress(index: number, address: string): void {
    deleteAddress(this.#socket, index, address);
  }

  routeTo(address: string) {
    return routeTo(this.#socket, address);
  }

  replaceRoute(route: RouteRequest): void {
    replaceRoute(this.#socket, route);
  }

  deleteRoute(route: RouteRequest): void {
    deleteRoute(this.#socket, route);
  }

  replaceNeighbour(index: number, address: string, mac: string): void {
    replaceNeighbour(this.#socket, { index, address, mac });
  }

  deleteNeighbour(index: number, address: string): void {
    deleteNeighbour(this.#socket, index, address);
  }

  setProxyNeighbour(index: number, address: string, wanted: boolean): void {
    setProxyNeighbour(this.#socket, { index, address, wanted });
  }

  permanentNeighbours() {
    return dumpNeighbours(this.#socket);
  }

  forwarding(index: number) {
    return dumpForwarding(this.#socket, index);
  }

  replaceForwarding(index: number, entry: ForwardingEntry): void {
    replaceForwarding(this.#socket, { index, ...entry });
  }

  deleteForwarding(index: number, entry: ForwardingEntry): void {
    deleteForwarding(this.#socket, { index, ...entry });
  }

  forgetConnections(addresses: readonly string[]): number {
    const socket = this.#inside(() => new NetlinkSocket(this.#kernel, NETLINK_NETFILTER));
    try {
      return forgetConnections(socket, addresses);
    } finally {
      socket.close();
    }
  }

  writeSysctl(path: readonly string[], value: string): void {
    this.#inside(() => {
      writeSysctlFile(path, value);
    });
  }

  readSysctl(path: readonly string[]) {
    return this.#inside(() => readSysctlFile(path));
  }

  watch(onChange: (change: NetworkChange) => void) {
    const watch = this.#inside(() => new NetworkWatch(this.#kernel, onChange, this.#watchBuffer));
    this.#watches.add(watch);
    return {
      close: () => {
        watch.close();
        this.#watches.delete(watch);
      },
    };
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    for (const watch of this.#watches) watch.close();
    this.#watches.clear();
    this.#slow?.close();
    this.#socket.close();
    if (this.#netnsFd !== undefined) closeSync(this.#netnsFd);
  }
}
